"""Pathlines for the page: those in the VTK files that a run's relay extracts wrote.

In: .vtp and .pvtp files. Out: an entry of the catalogue (plain data), and bytes.

Points are rounded to 14 bits between their least and largest, values to 12, and sent as differences
from the point before; low bytes and high bytes are apart, through ZLIB.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.core.geometry import Lines
from insitu.io.vtp_lines import read_lines

OF_POINTS, OF_VALUES = 2**14 - 1, 2**12 - 1
"""The whole numbers that stand for the largest."""
_COUNT = "step"
"""Of a pathline's points: what the time says better."""
_MOST_POINTS = 2**21
"""Of a file; lines beyond are left out."""


@dataclass(frozen=True)
class PackedLines:
    """The lines of a file."""

    entry: dict[str, Any]
    data: bytes


def beside(record: Path) -> list[PackedLines]:
    """All files with lines in the folder of a record, by name; those of others are left out."""
    found = []
    for path in sorted(record.absolute().parent.glob("*.*vtp")):
        try:
            lines, time = read_lines(path)
        except (OSError, ValueError):  # of another program
            continue
        if lines.n_lines:
            found.append(pack(path.stem, lines, time))
    return found


def read(paths: Iterable[Path]) -> list[PackedLines]:
    """Chosen files. Raises OSError or ValueError where one has no lines of insitu's."""
    found = []
    for path in paths:
        lines, time = read_lines(path)
        if not lines.n_lines:
            raise ValueError(f"{path}: no lines")
        found.append(pack(path.stem, lines, time))
    return found


def pack(name: str, lines: Lines, time: float | None) -> PackedLines:
    """Lines of at least two points. Files of one group differ in the number at the name's end."""
    counts = np.diff(lines.offsets)
    kept = (counts > 1) & (lines.offsets[1:] <= _MOST_POINTS)
    chosen = np.repeat(kept, counts)
    first = np.zeros(int(counts[kept].sum()), bool)
    first[np.cumsum(counts[kept]) - counts[kept]] = True
    columns = {
        **{"xyz"[a]: lines.points[chosen, a] for a in range(3)},
        **{name: values[chosen] for name, values in lines.values.items() if name != _COUNT},
    }
    ends, planes = [], [counts[kept].astype("<u4").tobytes()]
    for i, values in enumerate(columns.values()):
        most = OF_POINTS if i < 3 else OF_VALUES
        low, high, differences = _rounded(np.asarray(values, np.float64), first, most)
        ends.append([low, high])
        planes += [(differences & 255).astype(np.uint8).tobytes()]
        planes += [(differences >> 8).astype(np.uint8).tobytes()]
    entry = {
        "name": name,
        "group": re.sub(r"[_.]?\d+$", "", name) or name,
        "time": time if time is not None and math.isfinite(time) else None,
        "lines": int(kept.sum()),
        "points": int(chosen.sum()),
        "columns": list(columns),
        "ends": ends,
        "most": [OF_POINTS, OF_VALUES],
    }
    return PackedLines(entry, zlib.compress(b"".join(planes), 9))


def _rounded(values: Floats, first: NDArray[np.bool_], most: int) -> tuple[float, float, Any]:
    """Least, largest, and differences from the point before, modulo 2^16."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    scaled = (values - low) * (most / ((high - low) or 1.0))
    numbers = np.nan_to_num(np.rint(scaled), nan=0.0, posinf=most, neginf=0.0).astype(np.int64)
    before = np.where(first, 0, np.concatenate([[0], numbers[:-1]]))
    return low, high, (numbers - before) & 0xFFFF
