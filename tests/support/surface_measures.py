"""What surfaces are measured by: area, enclosed volume, open edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from insitu.core.geometry import Surface


def corners(surface: Surface) -> np.ndarray:
    return surface.points[surface.triangles]


def areas(surface: Surface) -> np.ndarray:
    a, b, c = corners(surface).transpose(1, 0, 2)
    return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)


def volume(surfaces: Sequence[Surface]) -> float:
    """Of what closed pieces enclose, by the divergence theorem."""
    total = 0.0
    for surface in surfaces:
        a, b, c = corners(surface).transpose(1, 0, 2)
        total += float(np.einsum("ni,ni->", a, np.cross(b, c)) / 6)
    return total


def open_edges(surfaces: Sequence[Surface], digits: int = 9) -> int:
    """Edges that are not passed as often one way as the other, points merged by rounding."""
    points = np.concatenate([s.points for s in surfaces])
    starts = np.cumsum([0, *(len(s.points) for s in surfaces[:-1])])
    triangles = np.concatenate([s.triangles + i for s, i in zip(surfaces, starts, strict=True)])
    _, merged = np.unique(np.round(points, digits) + 0.0, axis=0, return_inverse=True)
    triangles = merged.ravel()[triangles]
    a, b = np.concatenate([triangles[:, [i, (i + 1) % 3]] for i in range(3)]).T
    apart = a != b
    low, high = np.minimum(a, b)[apart], np.maximum(a, b)[apart]
    direction = np.where(a < b, 1, -1)[apart]
    keys, edges = np.unique(low * len(points) + high, return_inverse=True)
    return int(np.count_nonzero(np.bincount(edges.ravel(), direction, len(keys))))


def everyone(comm: Any, surface: Surface) -> list[Surface]:
    """The pieces of all ranks."""
    return comm.allgather(surface)
