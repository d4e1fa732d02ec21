"""Error-bounded compressors for one array: SZ3, ZFP and SPERR.

In: values and the largest error of each. Out: bytes, and the decoded values.

The error bound is not relied on: callers of `encode` decode and compare. The decompressors do not
validate their input, so callers must verify a digest to detect damaged bytes. Forged bytes with a
matching digest can crash the reader.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.errors import FrameError

Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Compressor:
    """An error-bounded compressor, with its name in run files and frames."""

    name: str
    encode: Callable[[Values, float], bytes | None]
    """Finite values without axes of length 1, and the bound > 0 -> bytes. Returns None, or raises
    RuntimeError, ValueError or OSError, where this is not possible."""
    decode: Callable[[bytes, tuple[int, ...], np.dtype[Any], float], Values]
    """Bytes, shape, dtype, bound -> the values. Raises the same errors where the bytes are invalid.
    """
    multiples: tuple[float, ...] = (1.0,)
    """Multiples of the bound, in the order in which they are tried as the tolerance."""
    packages: tuple[str, ...] = ()
    """Optional modules that are required; installed by the extra of the same name."""

    @property
    def available(self) -> bool:
        """Whether its packages are installed."""
        return all(importlib.util.find_spec(package) for package in self.packages)


_COMPRESSORS: dict[str, Compressor] = {}


def register(compressor: Compressor) -> None:
    """Add a compressor. Raises ValueError where its name is taken: frames with that name would be
    ambiguous."""
    if compressor.name in _COMPRESSORS:
        raise ValueError(f"compressor {compressor.name!r}: this name is already registered")
    _COMPRESSORS[compressor.name] = compressor


def names() -> tuple[str, ...]:
    """All registered compressors, whether installed or not."""
    return tuple(_COMPRESSORS)


def available() -> list[str]:
    """Those whose packages are installed; SPERR needs an extra."""
    return [name for name, compressor in _COMPRESSORS.items() if compressor.available]


def compressor(name: str) -> Compressor:
    """The compressor of this name. Raises ValueError for a name that is not one of `names`."""
    if name not in _COMPRESSORS:
        raise ValueError(f"compressor {name!r}, expected one of {', '.join(_COMPRESSORS)}")
    return _COMPRESSORS[name]


# ZFP reads beyond the end of its input. A block of 4, 16 or 64 values never takes more than this
# per byte of a value: one bit for each plane, as much again for group tests, and the exponent.
_ZFP_MOST = 3

# SPERR quantizes to integer multiples of the bound, and crashes where these overflow. It also
# crashes with bounds of 1e19, so values are scaled by a power of two for a bound in 0.5..1.
_SPERR_MOST = 2.0**40


def encode(name: str, values: Values, bound: float) -> bytes | None:
    """Bytes of finite `values`, which should decode to within `bound` > 0; None where the
    compressor cannot do it.

    Args:
        name: one of `names()`. SPERR takes two or three axes longer than 1.
        values: C-contiguous, float32 or float64, one to four axes.
    """
    try:
        return compressor(name).encode(_squeezed(values), bound)
    except (RuntimeError, ValueError, OSError):
        return None


def decode(name: str, packed: bytes, shape: tuple[int, ...], dtype: Any, bound: float) -> Values:
    """The values, with the encoded shape and dtype. Raises FrameError where the compressor rejects
    the bytes.

    bound: that of `encode`; not needed by SZ3.
    """
    short = tuple(n for n in shape if n > 1) or (1,)
    try:
        values = compressor(name).decode(packed, short, np.dtype(dtype), bound)
    except ModuleNotFoundError as error:
        raise FrameError(
            f"{name}: reading it needs {error.name}; pip install 'insitu-inr[{name}]'"
        ) from None
    except (RuntimeError, ValueError, OSError) as error:
        raise FrameError(f"{name}: {error}") from None
    if values.size != math.prod(shape):
        raise FrameError(f"{name}: {values.size} values, expected {math.prod(shape)}")
    return values.reshape(shape)


def _squeezed(values: Values) -> Values:
    """The values without axes of length 1, which not all compressors accept."""
    return values.reshape(tuple(n for n in values.shape if n > 1) or (1,))


def _sz3_encode(values: Values, bound: float) -> bytes:
    from pysz import sz, szConfig, szErrorBoundMode

    config = szConfig()
    config.errorBoundMode = szErrorBoundMode.ABS
    config.absErrorBound = bound
    return bytes(sz.compress(values, config)[0].tobytes())


def _sz3_decode(packed: bytes, shape: tuple[int, ...], dtype: np.dtype[Any], _: float) -> Values:
    from pysz import sz

    return np.asarray(sz.decompress(np.frombuffer(packed, np.uint8), dtype.type, shape)[0])


def _zfp_encode(values: Values, bound: float) -> bytes:
    import zfpy

    return bytes(zfpy.compress_numpy(values, tolerance=bound, write_header=False))


def _zfp_decode(
    packed: bytes, shape: tuple[int, ...], dtype: np.dtype[Any], bound: float
) -> Values:
    import zfpy

    if not 0 < bound < np.inf:
        raise FrameError(f"ZFP to an accuracy of {bound}")
    blocks = math.prod(-(-n // 4) * 4 for n in shape)
    padded = packed + bytes(_ZFP_MOST * dtype.itemsize * blocks + 64)
    return np.asarray(zfpy._decompress(padded, zfpy.dtype_to_ztype(dtype), shape, tolerance=bound))


def _sperr_encode(values: Values, bound: float) -> bytes | None:
    if values.ndim not in (2, 3) or not np.abs(values).max() < _SPERR_MOST * bound:
        return None
    _, power = math.frexp(bound)
    scaled = np.ldexp(values, -power)
    file, chunk = _sperr_file(values.shape, values.dtype, math.ldexp(bound, -power))
    with file:
        # The filter expects the fastest axis first; the order of values in memory is the same.
        chunk[...] = scaled.reshape(values.shape[::-1])
        file.flush()
        return bytes(chunk.id.read_direct_chunk((0,) * values.ndim)[1])


def _sperr_decode(
    packed: bytes, shape: tuple[int, ...], dtype: np.dtype[Any], bound: float
) -> Values:
    if len(shape) not in (2, 3) or not 0 < bound < np.inf:
        raise FrameError(f"SPERR for an array of shape {shape}")
    file, chunk = _sperr_file(shape, dtype, 1.0)
    with file:
        chunk.id.write_direct_chunk((0,) * len(shape), packed)
        return np.ldexp(np.asarray(chunk[...]).reshape(shape), math.frexp(bound)[1])


def _sperr_file(shape: tuple[int, ...], dtype: np.dtype[Any], bound: float) -> tuple[Any, Any]:
    """An HDF5 file in memory with one chunk, through SPERR's filter."""
    import h5py
    import hdf5plugin

    # No chunk cache: it would return the original values.
    file = h5py.File("chunk", "w", driver="core", backing_store=False, rdcc_nbytes=0)
    chunk = file.create_dataset(
        "values",
        shape=shape[::-1],
        chunks=shape[::-1],
        dtype=dtype,
        **hdf5plugin.Sperr(absolute=bound),
    )
    return file, chunk


# ZFP usually stays well below its tolerance, so larger powers of two are tried first.
register(Compressor("sz3", _sz3_encode, _sz3_decode))
register(Compressor("zfp", _zfp_encode, _zfp_decode, multiples=(8.0, 4.0, 2.0, 1.0)))
register(Compressor("sperr", _sperr_encode, _sperr_decode, packages=("h5py", "hdf5plugin")))
