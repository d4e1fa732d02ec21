"""Where Gaussians begin: at the points, more of them where the values bend.

In: points, their values. Out: parameters to train from, and how fast each of them may change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from insitu.core.arrays import Floats, Indices

if TYPE_CHECKING:
    from insitu.models.base import Params
    from insitu.models.gaussians.model import Gaussians

OVERLAP = 0.6
"""Standard deviation of a Gaussian over the distance to its neighbours: about 20 reach a point."""
_SAMPLE = 12  # points that a linear function is fitted to, to see how far it misses
# Points of a piecewise linear function in d dimensions are best spread in proportion to
# (density * curvature^2)^(d / (d + 4)); with the error e ~ curvature * distance^2 of a linear fit
# to neighbours, that is e^(6/7) for each point, whatever their distances.
_POWER = 6 / 7
_LEAST = 0.15  # share of the Gaussians that is spread evenly over the points
_STRETCH = 3.0  # most of a cell's extent over the geometric mean of all three
_RIDGE = 0.1  # weight of small slopes in the fits, in points
_OUTPUT_RATE = 0.3  # learning rate of values and slopes over that of shapes
_FEW = 32  # cells with fewer points keep their faces, others shrink to their points


class _Cells(NamedTuple):
    """A partition of the points."""

    of_point: Indices
    """(n,)"""
    extent: Floats
    """(n_cells, 3)"""


class _Fits(NamedTuple):
    """The linear function of each cell, and what it misses."""

    centre: Floats
    """(n_cells, 3)"""
    value: Floats
    """(n_cells, c), at the centre."""
    slope: Floats
    """(n_cells, c, 3)"""
    error: Floats
    """(n,), of each point: the norm over components."""


def place(model: Gaussians, points: Floats, targets: Floats) -> Params:
    """Parameters (n_params,) for values `targets` (n, n_outputs) at points (n, 3): as many cells of
    a k-d tree as Gaussians, each with the same share of the points' importance; the Gaussian lies
    at the mean of its points, its size is that of the cell, and its function the linear one that
    fits best. The same points always give the same result.
    """
    params = np.zeros(model.n_params, np.float32)
    rows = model.rows(params)
    at, values = points.astype(np.float64), targets.astype(np.float64)
    count = min(model.n_gaussians, len(at))
    coarse = _cells(at, np.ones(len(at)), max(1, min(count, len(at) // _SAMPLE)))
    error = _fits(coarse, at, values).error
    importance = error**_POWER
    mean = importance.mean()
    importance = importance / mean + _LEAST if mean > 0 else np.ones(len(at))
    cells = _cells(at, importance, count)
    fits = _fits(cells, at, values)
    middle = np.exp(np.log(cells.extent).mean(axis=1, keepdims=True))
    sizes = OVERLAP * np.clip(cells.extent, middle / _STRETCH, middle * _STRETCH)
    rows[:3, :count] = fits.centre.T
    rows[3:6, :count] = np.log(sizes).T
    outputs = rows[9:].reshape(model.n_outputs, model.n_terms, -1)
    outputs[:, 0, :count] = fits.value.T
    if model.degree:
        outputs[:, 1:, :count] = (fits.slope * sizes[:, None]).transpose(1, 2, 0)
    # Fewer points than Gaussians: the others repeat the first ones.
    rows[:, count:] = rows[:, np.arange(model.n_gaussians - count) % count]
    return params


def rates(model: Gaussians, params: Params) -> Params:
    """The learning rate of each parameter (n_params,) as a multiple of the trainer's: positions in
    units of the Gaussian's size; outputs by less than shapes, since they begin with a fit."""
    result = np.ones(model.n_params, np.float32)
    rows = model.rows(result)
    rows[:3] = np.exp(np.clip(model.rows(params)[3:6].mean(axis=0), -16, 0))
    rows[9:] = _OUTPUT_RATE
    return result


def _cells(points: Floats, weights: Floats, count: int) -> _Cells:
    """A k-d tree of `count` leaves with about the same sum of weights (n,), each with at least one
    point: level by level, along the longest side."""
    n = len(points)
    order, starts, wanted = np.arange(n), np.array([0]), np.array([count])
    low, high = points.min(axis=0)[None], points.max(axis=0)[None]
    while wanted.max() > 1:
        sizes = np.diff(np.append(starts, n))
        group = np.repeat(np.arange(len(starts)), sizes)
        here = points[order]
        many = (sizes >= _FEW)[:, None]
        low = np.where(many, np.minimum.reduceat(here, starts), low)
        high = np.where(many, np.maximum.reduceat(here, starts), high)
        axis = np.argmax(high - low, axis=1)
        cells = np.arange(len(starts))
        first, side = low[cells, axis], np.maximum((high - low)[cells, axis], 1e-30)
        key = (here[np.arange(n), axis[group]] - first[group]) / side[group]
        # Cells that are split no more keep their order.
        key = np.where(wanted[group] > 1, np.clip(key, 0, 1), 0)
        order = order[np.argsort(group + 0.999 * key, kind="stable")]
        here = points[order]
        sums = np.cumsum(weights[order])
        left = wanted // 2
        before = np.where(starts > 0, sums[starts - 1], 0)
        goal = before + (sums[starts + sizes - 1] - before) * left / wanted
        cut = np.searchsorted(sums, goal)
        cut = np.clip(cut, starts + left, starts + sizes - (wanted - left))
        split = wanted > 1
        at = np.where(split, cut, starts + 1) - 1
        along = np.minimum(at + 1, n - 1)
        plane = 0.5 * (here[at, axis] + here[along, axis])
        lower_high, upper_low = high.copy(), low.copy()
        lower_high[cells[split], axis[split]] = plane[split]
        upper_low[cells[split], axis[split]] = plane[split]
        keep = np.stack([np.ones_like(split), split], axis=1).ravel()
        starts = np.stack([starts, cut], axis=1).ravel()[keep]
        wanted = np.stack([np.where(split, left, 1), wanted - left], axis=1).ravel()[keep]
        low = np.stack([low, upper_low], axis=1).reshape(-1, 3)[keep]
        high = np.stack([lower_high, high], axis=1).reshape(-1, 3)[keep]
    of_point = np.empty(n, np.int64)
    of_point[order] = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, n)))
    extent = high - low
    least = 1e-3 * np.ptp(points, axis=0).max() * len(starts) ** (-1 / 3)
    return _Cells(of_point, np.maximum(extent, max(least, 1e-6)))


def _fits(cells: _Cells, points: Floats, values: Floats) -> _Fits:
    """Least squares in every cell, with slopes in units of the cell's extent held back a little."""
    group, n = cells.of_point, len(cells.extent)

    def sums(of: Floats) -> Floats:
        flat = of.reshape(len(of), -1)
        columns = [np.bincount(group, column, n) for column in flat.T]
        return np.stack(columns, axis=1).reshape(n, *of.shape[1:]).astype(np.float64)

    count = np.bincount(group, minlength=n).astype(np.float64)[:, None]
    centre, value = sums(points) / count, sums(values) / count
    offset = (points - centre[group]) / cells.extent[group]  # (n, 3)
    rest = values - value[group]
    matrix = sums(offset[:, :, None] * offset[:, None, :]) + _RIDGE * np.eye(3)
    right = sums(offset[:, :, None] * rest[:, None, :])  # (n_cells, 3, c)
    slope = np.linalg.solve(matrix, right)
    missed = rest - np.einsum("na,nac->nc", offset, slope[group])
    world = (slope / cells.extent[:, :, None]).transpose(0, 2, 1)
    return _Fits(centre, value, world, np.asarray(np.linalg.norm(missed, axis=1)))
