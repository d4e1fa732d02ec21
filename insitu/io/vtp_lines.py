"""Reads lines from the VTK files that `insitu.io.vtp` writes, without VTK.

In: a .vtp file, or a .pvtp index. Out: lines with the values at their points, and the time.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from insitu.core.arrays import Array, Floats
from insitu.core.geometry import Lines

_APPENDED = re.compile(rb'<AppendedData encoding="raw">\s*_')
_TYPES = {"Float32": "<f4", "Float64": "<f8", "Int32": "<i4", "Int64": "<i8"}
_MOST_VALUES = 16


def read_lines(path: Path) -> tuple[Lines, float | None]:
    """All lines of a file, or of the files that an index names; there may be none. Vectors at the
    points are left out.

    Raises:
        OSError: where a file cannot be read.
        ValueError: where it is none that insitu writes, or damaged.
    """
    if path.suffix.lower() != ".pvtp":
        return _piece(path)
    try:
        root = ET.parse(path).getroot()
    except ET.ParseError as error:
        raise ValueError(f"{path}: {error}") from None
    names = [piece.get("Source", "") for piece in root.iter("Piece")]
    found = [_piece(path.parent / name)[0] for name in names]
    return _joined(found), _time(root)


def _piece(path: Path) -> tuple[Lines, float | None]:
    data = path.read_bytes()
    begin = _APPENDED.search(data)
    if begin is None:
        raise ValueError(f"{path}: no appended data as insitu writes them")
    try:
        head = data[: begin.end() - 1] + b"</AppendedData></VTKFile>"
        root = ET.fromstring(head)
    except ET.ParseError as error:
        raise ValueError(f"{path}: {error}") from None
    body = memoryview(data)[begin.end() :]
    places = {
        (section, entry.get("Name", "")): entry
        for section in ("Points", "Lines", "PointData")
        for entry in root.iterfind(f".//{section}/DataArray")
    }
    try:
        points = _array(body, places["Points", "Points"])
        if ("Lines", "offsets") not in places:  # a surface
            return Lines(np.zeros((0, 3)), np.zeros(1, np.int64)), _time(root)
        ends = _array(body, places["Lines", "offsets"])
        values = {
            name: _array(body, entry)
            for (section, name), entry in places.items()
            if section == "PointData" and entry.get("NumberOfComponents", "1") == "1"
        }
        kept = dict(list(values.items())[:_MOST_VALUES])
        offsets = np.concatenate([[0], ends]).astype(np.int64)
        if (np.diff(offsets) < 0).any():
            raise ValueError("lines that end before they begin")
        return Lines(points.reshape(-1, 3), offsets, kept), _time(root)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


def _array(body: memoryview, entry: ET.Element) -> Array:
    """Raises ValueError where the bytes are not there."""
    kind, at = _TYPES.get(entry.get("type", "")), int(entry.get("offset", "-1"))
    if kind is None or entry.get("format") != "appended" or not 0 <= at <= len(body) - 8:
        raise ValueError(f"array {entry.get('Name')}: not as insitu writes it")
    nbytes = int(np.frombuffer(body, "<u8", 1, at)[0])
    if nbytes > len(body) - at - 8:
        raise ValueError(f"array {entry.get('Name')}: {nbytes} bytes, of which not all are there")
    return np.frombuffer(body[at + 8 : at + 8 + nbytes], kind)


def _time(root: ET.Element) -> float | None:
    for entry in root.iterfind(".//FieldData/DataArray"):
        if entry.get("Name") == "TimeValue" and entry.text:
            return float(entry.text)
    return None


def _joined(parts: list[Lines]) -> Lines:
    parts = [part for part in parts if part.n_lines]
    if not parts:
        return Lines(np.zeros((0, 3)), np.zeros(1, np.int64))
    names = [name for name in parts[0].values if all(name in part.values for part in parts)]
    points: Floats = np.concatenate([part.points for part in parts])
    starts = np.cumsum([0, *(len(part.points) for part in parts)])
    offsets = [part.offsets[1:] + at for part, at in zip(parts, starts, strict=False)]
    values = {name: np.concatenate([part.values[name] for part in parts]) for name in names}
    return Lines(points, np.concatenate([[0], *offsets]), values)
