"""Error-bounded compressors that the networks are compared with, each behind two functions.

In: an array (nz, ny, nx) and a tolerance in its units. Out: bytes, and what they decode to.

`available()` imports them; one that is not installed is named with the reason. They are ZFP
(`zfpy`), SZ3 (`pysz`), SPERR (`hdf5plugin`, `h5py`) and TTHRESH (`numcodecs-wasm-tthresh`); the
last two need the extra `bench`. What the tolerance bounds is the compressor's own business (the
largest error, or the mean one): compare them by what they reach.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import math
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

SMALLEST_DB = 0.01


class NoResult(Exception):
    """The compressor gave up on an array."""


@dataclass(frozen=True)
class Compressor:
    """encode: (values, tolerance) -> bytes. decode: (bytes, shape, dtype) -> values."""

    name: str
    encode: Callable[[np.ndarray, float], bytes]
    decode: Callable[[bytes, tuple[int, ...], np.dtype], np.ndarray]
    native: bool = True
    """Or in WebAssembly: then its seconds say nothing of the method, and trials are expensive."""


def available() -> tuple[list[Compressor], dict[str, str]]:
    """Those that import here, and for the others the reason, by name."""
    found, missing = [], {}
    for name, make in {"ZFP": _zfp, "SZ3": _sz3, "SPERR": _sperr, "TTHRESH": _tthresh}.items():
        try:
            found.append(make())
        except Exception as error:  # a package may fail at import in any way
            missing[name] = f"{type(error).__name__}: {error}"
    return found, missing


def _zfp() -> Compressor:
    """Fixed accuracy. Tolerances between two powers of two give the same bytes."""
    import zfpy

    def encode(values: np.ndarray, tolerance: float) -> bytes:
        return bytes(zfpy.compress_numpy(values, tolerance=tolerance))

    def decode(packed: bytes, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        return zfpy.decompress_numpy(packed)

    return Compressor("ZFP", encode, decode)


def _sz3() -> Compressor:
    """Absolute error bound, its default algorithm (interpolation or Lorenzo, by trial)."""
    from pysz import sz, szConfig, szErrorBoundMode

    def encode(values: np.ndarray, tolerance: float) -> bytes:
        config = szConfig()
        config.errorBoundMode = szErrorBoundMode.ABS
        config.absErrorBound = tolerance
        return sz.compress(values, config)[0].tobytes()

    def decode(packed: bytes, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        return np.asarray(sz.decompress(np.frombuffer(packed, np.uint8), dtype, shape)[0])

    return Compressor("SZ3", encode, decode)


def _sperr() -> Compressor:
    """The HDF5 filter in its PSNR mode, which spends no bytes on single large errors.

    The filter reads dimensions fastest first, so the array is declared with its shape reversed, in
    one chunk. The bytes are the chunk's alone. They are decoded in a file of their own: in the one
    they were written to, the chunk cache could hand back the original.
    """
    import h5py
    import hdf5plugin

    def dataset(shape: tuple[int, ...], dtype: np.dtype, decibel: float) -> h5py.Dataset:
        file = h5py.File("sperr", "w", driver="core", backing_store=False, rdcc_nbytes=0)
        options = hdf5plugin.Sperr(peak_signal_to_noise_ratio=decibel)
        return file.create_dataset("v", shape[::-1], dtype, chunks=shape[::-1], **options)

    def encode(values: np.ndarray, tolerance: float) -> bytes:
        decibel = 20 * math.log10(float(np.ptp(values)) / tolerance)
        packed = dataset(values.shape, values.dtype, max(decibel, SMALLEST_DB))
        packed[...] = np.ascontiguousarray(values).reshape(values.shape[::-1])
        packed.flush()
        skipped, chunk = packed.id.read_direct_chunk((0,) * values.ndim)
        packed.file.close()
        if skipped:
            raise NoResult("the filter left the chunk as it was")
        return bytes(chunk)

    def decode(packed: bytes, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        empty = dataset(shape, dtype, 1.0)  # the quality is in the bytes
        empty.id.write_direct_chunk((0,) * len(shape), packed)
        values = empty[...].reshape(shape)
        empty.file.close()
        return values

    return Compressor("SPERR", encode, decode)


def _tthresh() -> Compressor:
    """By root mean square error. It stops with an assertion on some rough fields: `NoResult`."""
    with _plain_versions():
        from numcodecs_wasm_tthresh import Tthresh

    def attempt(action: Callable[[], object]) -> object:
        try:
            with _silent():
                return action()
        except Exception as error:  # what a WebAssembly trap becomes has no class of its own
            raise NoResult(str(error).strip().splitlines()[0]) from error

    def encode(values: np.ndarray, tolerance: float) -> bytes:
        codec = Tthresh(eb_mode="rmse", eb_rmse=float(tolerance))
        return bytes(attempt(lambda: codec.encode(np.ascontiguousarray(values))))

    def decode(packed: bytes, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        codec = Tthresh(eb_mode="rmse", eb_rmse=1.0)  # what it was is in the bytes
        numbers = np.frombuffer(packed, np.uint8)
        return np.asarray(attempt(lambda: codec.decode(numbers)), dtype).reshape(shape)

    return Compressor("TTHRESH", encode, decode, native=False)


@contextlib.contextmanager
def _plain_versions() -> Iterator[None]:
    """numcodecs 0.16 reads zfpy's version as whole numbers and refuses "1.0.1.post0"."""
    original = importlib.metadata.version
    importlib.metadata.version = lambda name: original(name).partition(".post")[0]
    try:
        yield
    finally:
        importlib.metadata.version = original


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """TTHRESH reports to the process' standard output, where the tables go."""
    sys.stdout.flush()
    kept = os.dup(1)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(sink)
