"""Surfaces and lines as VTK XML files (.vtp), and the index of several (.pvtp), without VTK.

In: geometry. Out: the bytes of a file.

Format: "XML File Formats", VTK documentation. Arrays are appended raw, each preceded by its
number of bytes.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from insitu.core.arrays import Array
from insitu.core.geometry import Lines, Surface
from insitu.io.vtk_time import time_element

Kind: TypeAlias = tuple[str, str, int]
"""A point array: its name, VTK's name for its type, number of components."""

NORMALS = "Normals"
"""VTK's name for the array of normals."""


def vtp(geometry: Surface | Lines, time: float | None = None) -> bytes:
    """The .vtp file: points, triangles or lines, values and normals at the points, and the time.

    Vectors of two components get a third, 0, because ParaView expects three.
    """
    if isinstance(geometry, Surface):
        cells, corners = "Polys", geometry.triangles.reshape(-1)
        ends: Array = 3 * np.arange(1, len(geometry.triangles) + 1)
    else:
        cells, corners = "Lines", np.arange(len(geometry.points))
        ends = geometry.offsets[1:]
    piece = ET.Element("Piece", NumberOfPoints=str(len(geometry.points)))
    for kind in ("Verts", "Lines", "Strips", "Polys"):
        piece.set(f"NumberOf{kind}", str(len(ends) if kind == cells else 0))
    data = _Appended()
    values = _point_data(piece, "PointData", geometry)
    for name, array in _arrays(geometry):
        data.add(values, name, array)
    data.add(ET.SubElement(piece, "Points"), "Points", geometry.points)
    section = ET.SubElement(piece, cells)
    data.add(section, "connectivity", corners.astype(np.int64))
    data.add(section, "offsets", ends.astype(np.int64))
    root = _root("PolyData")
    whole = ET.SubElement(root, "PolyData")
    if time is not None:
        whole.append(time_element(time))
    whole.append(piece)
    ET.SubElement(root, "AppendedData", encoding="raw").text = "_"
    text = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    begin, end = text.rsplit(b"_", 1)  # only two closing tags follow
    return b"".join([begin, b"_", *data.blocks, end])


def kinds(geometry: Surface | Lines) -> list[Kind]:
    """The arrays at the points that `vtp` writes."""
    return [(name, *_type(array)) for name, array in _arrays(geometry)]


def pvtp(geometry: Surface | Lines, sources: Sequence[str], time: float | None = None) -> bytes:
    """The .pvtp index of files with the same arrays as `geometry`; `sources` are relative paths."""
    root = _root("PPolyData")
    whole = ET.SubElement(root, "PPolyData", GhostLevel="0")
    if time is not None:
        whole.append(time_element(time))
    values = _point_data(whole, "PPointData", geometry)
    for name, array in _arrays(geometry):
        _describe(values, "PDataArray", name, array)
    _describe(ET.SubElement(whole, "PPoints"), "PDataArray", "Points", geometry.points)
    for source in sources:
        ET.SubElement(whole, "Piece", Source=source)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


class _Appended:
    """The binary arrays that follow the XML, and their offsets."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self._offset = 0

    def add(self, section: ET.Element, name: str, array: Array) -> None:
        entry = _describe(section, "DataArray", name, array)
        entry.set("format", "appended")
        entry.set("offset", str(self._offset))
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        self.blocks += [np.array(array.nbytes, "<u8").tobytes(), array.tobytes()]
        self._offset += 8 + array.nbytes


def _root(kind: str) -> ET.Element:
    return ET.Element(
        "VTKFile", type=kind, version="1.0", byte_order="LittleEndian", header_type="UInt64"
    )


def _point_data(parent: ET.Element, tag: str, geometry: Surface | Lines) -> ET.Element:
    """The section for point arrays; its attributes name the active (first shown) arrays."""
    section = ET.SubElement(parent, tag)
    for name, array in geometry.values.items():
        if array.ndim == 1:
            section.set("Scalars", name)
            break
    if isinstance(geometry, Surface) and geometry.normals is not None:
        section.set("Normals", NORMALS)
    return section


def _arrays(geometry: Surface | Lines) -> Iterable[tuple[str, Array]]:
    for name, array in geometry.values.items():
        two = array.ndim == 2 and array.shape[1] == 2
        yield name, np.pad(array, ((0, 0), (0, 1))) if two else array
    if isinstance(geometry, Surface) and geometry.normals is not None:
        yield NORMALS, geometry.normals


def _describe(section: ET.Element, tag: str, name: str, array: Array) -> ET.Element:
    kind, components = _type(array)
    return ET.SubElement(section, tag, type=kind, Name=name, NumberOfComponents=str(components))


def _type(array: Array) -> tuple[str, int]:
    """VTK's name for the dtype, and the number of components."""
    letter = {"f": "Float", "i": "Int", "u": "UInt"}[array.dtype.kind]
    return f"{letter}{8 * array.itemsize}", array.shape[1] if array.ndim == 2 else 1
