"""First derivatives by central differences of 8th order, as a matrix along one axis.

At open ends the stencil shortens, as is usual with this scheme (C. A. Kennedy, M. H. Carpenter,
Appl. Numer. Math. 14 (1994) 397): 6th and 4th order, centred, at the fourth and third point; 4th
order, one-sided, at the first two.

In: number of points, spacing. Out: a differentiation matrix (n, n), banded.
"""

from __future__ import annotations

import numpy as np

from .axes import Array

HALF_WIDTH = 4
# The largest modified wavenumber times the spacing: what a time step must be stable for.
LARGEST_WAVENUMBER = 1.7306

_CENTRED = {
    8: (4 / 5, -1 / 5, 4 / 105, -1 / 280),
    6: (3 / 4, -3 / 20, 1 / 60),
    4: (2 / 3, -1 / 12),
}
_FIRST = (-25 / 12, 4, -3, 4 / 3, -1 / 4)
_SECOND = (-1 / 4, -5 / 6, 3 / 2, -1 / 2, 1 / 12)
_NEAR_END = {2: 4, 3: 6}  # order at the third and fourth point


def derivative_matrix(n: int, spacing: float, periodic: bool) -> Array:
    """d/dx on `n` uniformly spaced points; a single point has no derivative.

    Raises ValueError where an axis of several points is shorter than the stencil.
    """
    if n == 1:
        return np.zeros((1, 1))
    if n < 2 * HALF_WIDTH + 1:
        raise ValueError(f"{n} points along an axis; 1, or {2 * HALF_WIDTH + 1} at least, expected")
    matrix = np.zeros((n, n))
    for row in range(n):
        end = row if 2 * row < n else n - 1 - row
        order = 8 if periodic else _NEAR_END.get(end, 8)
        for k, weight in enumerate(_CENTRED[order], start=1):
            if periodic or k <= end:
                matrix[row, (row + k) % n] += weight
                matrix[row, (row - k) % n] -= weight
    if not periodic:
        for row, weights in ((0, _FIRST), (1, _SECOND)):
            matrix[row], matrix[n - 1 - row] = 0.0, 0.0
            matrix[row, : len(weights)] = weights
            matrix[n - 1 - row, n - len(weights) :] = [-w for w in reversed(weights)]
    return matrix / spacing
