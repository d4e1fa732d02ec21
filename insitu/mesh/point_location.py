"""Point location: the cell that contains each grid point, and the position in that cell.

In: cells with eight corners, the coordinates of a grid's lines. Out: for each grid point in a cell,
the cell and the weights of its corners in the cell's own (trilinear) interpolation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from insitu.core.arrays import Array
from insitu.mesh.cells import Cells

# Tolerance, in cell coordinates, up to which a point outside a cell counts as inside: for
# single-precision coordinates and for points on the faces of the domain.
TOLERANCE = 1e-5
# Pairs of cells and points that are tested at once: about 200 MB.
_PAIRS = 2**18
# Tolerance of Newton's method, as a fraction of a cell's size, and the maximum number of steps: at
# collapsed corners each step only halves the distance.
_NEWTON_STEPS = 40
_CONVERGED = 1e-9

# The coordinates r, s, t of a hexahedron's corners, 0 or 1.
_R = np.array([0, 1, 1, 0, 0, 1, 1, 0.0])
_S = np.array([0, 0, 1, 1, 0, 0, 1, 1.0])
_T = np.array([0, 0, 0, 0, 1, 1, 1, 1.0])


class Located(NamedTuple):
    """Grid points that lie in cells, each once, in increasing order.

    Attributes:
        sample: (k,) int64, indices of grid points, x fastest.
        cell: (k,) int64, the cell that contains each point.
        weights: (k, 8) float64, weights of the cell's corners; their sum is 1.
    """

    sample: Array
    cell: Array
    weights: Array


class _Linear(NamedTuple):
    """The linear map of each cell, from r, s, t to x, y, z.

    Attributes:
        origin: (m, 3), the point with r = s = t = 0.
        inverse: (m, 3, 3), from x, y, z to r, s, t; NaN where a cell is flat.
        exact: (m,) bool, whether the map is exact: for tetrahedra and parallelepipeds.
    """

    origin: Array
    inverse: Array
    exact: Array


def locate(cells: Cells, lines: tuple[Array, Array, Array]) -> Located:
    """Every point of the grid with lines x, y, z (increasing) that lies in a cell. Not collective.

    A point in several cells (on a common face) is assigned to the one in which it is deepest
    inside; the first one wins ties.
    """
    linear = _linear(cells)
    samples, numbers, insides, weights = [], [], [], []
    for sample, cell, points in _candidates(cells, lines):
        local = _local(cells, linear, cell, points)
        outside = np.max(np.maximum(-local, local - 1), axis=1)
        flat = cells.simplex[cell]
        outside[flat] = np.maximum(outside[flat], local[flat].sum(axis=1) - 1)
        near = outside <= TOLERANCE
        samples.append(sample[near])
        numbers.append(cell[near])
        insides.append(outside[near])
        weights.append(_weights(local[near], flat[near]))
    if not samples:
        return Located(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 8)))
    sample, cell = np.concatenate(samples), np.concatenate(numbers)
    inside = np.maximum(np.concatenate(insides), 0)  # points inside count the same
    order = np.lexsort((cell, inside, sample))
    first = order[np.unique(sample[order], return_index=True)[1]]
    return Located(sample[first], cell[first], np.concatenate(weights)[first])


def _candidates(
    cells: Cells, lines: tuple[Array, Array, Array]
) -> Iterator[tuple[Array, Array, Array]]:
    """Pairs of grid points and cells whose bounding boxes contain them: point index (k,), cell
    index (k,), point (k, 3)."""
    corners = cells.points[cells.corners]  # (m, 8, 3)
    low, high = corners.min(axis=1), corners.max(axis=1)
    slack = TOLERANCE * (high - low)
    first = np.stack([np.searchsorted(lines[a], low[:, a] - slack[:, a]) for a in range(3)], axis=1)
    last = np.stack(
        [np.searchsorted(lines[a], high[:, a] + slack[:, a], "right") for a in range(3)], axis=1
    )
    spans = last - first  # (m, 3)
    counts = spans.prod(axis=1)
    ends = np.cumsum(counts)
    nx, ny = len(lines[0]), len(lines[1])
    begin = 0
    while begin < len(counts):
        before = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + _PAIRS, "right")))
        cell = np.repeat(np.arange(begin, end), counts[begin:end])
        if cell.size:
            within = np.arange(cell.size) - np.repeat(
                ends[begin:end] - counts[begin:end] - before, counts[begin:end]
            )
            span = spans[cell]
            i = first[cell, 0] + within % span[:, 0]
            j = first[cell, 1] + within // span[:, 0] % span[:, 1]
            k = first[cell, 2] + within // (span[:, 0] * span[:, 1])
            points = np.stack([lines[0][i], lines[1][j], lines[2][k]], axis=1)
            yield (k * ny + j) * nx + i, cell, points
        begin = end


def _linear(cells: Cells) -> _Linear:
    """The exact map for tetrahedra; for other cells, the one with the derivatives at the center."""
    corners = cells.points[cells.corners]  # (m, 8, 3)
    middle = np.full((1, 3), 0.5)
    edges = np.einsum("ce,mcd->mde", _slopes(middle)[0], corners)
    origin = corners.mean(axis=1) - 0.5 * edges.sum(axis=2)
    flat = cells.simplex
    origin[flat] = corners[flat, 0]
    edges[flat] = np.stack([corners[flat, c] - corners[flat, 0] for c in (1, 2, 4)], axis=2)
    straight = origin[:, None] + np.einsum("mde,ce->mcd", edges, np.stack([_R, _S, _T], axis=1))
    off = np.abs(corners - straight).max(axis=(1, 2))
    exact = flat | (off <= _CONVERGED * np.ptp(corners, axis=1).max(axis=1, initial=0))
    return _Linear(origin, _inverse(edges), exact)


def _local(cells: Cells, linear: _Linear, cell: Array, points: Array) -> Array:
    """Coordinates r, s, t of points (k, 3) in their cells: by the linear map where it is exact,
    otherwise by Newton's method, starting there. inf where there is no solution."""
    local = np.einsum("kde,ke->kd", linear.inverse[cell], points - linear.origin[cell])
    curved = np.flatnonzero(~linear.exact[cell])
    if curved.size:
        corners = cells.points[cells.corners[cell[curved]]]
        local[curved] = _newton(corners, points[curved], local[curved])
    return np.nan_to_num(local, nan=np.inf, posinf=np.inf, neginf=np.inf)


def _newton(corners: Array, points: Array, start: Array) -> Array:
    found = np.full(points.shape, np.inf)
    # At most one cell away: points farther outside cannot be in the cell.
    local = np.clip(np.nan_to_num(start, nan=0.5), -1, 2)
    close = _CONVERGED * np.ptp(corners, axis=1).max(axis=1)
    active = np.arange(len(points))
    for _ in range(_NEWTON_STEPS):
        weights = _weights(local, None)
        residual = points[active] - np.einsum("kc,kcd->kd", weights, corners[active])
        done = np.abs(residual).max(axis=1) <= close[active]
        found[active[done]] = local[done]
        active, local, residual = active[~done], local[~done], residual[~done]
        if not active.size:
            break
        jacobian = np.einsum("kce,kcd->kde", _slopes(local), corners[active])
        step = np.einsum("kde,ke->kd", _inverse(jacobian), residual)
        local = np.clip(local + np.nan_to_num(step), -1, 2)
    return found


def _inverse(matrices: Array) -> Array:
    """Inverses of matrices (k, 3, 3), by cofactors; NaN where a matrix is singular."""
    a, b, c = matrices[:, :, 0], matrices[:, :, 1], matrices[:, :, 2]
    rows = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(rows / np.einsum("kd,kd->k", a, rows[:, 0])[:, None, None])


def _weights(local: Array, simplex: Array | None) -> Array:
    """Weights of the eight corners (k, 8), at r, s, t (k, 3)."""
    r, s, t = (local[:, axis, None] for axis in range(3))
    weights = np.asarray(
        (_R * r + (1 - _R) * (1 - r))
        * (_S * s + (1 - _S) * (1 - s))
        * (_T * t + (1 - _T) * (1 - t))
    )
    if simplex is not None and simplex.any():
        inner = local[simplex]
        linear = np.zeros((len(inner), 8))
        linear[:, 0] = 1 - inner.sum(axis=1)
        linear[:, 1], linear[:, 2], linear[:, 4] = inner.T
        weights[simplex] = linear
    return weights


def _slopes(local: Array) -> Array:
    """Derivatives of the eight weights by r, s, t: (k, 8, 3)."""
    r, s, t = (local[:, axis, None] for axis in range(3))
    along = [(_R, r), (_S, s), (_T, t)]
    value = [c * x + (1 - c) * (1 - x) for c, x in along]
    sign = [2 * c - 1 for c, _ in along]
    return np.stack(
        [
            sign[0] * value[1] * value[2],
            value[0] * sign[1] * value[2],
            value[0] * value[1] * sign[2],
        ],
        axis=2,
    )
