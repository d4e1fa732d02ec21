"""The equations of sums of Gaussians, in NumPy.

In: the architecture (`Gaussians`), parameters, points of the unit cube. Out: values, gradients,
sensitivity. All of them work on pairs of a point and a Gaussian that may reach it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from insitu.core.arrays import Floats, Indices
from insitu.models.gaussians.neighbours import REACH, SIZES, pairs

if TYPE_CHECKING:
    from insitu.models.gaussians.model import Gaussians

BACKGROUND = 1e-6
"""Weight of the value 0, which is what there is far from all Gaussians."""
_PIECE = 1 << 12  # points at once


class _Pairs(NamedTuple):
    """Points and the Gaussians that may reach them, m pairs."""

    point: Indices
    which: Indices
    offset: Floats
    """(3, m): x - m."""
    factor: Floats
    """(3, m): exp(-s)."""
    shear: Floats
    """(3, m): K01, K02, K12."""
    z: Floats
    """(3, m)"""
    cube: Floats
    """(m,): (1 - |z|^2 / 8)^3."""
    weight: Floats
    """(m,)"""
    terms: Floats
    """(n_outputs, m): v + g . z."""
    slopes: Floats
    """(n_outputs, 3, m): g; (n_outputs, 0, m) without."""
    total: Floats
    """(n,): sum of the weights and BACKGROUND, of each point."""
    outputs: Floats
    """(n, n_outputs)"""


def _pairs(model: Gaussians, params: Floats, points: Floats) -> _Pairs:
    rows = model.rows(params)
    point, which = pairs(rows, points)
    own = rows[:, which]
    x, y, z = offset = points.T[:, point].astype(params.dtype) - own[:3]
    factor, (xy, xz, yz) = np.exp(-np.clip(own[3:6], *SIZES)), own[6:9]
    local = factor * np.stack([x + xy * y + xz * z, y + yz * z, z])
    t = np.maximum(1 - np.square(local).sum(axis=0) / REACH, 0)
    coefficients = own[9:].reshape(model.n_outputs, model.n_terms, -1)
    slopes = coefficients[:, 1:]
    terms = coefficients[:, 0] + (slopes * local[: slopes.shape[1]]).sum(axis=1)
    weight, n = t**4, len(points)
    total = np.bincount(point, weight, n) + BACKGROUND
    sums = [np.bincount(point, weight * term, n) for term in terms]
    outputs = (np.stack(sums, axis=1) / total[:, None]).astype(params.dtype)
    return _Pairs(
        point, which, offset, factor, own[6:9], local, t**3, weight, terms, slopes, total, outputs
    )


def evaluate(model: Gaussians, params: Floats, points: Floats) -> Floats:
    """points (n, 3) -> outputs (n, n_outputs)."""
    pieces = [
        _pairs(model, params, points[begin : begin + _PIECE]).outputs
        for begin in range(0, len(points), _PIECE)
    ]
    return np.concatenate([np.empty((0, model.n_outputs), params.dtype), *pieces])


class _Derivatives(NamedTuple):
    """Derivatives of a loss by what one Gaussian has, for each pair."""

    rows: list[Floats]
    """Of `Gaussians.rows`, each (m,)."""
    by_point: Floats
    """(3, m): by x."""


def _derivatives(model: Gaussians, at: _Pairs, above: Floats) -> _Derivatives:
    """above: derivatives of the loss by the outputs (n, n_outputs)."""
    by_sum = (above / at.total[:, None]).T[:, at.point]  # (n_outputs, m)
    by_weight = (by_sum * (at.terms - at.outputs.T[:, at.point])).sum(axis=0)
    by_term = by_sum * at.weight
    # w = t^4 and t = 1 - |z|^2 / 8: dw / dz = -t^3 z.
    by_z = -at.cube * by_weight * at.z
    if model.degree:
        by_z = by_z + (by_term[:, None] * at.slopes).sum(axis=0)
    (fx, fy, fz), (xy, xz, yz) = at.factor * by_z, at.shear
    by_point = np.stack([fx, xy * fx + fy, xz * fx + yz * fy + fz])
    sizes = -by_z * at.z
    _, y, z = at.offset
    rows = [*-by_point, *sizes, fx * y, fx * z, fy * z]
    for term in by_term:
        rows.append(term)
        rows += [term * axis for axis in at.z[: model.n_terms - 1]]
    return _Derivatives(rows, by_point)


def backward(
    model: Gaussians, params: Floats, points: Floats, output_gradient: Floats
) -> tuple[Floats, Floats]:
    """Gradients for output_gradient (n, n_outputs): by params (n_params,), by points (n, 3)."""
    gradient = np.zeros_like(params)
    of_points = np.empty((len(points), 3), points.dtype)
    rows = model.rows(gradient)
    for begin in range(0, len(points), _PIECE):
        some = slice(begin, begin + _PIECE)
        at = _pairs(model, params, points[some])
        found = _derivatives(model, at, output_gradient[some])
        for row, values in zip(rows, found.rows, strict=True):
            row += np.bincount(at.which, values, model.n_gaussians).astype(row.dtype)
        for axis, values in enumerate(found.by_point):
            of_points[some, axis] = np.bincount(at.point, values, len(points[some]))
    _clear_cut(model.rows(params), rows)
    return gradient, of_points


def _clear_cut(rows: Floats, gradient: Floats) -> None:
    """No derivative by sizes that are cut off."""
    gradient[3:6][(rows[3:6] < SIZES[0]) | (rows[3:6] > SIZES[1])] = 0


def sensitivity(model: Gaussians, params: Floats, points: Floats, scale: Floats) -> Floats:
    """As `Model.sensitivity`, in one pass."""
    total = np.zeros(model.n_rows)
    at = _pairs(model, params, points)
    for output, unit in enumerate(scale):
        above = np.zeros((len(points), model.n_outputs))
        above[:, output] = unit
        rows = _derivatives(model, at, above).rows
        total += [np.square(row, dtype=np.float64).sum() for row in rows]
    return np.asarray(total / (len(points) * len(scale)), np.float32)
