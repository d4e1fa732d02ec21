"""Reads arrays from VTK XML files of uniform and rectilinear grids (extra `vtk`): .vti and .vtr, or
in several pieces .pvti and .pvtr.

In: a file and the name of an array. Out: an ArraySource with the grid's coordinates.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np

from insitu.core.arrays import Array
from insitu.core.errors import ConfigError
from insitu.io.array_source import NoSteps, StoredVolume, increasing, sample_grid
from insitu.io.libraries import library
from insitu.io.mapped import chosen

_READERS = {
    ".vti": "vtkXMLImageDataReader",
    ".vtr": "vtkXMLRectilinearGridReader",
    ".pvti": "vtkXMLPImageDataReader",
    ".pvtr": "vtkXMLPRectilinearGridReader",
}
SUFFIXES = tuple(_READERS)
_LAST_NBYTES = 4096


def names(path: Path) -> dict[str, str]:
    """Names of the point and cell arrays -> "points" or "cells"."""
    reader, _ = _open(path)
    return _names(reader)


class VtkVolume(StoredVolume):
    """A scalar array; only the part of the grid that a box needs is read."""

    def __init__(self, path: Path, dataset: str | None, step: int | None) -> None:
        """Raises ConfigError if the array is missing, not scalar or of an unsupported type."""
        if step is not None:
            raise NoSteps([f"{path}: holds one step; leave out --step {step}"])
        self._reader, self._extent = _open(path)
        known = _names(self._reader)
        self._array = chosen(path, dataset, list(known))
        self._in_cells = known[self._array] == "cells"
        first, last = self._extent[::2], self._extent[1::2]
        points, cells = _selections(self._reader)
        points.DisableAllArrays()
        cells.DisableAllArrays()
        lines, turned = _points(_read(self._reader, self._extent), first, last)
        (cells if self._in_cells else points).EnableArray(self._array)
        sizes = [axis.size for axis in lines]
        if self._in_cells:  # one layer of points makes one layer of cells
            sizes = [max(n - 1, 1) for n in sizes]
        corner = self._values(tuple(slice(0, 1) for _ in lines))
        if corner.ndim > 3:
            raise ConfigError(
                [f"{path}:{self._array}: {corner.shape[3]} components; expected a scalar array"]
            )
        super().__init__(self._array, sizes[::-1], corner.dtype)
        self.reverse({2 - i: "xyz"[i] for i in turned})
        if self._in_cells:
            x, y, z = (a if a.size > 1 else a[0] + np.array([0.0, 1.0]) for a in lines)
            self.association, self.nodes = "element", (x, y, z)
        else:
            self.association, self.nodes = sample_grid(*lines)

    def load(self, index: tuple[int | slice, ...]) -> Array:
        return self._values(index)

    def _values(self, box: Any) -> Array:
        """Samples (nz, ny, nx[, n]) of a box of slices z, y, x."""
        from vtkmodules.util.numpy_support import vtk_to_numpy

        wanted = []
        for axis, first, last in zip(box[::-1], self._extent[::2], self._extent[1::2], strict=True):
            stop = first + axis.stop - (0 if self._in_cells else 1)
            wanted += [first + axis.start, min(stop, last)]
        grid = _read(self._reader, wanted)
        data = grid.GetCellData() if self._in_cells else grid.GetPointData()
        found = data.GetArray(self._array)
        if found is None:
            raise ConfigError([f"{self._reader.GetFileName()}:{self._array}: cannot be read"])
        values = vtk_to_numpy(found)
        extent = grid.GetExtent()  # may be larger than requested
        sizes = np.subtract(extent[1::2], extent[::2]) + 1
        if self._in_cells:
            sizes = np.maximum(sizes - 1, 1)
        values = values.reshape(*sizes[::-1], *values.shape[1:])
        at = [start - first for start, first in zip(wanted[::2], extent[::2], strict=True)][::-1]
        cut = tuple(
            slice(low, low + axis.stop - axis.start) for low, axis in zip(at, box, strict=True)
        )
        return np.array(values[cut])


def _open(path: Path) -> tuple[Any, tuple[int, ...]]:
    """The reader of a file, and its point extent: first and last index along x, y, z."""
    reader = getattr(library("vtkmodules.vtkIOXML", "vtk"), _READERS[path.suffix.lower()])()
    # VTK's reader of appended raw data returns what memory holds where the file has ended.
    if not reader.CanReadFile(str(path)) or not _is_complete(path):
        raise ConfigError([f"{path}: not a complete {path.suffix} file that VTK can read"])
    reader.SetFileName(str(path))
    reader.AddObserver("ErrorEvent", lambda *_: None)  # told below, instead of on standard error
    reader.UpdateInformation()
    _check(reader)
    extent = reader.GetOutputInformation(0).Get(reader.GetExecutive().WHOLE_EXTENT())
    if min(np.subtract(extent[1::2], extent[::2])) < 0:
        raise ConfigError([f"{path}: the grid has no points"])
    return reader, tuple(extent)


def _is_complete(path: Path) -> bool:
    """Whether a file, and the pieces that an index names, end with the last tag of VTK's XML
    formats."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        file.seek(max(path.stat().st_size - _LAST_NBYTES, 0))
        if not file.read().rstrip().endswith(b"</VTKFile>"):
            return False
    if not path.suffix.lower().startswith(".p"):
        return True
    try:
        pieces = ET.parse(path).iter("Piece")
        return all(_is_complete(path.parent / piece.get("Source", "")) for piece in pieces)
    except ET.ParseError:
        return False


def _read(reader: Any, extent: Any) -> Any:
    reader.UpdateExtent(extent)
    _check(reader)
    return reader.GetOutput()


def _check(reader: Any) -> None:
    if reader.GetErrorCode():
        raise ConfigError([f"{reader.GetFileName()}: VTK cannot read it: damaged"])


def _selections(reader: Any) -> tuple[Any, Any]:
    return reader.GetPointDataArraySelection(), reader.GetCellDataArraySelection()


def _names(reader: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for selection, where in zip(_selections(reader), ("points", "cells"), strict=True):
        for i in range(selection.GetNumberOfArrays()):
            found.setdefault(selection.GetArrayName(i), where)
    return found


def _points(grid: Any, first: Any, last: Any) -> tuple[tuple[Array, Array, Array], list[int]]:
    """Increasing coordinates of the points along x, y, z, and which of these were turned round."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    if hasattr(grid, "GetXCoordinates"):
        arrays = grid.GetXCoordinates(), grid.GetYCoordinates(), grid.GetZCoordinates()
        x, y, z = (np.array(vtk_to_numpy(array), np.float64) for array in arrays)
    else:
        x, y, z = (
            origin + spacing * np.arange(low, high + 1, dtype=np.float64)
            for origin, spacing, low, high in zip(
                grid.GetOrigin(), grid.GetSpacing(), first, last, strict=True
            )
        )
    axes, turned = increasing({0: x, 1: y, 2: z})
    for letter, axis in zip("xyz", axes.values(), strict=True):
        if (np.diff(axis) <= 0).any():
            raise ConfigError([f"grid lines along {letter} neither increase nor decrease"])
    return (axes[0], axes[1], axes[2]), turned
