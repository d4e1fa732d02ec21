"""Points without connectivity, as cells: a cube around each, which overlaps its neighbours.

In: the points of a `points` topology. Out: `Cells`. A place lies in the cube whose middle is
nearest in units of its size, so that resampling takes the nearest point's value; a place in none of
them is far from all points, and outside of the domain.
"""

from __future__ import annotations

import numpy as np

from insitu.core.arrays import Array

REACH = 1.25
"""Half the side of a cube, in distances of neighbouring points: random points leave few gaps."""
_LEVELS = 10  # halvings of the bins' sides
_FEWEST = 4  # points of a bin that tell their distance

_CORNERS = np.array(
    [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]]
)


def spacing(points: Array) -> Array:
    """About the distance of each point (n, 3) to its neighbours (n,): from the number of points in
    its bin of the finest grid in which that has at least four. Not collective."""
    if not len(points):
        return np.empty(0)
    low = points.min(axis=0)
    extent = np.ptp(points, axis=0)
    side = float(extent.max()) or 1.0
    # Of points in a plane or on a line, the missing extents are those of a bin.
    found = np.full(len(points), side)
    active = np.arange(len(points))
    while len(active) and side > 2.0**-_LEVELS * float(extent.max()) * len(points) ** (-1 / 3):
        n = np.maximum(1, np.ceil(extent / side - 1e-9)).astype(np.int64)
        bins = np.minimum(((points[active] - low) / side).astype(np.int64), n - 1)
        flat = (bins[:, 2] * n[1] + bins[:, 1]) * n[0] + bins[:, 0]
        _, of_point, counts = np.unique(flat, return_inverse=True, return_counts=True)
        count = counts[of_point]
        enough = count >= _FEWEST
        active, count = active[enough], count[enough]
        sides = np.minimum(extent, side)
        dimensions = max(1, int((sides > 1e-6 * side).sum()))
        volume = np.prod(sides[sides > 1e-6 * side]) if sides.any() else side**dimensions
        found[active] = (volume / count) ** (1 / dimensions)
        side /= 2
    return found


def cubes(points: Array) -> tuple[Array, Array]:
    """The corners of a cube around each point: coordinates (8 n, 3), and their indices (n, 8) in
    the order of a VTK hexahedron."""
    half = REACH * spacing(points)
    corners = points[:, None] + (2 * _CORNERS - 1) * half[:, None, None]
    return corners.reshape(-1, 3), np.arange(8 * len(points)).reshape(-1, 8)
