"""Seed points: along a line, in a box, on a surface.

In: a shape, the number of seeds. Out: points (n, 3), world x y z, the same on every rank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from insitu.core.arrays import Floats
from insitu.core.geometry import Surface
from insitu.core.parallel import together

if TYPE_CHECKING:
    from mpi4py import MPI


def line_seeds(start: ArrayLike, end: ArrayLike, n: int) -> Floats:
    """n evenly spaced points from start to end, both included; n = 1: the middle. Not
    collective."""
    a, b = _corner("start", start), _corner("end", end)
    part = np.linspace(0, 1, n) if _count(n) > 1 else np.array([0.5])
    return np.asarray(a + part[:, None] * (b - a))


def grid_seeds(low: ArrayLike, high: ArrayLike, counts: tuple[int, int, int]) -> Floats:
    """A regular grid in a box, with counts along x, y, z; x is fastest. Not collective.

    Corners are included; along an axis with one point, it is in the middle.
    """
    a, b = _corner("low", low), _corner("high", high)
    x, y, z = (
        np.linspace(a[i], b[i], n) if _count(n) > 1 else np.array([(a[i] + b[i]) / 2])
        for i, n in enumerate(counts)
    )
    grid = np.stack(np.meshgrid(z, y, x, indexing="ij")[::-1], axis=-1)
    return np.asarray(grid.reshape(-1, 3))


def box_seeds(low: ArrayLike, high: ArrayLike, n: int, seed: int = 0) -> Floats:
    """n uniformly distributed random points in a box, reproducible by the seed. Not collective."""
    a, b = _corner("low", low), _corner("high", high)
    return np.asarray(a + np.random.default_rng(seed).random((_count(n), 3)) * (b - a))


def surface_seeds(comm: MPI.Comm, surface: Surface, n: int, seed: int = 0) -> Floats:
    """n random points on a surface, uniformly distributed over its area. Collective.

    surface: this rank's piece. The points are the same on every rank. Up to rounding they depend on
    the triangles and their order only, not on how these are distributed. Raises RemoteError on
    every rank if the whole surface has no area.
    """
    corners, areas = np.empty((0, 3, 3)), np.empty(0)
    with together(comm, "seeds on a surface"):
        _count(n)
        corners = surface.points[surface.triangles].astype(np.float64)
        sides = corners[:, 1:] - corners[:, :1]
        areas = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1) / 2
    totals = np.concatenate([[0.0], np.cumsum(comm.allgather(float(areas.sum())))])
    mine = np.empty((0, 3))
    with together(comm, "seeds on a surface"):
        if not totals[-1] > 0:
            raise ValueError("surface: all triangles have zero area; seeds need an area")
        # One point in each of n equal parts of the area, in the order of the triangles.
        shift, u, v = np.random.default_rng(seed).random((3, n))
        wanted = (np.arange(n) + shift) / n * totals[-1]
        low, high = totals[comm.rank : comm.rank + 2]
        own = (wanted >= low) & (wanted < high)
        triangle = np.searchsorted(np.cumsum(areas), wanted[own] - low, side="right")
        a, b, c = np.moveaxis(corners[np.minimum(triangle, len(areas) - 1)], 1, 0)
        # Uniform in a triangle: Osada et al. 2002, section 4.2.
        root, v = np.sqrt(u[own])[:, None], v[own][:, None]
        mine = (1 - root) * a + root * (1 - v) * b + root * v * c
    return np.concatenate(comm.allgather(mine))


def _corner(name: str, point: ArrayLike) -> Floats:
    corner = np.asarray(point, np.float64)
    if corner.shape != (3,) or not np.isfinite(corner).all():
        raise ValueError(f"{name}: {point!r} is not a point x, y, z")
    return corner


def _count(n: int) -> int:
    if n < 1:
        raise ValueError(f"seeds: {n}; expected at least 1")
    return n
