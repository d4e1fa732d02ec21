"""Which Gaussians may reach which points: cell lists.

In: Gaussians, as rows of parameters; points. Out: pairs of a point and a Gaussian.
"""

from __future__ import annotations

import numpy as np

from insitu.core.arrays import Floats, Indices

REACH = 8.0
"""|z|^2 from which on a weight is 0."""
SIZES = (-16.0, 4.0)
"""Logarithms of sizes are cut off here."""
_MOST_ENTRIES = 64  # of the lists, per Gaussian


def half_widths(rows: Floats) -> Floats:
    """Half the box around the ellipsoid that each Gaussian reaches, (3, n): the root of REACH times
    the diagonal of its covariance, K^-1 diag(exp(2 s)) K^-T."""
    variance = np.exp(2 * np.clip(rows[3:6], *SIZES).astype(np.float64))
    xy, xz, yz = rows[6:9].astype(np.float64)
    diagonal = np.stack(
        [
            variance[0] + xy**2 * variance[1] + (xy * yz - xz) ** 2 * variance[2],
            variance[1] + yz**2 * variance[2],
            variance[2],
        ]
    )
    return np.asarray(np.sqrt(REACH * diagonal))


def pairs(rows: Floats, points: Floats) -> tuple[Indices, Indices]:
    """Indices of points (m,), in increasing order, and of the Gaussians whose boxes contain them
    (m,). rows (n_rows, n), points (k, 3)."""
    none = np.empty(0, np.int64)
    if not len(points):
        return none, none
    low, high = points.min(axis=0), points.max(axis=0)
    half = half_widths(rows)
    begin, end = rows[:3] - half, rows[:3] + half  # (3, n)
    meets = (begin <= high[:, None]).all(axis=0) & (end >= low[:, None]).all(axis=0)
    there = np.flatnonzero(meets)
    if not len(there):
        return none, none
    begin, end = begin[:, there], end[:, there]
    cells = max(1, round(len(there) ** (1 / 3)))
    extent = np.maximum(high - low, 1e-30)[:, None]
    while True:
        first, last = (
            np.clip((cells * (at - low[:, None]) / extent), 0, cells - 1).astype(np.int64)
            for at in (begin, end)
        )
        spans = last - first + 1
        counts = spans.prod(axis=0)
        if cells == 1 or counts.sum() <= _MOST_ENTRIES * len(there):
            break
        cells = cells // 2
    owner = np.repeat(np.arange(len(there)), counts)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    x, y = within % spans[0, owner], within // spans[0, owner] % spans[1, owner]
    z = within // (spans[0, owner] * spans[1, owner])
    x, y, z = (part + first[axis, owner] for axis, part in enumerate((x, y, z)))
    cell = x + cells * (y + cells * z)
    order = np.argsort(cell, kind="stable")
    owner, starts = owner[order], np.searchsorted(cell[order], np.arange(cells**3 + 1))
    at = np.clip((cells * (points - low) / extent[:, 0]), 0, cells - 1).astype(np.int64)
    of_point = at[:, 0] + cells * (at[:, 1] + cells * at[:, 2])
    counts = starts[of_point + 1] - starts[of_point]
    point = np.repeat(np.arange(len(points)), counts)
    within = np.arange(len(point)) - np.repeat(np.cumsum(counts) - counts, counts)
    found = owner[starts[of_point[point]] + within]
    here = points.T[:, point]
    inside = ((here >= begin[:, found]) & (here <= end[:, found])).all(axis=0)
    return point[inside], there[found[inside]]
