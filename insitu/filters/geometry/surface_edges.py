"""The edges of a surface as lines: what a mesh plot draws.

In: a triangle surface. Out: each edge once, as a line of two points with the surface's values.
"""

from __future__ import annotations

import numpy as np

from insitu.core.geometry import Lines, Surface


def edges(surface: Surface, *, along_axes: bool = False) -> Lines:
    """Each edge of the triangles once. Not collective.

    along_axes: only those along x, y or z: of the faces of grid cells, without their diagonals.
    """
    corners = surface.triangles
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    if along_axes:
        apart = surface.points[pairs[:, 0]] != surface.points[pairs[:, 1]]
        pairs = pairs[apart.sum(axis=1) <= 1]
    ends = pairs.ravel()
    return Lines(
        points=surface.points[ends],
        offsets=2 * np.arange(len(pairs) + 1),
        values={name: values[ends] for name, values in surface.values.items()},
    )
