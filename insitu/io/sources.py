"""Opens the array that a command-line argument names, in any supported format.

In: "FILE" or "FILE:dataset"; for raw files also shape and dtype. Out: an ArraySource.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from insitu.codecs import frame
from insitu.core.errors import ConfigError
from insitu.io import hdf5, mapped, netcdf, vtk
from insitu.io.array_source import ArraySource
from insitu.io.compressed_array import CompressedArray
from insitu.io.record_volume import RecordVolume
from insitu.store.record_writer import MANIFEST

HDF5 = (".h5", ".hdf5", ".he5")
NETCDF = (".nc", ".nc4", ".cdf")
VTK = (".vti", ".vtr")
SEVERAL = (".npz", *HDF5, *NETCDF, *VTK)
"""Files that may hold several arrays."""
SUFFIXES = (".npy", *SEVERAL)
FORMATS = ".npy, .npz, .vti, .vtr, .h5, .nc, raw values with --shape"


def split_name(text: str) -> tuple[Path, str | None]:
    """Split "FILE:dataset" into path and dataset; an existing file of the full name wins.

    Raises ConfigError if there is no such file.
    """
    path = Path(text)
    if path.exists():
        return path, None
    name, colon, dataset = text.rpartition(":")
    if colon and name and Path(name).exists():
        return Path(name), dataset
    raise ConfigError([f"{text}: no such file"])


def is_record(path: Path) -> bool:
    """Whether the folder `path` holds the record of a run."""
    return (path / MANIFEST).is_file()


def is_compressed(path: Path) -> bool:
    """Whether a file is a compressed array, judged by its magic bytes."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(len(frame.MAGIC)) == frame.MAGIC


def datasets(path: Path) -> dict[str, str]:
    """The arrays in a file: name -> description. Raises ConfigError for an unknown format."""
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return mapped.npy_names(path)
    if suffix == ".npz":
        return mapped.npz_names(path)
    if suffix in HDF5:
        return hdf5.names(path)
    if suffix in NETCDF:
        return netcdf.names(path)
    if suffix in VTK:
        return vtk.names(path)
    raise ConfigError([f"{path}: unknown format; expected {FORMATS}"])


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
    return _open_by_suffix(path, dataset, step)


def _open_by_suffix(path: Path, dataset: str | None, step: int | None) -> ArraySource:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        _only(path, "one array", dataset=dataset)
        return mapped.open_npy(path, step)
    if suffix == ".npz":
        return mapped.open_npz(path, dataset, step)
    if suffix in HDF5:
        return hdf5.Hdf5Volume(path, dataset, step)
    if suffix in NETCDF:
        return netcdf.NetcdfVolume(path, dataset, step)
    if suffix in VTK:
        return vtk.VtkVolume(path, dataset, step)
    raise ConfigError([f"{path}: unknown format; expected {FORMATS}"])


def _only(path: Path, what: str, **options: object) -> None:
    for name, value in options.items():
        if value is not None:
            raise ConfigError([f"{path}: contains {what}; leave out {name} {value!r}"])
