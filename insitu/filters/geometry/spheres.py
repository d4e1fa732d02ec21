"""Points as small spheres.

In: points with values. Out: a surface of triangles with the same values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats, Indices
from insitu.core.geometry import Lines, Surface
from insitu.core.parallel import together

if TYPE_CHECKING:
    from mpi4py import MPI

_FINE = 4000  # points: of more, spheres have fewer triangles


def spheres(
    comm: MPI.Comm, points: Lines, field: str, radius: float | None = None, delta: float = 0.0
) -> Surface:
    """Spheres around this rank's points. Collective: two reductions.

    radius: world; None: a quarter of the mean distance between all ranks' points. delta: the radius
    of a point is radius (1 + delta s), where s is -1 for the least and 1 for the greatest value of
    the field on all ranks, and at least 0.
    """
    from mpi4py import MPI

    places = np.asarray(points.points, np.float64)
    ends = np.full(8, -np.inf)  # upper corner, negated lower corner, greatest and negated least
    values: Floats = np.empty(0)
    with together(comm, "spheres"):
        values = points.values[field]
        values = np.linalg.norm(values, axis=1) if values.ndim == 2 else values
        for start, array in ((0, places), (6, values[np.isfinite(values)][:, None])):
            if len(array):
                width = array.shape[1]
                ends[start : start + width] = array.max(axis=0)
                ends[start + width : start + 2 * width] = -array.min(axis=0)
    all_ends = np.empty_like(ends)
    comm.Allreduce(ends, all_ends, op=MPI.MAX)
    count = int(comm.allreduce(len(places)))
    found = None
    with together(comm, "spheres"):
        if radius is None:
            sides = np.maximum(all_ends[:3] + all_ends[3:6], 0)
            radius = 0.25 * float(sides.max() or 1.0) / max(count, 1) ** (1 / 3) if count else 1.0
        high, low = all_ends[6], -all_ends[7]
        share = np.zeros(len(places))
        if high > low:
            share = np.nan_to_num((2 * values - high - low) / (high - low))
        directions, triangles = _unit_sphere(count <= _FINE)
        radii = np.maximum(radius * (1 + delta * share), 0)
        corners = places[:, None] + radii[:, None, None] * directions
        starts = len(directions) * np.arange(len(places))
        found = Surface(
            corners.reshape(-1, 3),
            (triangles + starts[:, None, None]).reshape(-1, 3),
            {n: np.repeat(v, len(directions), axis=0) for n, v in points.values.items()},
            np.tile(directions, (len(places), 1)),
        )
    assert found is not None
    return found


def _unit_sphere(fine: bool) -> tuple[Floats, Indices]:
    """Points (n, 3) and triangles (m, 3) of an icosahedron; fine: each triangle as four."""
    golden = (1 + np.sqrt(5)) / 2
    flat = np.array([(0, a, b * golden) for a in (-1, 1) for b in (-1, 1)])
    points = np.concatenate([np.roll(flat, turn, axis=1) for turn in range(3)])
    points /= np.linalg.norm(points[0])
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    near = apart < 1.1 * apart[apart > 0].min()
    triangles = [
        (i, j, k)
        for i in range(12)
        for j in range(i + 1, 12)
        for k in range(j + 1, 12)
        if near[i, j] and near[j, k] and near[i, k]
    ]
    found = np.array([_outward(points, t) for t in triangles])
    if not fine:
        return points, found
    corners = points[found]  # (20, 3, 3)
    middles = 0.5 * (corners + np.roll(corners, -1, axis=1))
    a, b, c = corners.transpose(1, 0, 2)
    ab, bc, ca = middles.transpose(1, 0, 2)
    pieces = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], axis=1).reshape(-1, 3)
    pieces /= np.linalg.norm(pieces, axis=1, keepdims=True)
    return pieces, np.arange(len(pieces)).reshape(-1, 3)


def _outward(points: Floats, triangle: tuple[int, int, int]) -> tuple[int, int, int]:
    a, b, c = points[list(triangle)]
    i, j, k = triangle
    return (i, j, k) if np.dot(np.cross(b - a, c - a), a) > 0 else (i, k, j)
