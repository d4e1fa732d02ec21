"""Opens the array that a command-line argument names, in any supported format.

In: "FILE" or "FILE:dataset"; for raw files also shape and dtype. Out: an ArraySource.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from insitu.codecs import frame
from insitu.core.errors import ConfigError
from insitu.io import hdf5, mapped, netcdf, vtk, vtk_collection
from insitu.io.array_source import ArraySource
from insitu.io.compressed_array import CompressedArray
from insitu.io.formats import format_of
from insitu.io.record_volume import RecordVolume
from insitu.store import record_files
from insitu.store.manifest import MANIFEST

FORMATS = ".npy, .npz, .vti, .vtr, .pvti, .pvtr, .pvd, HDF5, NetCDF, raw values with --shape"


def split_name(text: str) -> tuple[Path, str | None]:
    """Split "FILE:dataset" into path and dataset; of several colons, which both may contain, the
    longest name of an existing file wins.

    Raises ConfigError if there is no such file.
    """
    if Path(text).exists():
        return Path(text), None
    at = text.rfind(":")
    while at > 0:
        if Path(text[:at]).exists():
            return Path(text[:at]), text[at + 1 :]
        at = text.rfind(":", 0, at)
    raise ConfigError([f"{text}: no such file"])


def is_record(path: Path) -> bool:
    """Whether the folder `path` holds the record of a run."""
    return record_files.is_record(path)


def is_compressed(path: Path) -> bool:
    """Whether a file is a compressed array, judged by its magic bytes."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(max(map(len, frame.MAGICS))).startswith(frame.MAGICS)


def datasets(path: Path) -> dict[str, str]:
    """The arrays in a file: name -> description. Raises ConfigError for an unknown format."""
    names = _NAMES.get(format_of(path) or "")
    if names is None:
        raise ConfigError([f"{path}: unknown format; expected {FORMATS}"])
    return names(path)


def open_volume(
    text: str,
    *,
    dataset: str | None = None,
    step: int | None = None,
    shape: Sequence[int] | None = None,
    dtype: str = "f4",
    vectors: bool = False,
) -> ArraySource:
    """The array named by `text`, in a file of any supported format. Not collective.

    dataset: name of the array or field, as an alternative to "FILE:dataset". step: time step of a
    4-D array or of a record (default: the last of the record). shape, dtype: of a raw file.
    vectors: also accept a vector field of a record; `read` returns (nz, ny, nx, n_components).
    Raises ConfigError with the cause and the valid choices.
    """
    path, named = split_name(text)
    dataset = dataset if dataset is not None else named
    if path.is_dir():
        if not is_record(path):
            raise ConfigError([f"{path}: not a record of a run: the folder has no {MANIFEST}"])
        return RecordVolume(path, dataset, -1 if step is None else step, vectors=vectors)
    if is_compressed(path):
        _only(path, "one array", dataset=dataset, step=step)
        return CompressedArray.open(path)
    if shape is not None:
        _only(path, "values only", dataset=dataset)
        return mapped.open_raw(path, shape, dtype, step)
    kind = format_of(path)
    if kind == "npy":
        _only(path, "one array", dataset=dataset)
        return mapped.open_npy(path, step)
    if kind not in _OPENERS:
        raise ConfigError([f"{path}: unknown format; expected {FORMATS}"])
    return _OPENERS[kind](path, dataset, step)


_NAMES: dict[str, Callable[[Path], dict[str, str]]] = {
    "npy": mapped.npy_names,
    "npz": mapped.npz_names,
    "hdf5": hdf5.names,
    "netcdf": netcdf.names,
    "vtk": vtk.names,
    "pvd": vtk_collection.names,
}
_OPENERS: dict[str, Callable[[Path, str | None, int | None], ArraySource]] = {
    "npz": mapped.open_npz,
    "hdf5": hdf5.Hdf5Volume,
    "netcdf": netcdf.NetcdfVolume,
    "vtk": vtk.VtkVolume,
    "pvd": vtk_collection.open_step,
}


def _only(path: Path, what: str, **options: object) -> None:
    for name, value in options.items():
        if value is not None:
            raise ConfigError([f"{path}: contains {what}; leave out {name} {value!r}"])
