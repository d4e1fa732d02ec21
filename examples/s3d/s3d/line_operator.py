"""Applies a banded matrix along one axis of a grid that is cut into blocks.

A block has its rows of the matrix: the square part acts on its own points, two corners on the
planes that come from the neighbours while that is computed.

In: a matrix of the whole axis. Out: the same operator on this rank's stacks of blocks.
"""

from __future__ import annotations

import numpy as np
from mpi4py import MPI

from .axes import Array, X, Y, Z
from .decomposition import Placement
from .halo import Planes, along


class LineOperator:
    """A matrix (n, n) of `half_width` off-diagonals along `axis`. Calls are collective."""

    def __init__(
        self, comm: MPI.Intracomm, place: Placement, axis: int, matrix: Array, half_width: int
    ) -> None:
        self._comm = comm
        self._beside = place.around[axis]
        self._axis = axis
        self._width = half_width
        self._cut = place.blocks[axis] > 1
        n = len(matrix)
        first, last = place.offset[axis], place.offset[axis] + place.shape[axis]
        rows = matrix[first:last]
        self._own = np.ascontiguousarray(rows[:, first:last])
        below = np.arange(first - half_width, first) % n
        above = np.arange(last, last + half_width) % n
        # Only what is near: of two blocks along a periodic axis each is below and above the other.
        self._below = np.triu(rows[:half_width, below])
        self._above = np.tril(rows[-half_width:, above])

    def __call__(self, stack: Array) -> Array:
        """The operator on a stack (m, nz, ny, nx); a new array."""
        if not self._cut:
            return _apply(self._own, stack, self._axis)
        width, axis = self._width, self._axis
        first, last = along(axis, slice(0, width)), along(axis, slice(-width, None))
        planes = Planes(self._comm, self._beside, (stack[first], width), (stack[last], width), axis)
        result = _apply(self._own, stack, axis)
        below, above = planes.wait()
        result[first] += _apply(self._below, below, axis)
        result[last] += _apply(self._above, above, axis)
        return result


def _apply(matrix: Array, stack: Array, axis: int) -> Array:
    m, nz, ny, nx = stack.shape
    if axis == X:
        return (stack.reshape(-1, nx) @ matrix.T).reshape(m, nz, ny, -1)
    if axis == Y:
        result: Array = np.matmul(matrix, stack)
        return result
    assert axis == Z
    return np.matmul(matrix, stack.reshape(m, nz, ny * nx)).reshape(m, -1, ny, nx)
