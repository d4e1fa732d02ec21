"""Geometry extracted from fields: triangle surfaces and polylines.

Every rank holds the piece that lies in its own blocks, so that images can be composited in the
order of blocks. Plain arrays, to be written, rendered or passed to a simulation's Ascent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats

Indices = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Surface:
    """A triangle surface; it may be empty. Immutable."""

    points: Floats
    """(n, 3), world x y z."""
    triangles: Indices
    """(m, 3), point indices, counterclockwise seen from the side to which the normals point."""
    values: Mapping[str, Floats] = field(default_factory=dict)
    """Values at the points, by field: (n,) or (n, n_components)."""
    normals: Floats | None = None
    """(n, 3), unit length."""

    def __post_init__(self) -> None:
        """Raises ValueError where the arrays do not fit together."""
        _check_points(self.points, self.values)
        if self.triangles.ndim != 2 or self.triangles.shape[1] != 3:
            raise ValueError(f"triangles: shape {self.triangles.shape}, expected (m, 3)")
        if self.normals is not None and self.normals.shape != self.points.shape:
            raise ValueError(
                f"normals: shape {self.normals.shape}, expected {self.points.shape}, as the points"
            )


@dataclass(frozen=True)
class Lines:
    """Polylines; there may be none. Immutable."""

    points: Floats
    """(n, 3), world x y z, one line after the other."""
    offsets: Indices
    """(n_lines + 1,): line i has the points offsets[i] to offsets[i + 1]."""
    values: Mapping[str, Floats] = field(default_factory=dict)
    """Values at the points, by name: (n,) or (n, n_components)."""

    def __post_init__(self) -> None:
        """Raises ValueError where the arrays do not fit together."""
        _check_points(self.points, self.values)
        ends = self.offsets[[0, -1]].tolist() if self.offsets.size else []
        if self.offsets.ndim != 1 or ends != [0, len(self.points)]:
            raise ValueError(f"offsets: expected 0 .. {len(self.points)}, found {ends}")

    @property
    def n_lines(self) -> int:
        return len(self.offsets) - 1


def _check_points(points: Floats, values: Mapping[str, Floats]) -> None:
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"points: shape {points.shape}, expected (n, 3)")
    for name, array in values.items():
        if len(array) != len(points):
            raise ValueError(f"values of {name}: {len(array)}, expected {len(points)}, as points")
