"""Arrays in .npy and raw files, read through memory maps; arrays in .npz files.

In: a file. Out: an ArraySource. Each read makes its own map, so that resident pages do not add up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np

from insitu.core.arrays import Array
from insitu.core.errors import ConfigError, nearest
from insitu.io.array_source import ArrayVolume, StoredVolume

_MAPPED = 1 << 24  # bytes read per map


class MappedVolume(StoredVolume):
    """An uncompressed array in a file, contiguous in C or Fortran order."""

    def __init__(
        self,
        path: Path,
        dtype: np.dtype[Any],
        stored_shape: Sequence[int],
        *,
        offset: int = 0,
        fortran: bool = False,
        step: int | None = None,
    ) -> None:
        self.path, self.stored_shape, self.offset = path, tuple(stored_shape), offset
        self.stored_dtype = dtype
        self.order: Literal["C", "F"] = "F" if fortran else "C"
        super().__init__(path.stem, stored_shape, dtype, step=step)

    def load(self, index: tuple[int | slice, ...]) -> Array:
        # In slabs, each with a new map: pages count as resident memory while they are mapped.
        at = next(i for i, entry in enumerate(index) if isinstance(entry, slice))
        along = index[at]
        assert isinstance(along, slice)
        slab = math.prod(self.stored_shape[at + 1 :]) * self.stored_dtype.itemsize
        layers = max(1, _MAPPED // slab)
        parts = []
        for start in range(along.start, along.stop, layers):
            piece = slice(start, min(start + layers, along.stop))
            where = (*index[:at], piece, *index[at + 1 :])
            parts.append(np.array(self._map()[where]))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _map(self) -> Any:
        return np.memmap(
            self.path, self.stored_dtype, "r", self.offset, self.stored_shape, self.order
        )


def npy_names(path: Path) -> dict[str, str]:
    """The array in a .npy file: name -> dtype and shape."""
    mapped = _map(path)
    return {path.stem: f"{mapped.dtype} {mapped.shape}"}


def open_npy(path: Path, step: int | None) -> MappedVolume:
    """Open a .npy file. Raises ConfigError if it cannot be memory-mapped or is truncated."""
    mapped = _map(path)
    return MappedVolume(
        path,
        mapped.dtype,
        mapped.shape,
        offset=mapped.offset,
        fortran=mapped.flags.f_contiguous and not mapped.flags.c_contiguous,
        step=step,
    )


def _map(path: Path) -> np.memmap[Any, Any]:
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ConfigError([f"{path}: not a .npy file of numbers: {error}"]) from None
    if not isinstance(mapped, np.memmap):  # zero-dimensional or empty
        raise ConfigError([f"{path}: shape {mapped.shape}; expected (nz, ny, nx)"])
    return mapped


def open_raw(path: Path, shape: Sequence[int], dtype: str, step: int | None) -> MappedVolume:
    """Open a file of raw values, slowest axis first. ConfigError if its size does not match."""
    try:
        kind = np.dtype(dtype)
    except TypeError:
        raise ConfigError(
            [f"--dtype: {dtype!r} is not a NumPy dtype; expected for example f4, f8 or >f4"]
        ) from None
    expected, given = math.prod(shape) * kind.itemsize, path.stat().st_size
    if expected != given:
        raise ConfigError(
            [
                f"{path}: {given} bytes; --shape {','.join(map(str, shape))} with --dtype {kind} "
                f"needs {expected}"
            ]
        )
    return MappedVolume(path, kind, shape, step=step)


def npz_names(path: Path) -> dict[str, str]:
    """Names of the arrays in a .npz file; dtype and shape are unknown until they are read."""
    with _npz(path) as arrays:
        return dict.fromkeys(arrays.files, "array")


def open_npz(path: Path, dataset: str | None, step: int | None) -> ArrayVolume:
    """An array of a .npz file, read as a whole (zip archive). ConfigError if it is missing."""
    with _npz(path) as arrays:
        name = chosen(path, dataset, arrays.files)
        try:
            return ArrayVolume(arrays[name], name, step=step)
        except ValueError as error:
            if isinstance(error, ConfigError):
                raise
            raise ConfigError([f"{path}:{name}: {error}"]) from None


def chosen(path: Path, dataset: str | None, names: Sequence[str]) -> str:
    """The requested array, or the only one. Raises ConfigError listing the arrays in the file."""
    if not names:
        raise ConfigError([f"{path}: contains no array"])
    if dataset is None and len(names) == 1:
        return names[0]
    if dataset in names:
        return str(dataset)
    there = ", ".join(names)
    if dataset is None:
        raise ConfigError([f"{path}: several arrays, choose one as {path}:{names[0]}; {there}"])
    raise ConfigError(
        [f"{path}: no array {dataset!r}{nearest(dataset, names)} (there are {there})"]
    )


def _npz(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, BadZipFile, EOFError) as error:
        raise ConfigError([f"{path}: not a .npz file: {error}"]) from None
