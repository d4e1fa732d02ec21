"""The format of a file of arrays: by its extension, or else by what it begins with.

In: a path. Out: the name of a format that `insitu.io.sources` reads, or None.
"""

from __future__ import annotations

from pathlib import Path

SUFFIXES = {
    ".npy": "npy",
    ".npz": "npz",
    **dict.fromkeys((".h5", ".hdf5", ".he5"), "hdf5"),
    **dict.fromkeys((".nc", ".nc4", ".cdf"), "netcdf"),
    **dict.fromkeys((".vti", ".vtr", ".pvti", ".pvtr"), "vtk"),
    ".pvd": "pvd",
}
SEVERAL = ("npz", "hdf5", "netcdf", "vtk", "pvd")
"""Formats whose files may hold several arrays."""

_HDF5 = b"\x89HDF\r\n\x1a\n"
_BEGINNINGS = {
    b"\x93NUMPY": "npy",
    b"PK\x03\x04": "npz",
    b"CDF\x01": "netcdf",
    b"CDF\x02": "netcdf",
    b"CDF\x05": "netcdf",
}


def format_of(path: Path) -> str | None:
    """Format of a file; None if unknown. Weather models' and FLASH's files, for example, have
    names without a known extension."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    with open(path, "rb") as file:
        first = file.read(len(_HDF5))
    if first == _HDF5:
        return "netcdf" if _is_netcdf(path) else "hdf5"
    return next((name for mark, name in _BEGINNINGS.items() if first.startswith(mark)), None)


def _is_netcdf(path: Path) -> bool:
    """Whether an HDF5 file was written by the NetCDF-4 library, which leaves its version in it."""
    try:
        import h5py
    except ModuleNotFoundError:
        return True
    with h5py.File(path, "r") as file:
        return "_NCProperties" in file.attrs
