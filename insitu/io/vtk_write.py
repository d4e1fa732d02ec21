"""Writes grids as VTK XML files: one file, or one per block with an index (extra `vtk`).

In: a part of an array. Out: .vti or .vtr; .pvti or .pvtr with a folder of piece files beside it.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from insitu.core.arrays import Array
from insitu.core.atomic_file import atomic_file, atomic_folder
from insitu.core.errors import ConfigError
from insitu.io.array_source import Nodes
from insitu.io.libraries import library
from insitu.io.part import Part
from insitu.io.vtk_time import time_element
from insitu.mesh.partition import Association

PARALLEL = (".pvti", ".pvtr")
SUFFIXES = (".vti", ".vtr", *PARALLEL)
_EVEN = 1e-9  # tolerance for evenly spaced grid lines, as a fraction of a cell

Progress = Callable[[int, int], None] | None


def write(path: Path, part: Part, progress: Progress = None) -> None:
    """Write a part to one file: .vti for uniform grids, .vtr for any. Holds the part in memory.

    Values are cell or point data, like the field's samples. Vectors of two components get a third,
    0, because ParaView expects three. The time is stored as `TimeValue`.
    Raises ConfigError if the format cannot represent the grid.
    """
    uniform = path.suffix.lower() == ".vti"
    _check(path, part.nodes, uniform)
    nz, ny, nx = part.grid
    values = part.read((slice(0, nz), slice(0, ny), slice(0, nx)))
    grid = make_grid(part.nodes, uniform=uniform)
    add_values(grid, part.volume.association, part.volume.name, values)
    if part.time is not None:
        add_time(grid, part.time)
    save(path, grid)
    if progress:
        progress(values.size, values.size)


def write_pieces(path: Path, part: Part, progress: Progress = None) -> None:
    """Write one file per block to a folder named like `path`, then the index `path`.

    Only one block is in memory at a time. Raises as `write`. An existing folder is replaced if it
    contains nothing but piece files. If these are of the other kind, they belong to another index
    and stay: the new folder's name then ends in `_vti` or `_vtr`.
    """
    uniform = path.suffix.lower() == ".pvti"
    _check(path, part.nodes, uniform)
    suffix = path.suffix.lower().replace(".p", ".")
    folder = _folder(path, suffix)
    # The index is renamed after the folder, so that it never lists missing files.
    with atomic_file(path) as listing, atomic_folder(folder) as tmp:
        extents: dict[str, str] = {}
        boxes = list(part.pieces())
        sizes = (math.prod(axis.stop - axis.start for axis in box) for box in boxes)
        ends = list(accumulate(sizes))
        lines = 0 if part.volume.association == "vertex" else 1
        grid: Any = None
        for number, box in enumerate(boxes):
            spans = [(axis.start, axis.stop - 1 + lines) for axis in box[::-1]]
            grid = make_grid(part.nodes, spans, uniform=uniform)
            add_values(grid, part.volume.association, part.volume.name, part.read(box))
            if part.time is not None:
                add_time(grid, part.time)
            name = f"{number:05d}{suffix}"
            save(tmp / name, grid)
            extents[f"{folder.name}/{name}"] = _extent(spans)
            if progress:
                progress(ends[number], ends[-1])
        index = _index(grid, part.nodes, extents, uniform)
        if part.time is not None:
            index[0].insert(0, time_element(part.time))
        ET.ElementTree(index).write(listing, xml_declaration=True, encoding="UTF-8")


def is_uniform(nodes: Nodes) -> bool:
    """Whether the grid lines are evenly spaced along every axis, but for their rounding."""
    return all(_is_even(lines) for lines in nodes if lines.size > 1)


def _is_even(lines: Array) -> bool:
    width = (lines[-1] - lines[0]) / (lines.size - 1)
    rounding = 4 * np.finfo(np.float64).eps * np.abs(lines).max()
    return bool(np.allclose(np.diff(lines), width, rtol=_EVEN, atol=rounding))


def make_grid(nodes: Nodes, spans: Any = None, *, uniform: bool) -> Any:
    """A vtkImageData or vtkRectilinearGrid with the given grid lines x, y, z.

    spans: first and last line along x, y, z, as indices into `nodes`; default: all.
    """
    model = library("vtkmodules.vtkCommonDataModel", "vtk")
    support = library("vtkmodules.util.numpy_support", "vtk")
    spans = [(0, lines.size - 1) for lines in nodes] if spans is None else spans
    if uniform:
        grid = model.vtkImageData()
        grid.SetOrigin(*(float(lines[0]) for lines in nodes))
        grid.SetSpacing(*(float(a[-1] - a[0]) / (a.size - 1) if a.size > 1 else 1.0 for a in nodes))
    else:
        grid = model.vtkRectilinearGrid()
    grid.SetExtent(*(end for span in spans for end in span))
    if not uniform:
        for letter, lines, (low, high) in zip("XYZ", nodes, spans, strict=True):
            array = support.numpy_to_vtk(np.ascontiguousarray(lines[low : high + 1]), deep=True)
            getattr(grid, f"Set{letter}Coordinates")(array)
    return grid


def add_values(grid: Any, association: Association, name: str, values: Array) -> None:
    """Add samples (nz, ny, nx[, n_components]) to a grid as cell or point data."""
    support = library("vtkmodules.util.numpy_support", "vtk")
    flat: Array = values.reshape(-1, *values.shape[3:])
    if flat.ndim == 2 and flat.shape[1] == 2:
        flat = np.pad(flat, ((0, 0), (0, 1)))
    array = support.numpy_to_vtk(np.ascontiguousarray(flat), deep=True)
    array.SetName(name)
    data = grid.GetPointData() if association == "vertex" else grid.GetCellData()
    data.AddArray(array)
    if flat.ndim == 1:
        data.SetActiveScalars(name)
    elif flat.shape[1] == 3:
        data.SetActiveVectors(name)


def add_time(grid: Any, time: float) -> None:
    """Add the time to a grid as `TimeValue`."""
    support = library("vtkmodules.util.numpy_support", "vtk")
    array = support.numpy_to_vtk(np.array([time], np.float64), deep=True)
    array.SetName("TimeValue")
    grid.GetFieldData().AddArray(array)


def save(path: Path, grid: Any) -> None:
    """Write a grid atomically. Raises OSError if VTK fails to write it."""
    io = library("vtkmodules.vtkIOXML", "vtk")
    uniform = grid.IsA("vtkImageData")
    writer = io.vtkXMLImageDataWriter() if uniform else io.vtkXMLRectilinearGridWriter()
    writer.SetInputData(grid)
    with atomic_file(path) as tmp:
        writer.SetFileName(str(tmp))
        if not writer.Write() or writer.GetErrorCode():
            core = library("vtkmodules.vtkCommonMisc", "vtk")
            reason = core.vtkErrorCode.GetStringFromErrorCode(writer.GetErrorCode())
            raise OSError(f"{path}: VTK could not write the file: {reason}")


def _folder(path: Path, suffix: str) -> Path:
    """Where the pieces of `path` go. Raises ConfigError if something else is there."""
    folder = path.with_suffix("")
    if _suffixes(folder) == {".vti", ".vtr"} - {suffix}:
        folder = path.with_name(f"{path.stem}_{suffix[1:]}")
    if folder.exists() and not (folder.is_dir() and _suffixes(folder) <= {suffix}):
        raise ConfigError([f"{folder}: already exists and is not a folder of {suffix} files"])
    return folder


def _suffixes(folder: Path) -> set[str]:
    """Those of what is in a folder."""
    return {file.suffix for file in folder.iterdir()} if folder.is_dir() else set()


def _index(grid: Any, nodes: Nodes, extents: Mapping[str, str], uniform: bool) -> ET.Element:
    """The XML of a .pvti or .pvtr: the arrays of the pieces (`grid` is one), and their files.

    VTK's own parallel writers are not used: they split grids evenly, not at block boundaries.
    """
    kind = "PImageData" if uniform else "PRectilinearGrid"
    root = ET.Element("VTKFile", type=kind, version="0.1", byte_order="LittleEndian")
    spans = [(0, lines.size - 1) for lines in nodes]
    whole = ET.SubElement(root, kind, WholeExtent=_extent(spans), GhostLevel="0")
    if uniform:
        whole.set("Origin", " ".join(map(repr, grid.GetOrigin())))
        whole.set("Spacing", " ".join(map(repr, grid.GetSpacing())))
    for tag, data in (("PPointData", grid.GetPointData()), ("PCellData", grid.GetCellData())):
        section = ET.SubElement(whole, tag)
        for kind, active in (("Scalars", data.GetScalars()), ("Vectors", data.GetVectors())):
            if active is not None:
                section.set(kind, active.GetName())
        for i in range(data.GetNumberOfArrays()):
            _describe(section, data.GetArray(i))
    if not uniform:
        section = ET.SubElement(whole, "PCoordinates")
        for letter in "XYZ":
            _describe(section, getattr(grid, f"Get{letter}Coordinates")())
    for source, extent in extents.items():
        ET.SubElement(whole, "Piece", Extent=extent, Source=source)
    ET.indent(root)
    return root


def _describe(section: ET.Element, array: Any) -> None:
    attributes = {"type": f"Float{8 * array.GetDataTypeSize()}"}
    if array.GetName():
        attributes["Name"] = array.GetName()
    attributes["NumberOfComponents"] = str(array.GetNumberOfComponents())
    ET.SubElement(section, "PDataArray", attributes)


def _extent(spans: Any) -> str:
    return " ".join(str(end) for span in spans for end in span)


def _check(path: Path, nodes: Nodes, uniform: bool) -> None:
    if uniform and not is_uniform(nodes):
        other = path.suffix.replace("vti", "vtr")
        raise ConfigError([f"{path}: the grid is not evenly spaced; write {other} instead"])
