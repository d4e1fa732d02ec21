"""Lines in VTK's XML files, for ParaView (extra `vtk`).

In: each rank's lines. Out: one .vtp of whole lines, or a .vtp per rank and a .pvtp that lists them.
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from insitu.extract.pieces import gather_lines
from insitu.geometry import Lines
from insitu.parallel import together

if TYPE_CHECKING:
    from mpi4py import MPI

SUFFIXES = (".vtp", ".pvtp")


def write_lines(comm: MPI.Comm, path: Path, lines: Lines) -> Path:
    """Write lines as `pathlines` gives them. Collective. Returns the path.

    path: .vtp: rank 0 gathers them and writes whole lines, in the order of time. .pvtp: each rank
    writes its pieces into a folder of that name, as they are, and rank 0 the list of them.
    Points have time, speed, line and step; lines of one point become vertices.

    Raises RemoteError on every rank: another suffix, no `vtk`, a file that cannot be written.
    """
    path = Path(path)
    with together(comm, f"write {path}"):
        if path.suffix not in SUFFIXES:
            raise ValueError(f"{path}: lines are written as {' or '.join(SUFFIXES)}")
        _vtk("vtkIOXML")
        if comm.rank == 0:
            folder = path.parent if path.suffix == ".vtp" else path.with_suffix("")
            folder.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".vtp":
        whole = gather_lines(comm, lines)
        with together(comm, f"write {path}"):
            if whole is not None:
                _write(path, whole)
        return path
    with together(comm, f"write {path}"):
        _write(path.with_suffix("") / _piece(comm.rank), lines)
    with together(comm, f"write {path}"):
        if comm.rank == 0:
            for old in path.with_suffix("").glob("*.vtp"):  # of a run with more ranks
                if old.name not in {_piece(rank) for rank in range(comm.size)}:
                    old.unlink()
            aside = path.with_name(f".{path.name}.{os.getpid()}.part")
            tree = ET.ElementTree(_index(path, lines, comm.size))
            tree.write(aside, xml_declaration=True, encoding="UTF-8")
            os.replace(aside, path)
    return path


def _piece(rank: int) -> str:
    return f"{rank:05d}.vtp"


def _vtk(module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(f"vtkmodules.{module}")
    except ImportError:
        raise ImportError("VTP files need VTK: pip install 'insitu-inr[vtk]'") from None


def _write(path: Path, lines: Lines) -> None:
    """Aside, then renamed. OSError where VTK could not."""
    support = _vtk("util.numpy_support")
    core, model, io = _vtk("vtkCommonCore"), _vtk("vtkCommonDataModel"), _vtk("vtkIOXML")
    poly = model.vtkPolyData()
    points = core.vtkPoints()
    points.SetData(support.numpy_to_vtk(np.ascontiguousarray(lines.points, np.float64), deep=True))
    poly.SetPoints(points)
    lengths = np.diff(lines.offsets)
    starts = lines.offsets[:-1]
    for single, put in ((True, poly.SetVerts), (False, poly.SetLines)):
        rows = np.flatnonzero((lengths == 1) == single)
        offsets = np.concatenate([[0], np.cumsum(lengths[rows])])
        shift = np.repeat(starts[rows] - offsets[:-1], lengths[rows])
        cells = model.vtkCellArray()
        cells.SetData(
            support.numpy_to_vtkIdTypeArray(offsets.astype(np.int64), deep=True),
            support.numpy_to_vtkIdTypeArray(
                (np.arange(offsets[-1]) + shift).astype(np.int64), deep=True
            ),
        )
        put(cells)
    for name, values in lines.values.items():
        array = support.numpy_to_vtk(np.ascontiguousarray(values, np.float64), deep=True)
        array.SetName(name)
        poly.GetPointData().AddArray(array)
    poly.GetPointData().SetActiveScalars("time")
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    writer = io.vtkXMLPolyDataWriter()
    writer.SetFileName(str(aside))
    writer.SetInputData(poly)
    try:
        if not writer.Write() or writer.GetErrorCode():
            raise OSError(f"{path}: VTK could not write it")
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _index(path: Path, lines: Lines, n_pieces: int) -> ET.Element:
    """The XML of a .pvtp: VTK's own writer would need all pieces in one process."""
    root = ET.Element("VTKFile", type="PPolyData", version="0.1", byte_order="LittleEndian")
    whole = ET.SubElement(root, "PPolyData", GhostLevel="0")
    values = ET.SubElement(whole, "PPointData", Scalars="time")
    for name in lines.values:
        ET.SubElement(values, "PDataArray", type="Float64", Name=name, NumberOfComponents="1")
    points = ET.SubElement(whole, "PPoints")
    ET.SubElement(points, "PDataArray", type="Float64", NumberOfComponents="3")
    for rank in range(n_pieces):
        ET.SubElement(whole, "Piece", Source=f"{path.stem}/{_piece(rank)}")
    ET.indent(root)
    return root
