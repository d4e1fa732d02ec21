"""Pieces of a surface, with the values of the fields on them.

In: points and triangles in a block. Out: a `Surface` per rank.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from insitu.core.arrays import Floats, Indices, Integers, Mask
from insitu.core.geometry import Surface
from insitu.filters.geometry.decomposition import Partition, evaluate
from insitu.filters.geometry.tetrahedra import Cut


def placed(points: Floats, cut: Cut) -> tuple[Floats, Indices]:
    """Points (k, 3) and triangles (m, 3) of a cut through triangles or tetrahedra of these
    points."""
    ends, t, triangles = cut.welded()
    a, b = points[ends[:, 0]], points[ends[:, 1]]
    # A coordinate that is the same at both ends is preserved bit for bit.
    return a + t[:, None] * (b - a), triangles


def with_values(
    part: Partition, points: Floats, triangles: Indices, normals: Floats | None = None
) -> Surface:
    """A piece in a partition's box, with the partition's fields at its points."""
    values = {name: _flat(evaluate(block, points)) for name, block in part.items()}
    return Surface(points, triangles, values, normals)


def empty_surface(components: Mapping[str, int], *, normals: bool = False) -> Surface:
    """An empty surface with these fields, for a rank without a block."""
    values = {name: _flat(np.zeros((0, n))) for name, n in components.items()}
    none = np.zeros((0, 3))
    return Surface(none, none.astype(np.int64), values, none if normals else None)


def quads(shape: tuple[int, int], chosen: Mask | None = None) -> Indices:
    """Triangles (m, 3) of a grid of points (n, m), numbered row by row: two to a quadrilateral,
    along its diagonal from the first to the last corner, counterclockwise if rows and columns are
    a right-handed pair.

    chosen: (n - 1, m - 1), which quadrilaterals; None: all.
    """
    number = np.arange(shape[0] * shape[1], dtype=np.int64).reshape(shape)
    corners = number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]
    a, b, c, d = (corner.ravel() if chosen is None else corner[chosen] for corner in corners)
    return np.stack([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)], 1).reshape(-1, 3)


def used(points: Floats, triangles: Integers) -> tuple[Floats, Indices, Indices]:
    """The surface without unused points; and the numbers of the remaining points."""
    numbers, inverse = np.unique(triangles.astype(np.int64), return_inverse=True)
    return points[numbers], inverse.reshape(triangles.shape).astype(np.int64), numbers


def _flat(values: Floats) -> Floats:
    return values[:, 0] if values.shape[1] == 1 else values
