"""The explicit filter of 10th order that takes away what central differences cannot resolve.

With D the fifth undivided difference, the filter is 1 - D^T D / 2^10 (C. A. Kennedy, M. H.
Carpenter, Appl. Numer. Math. 14 (1994) 397): the shortest wave on the grid vanishes, and a wave of
length L is damped by sin^10(pi dx / L). D^T D is symmetric and its columns sum to zero, open ends
included: sums are kept and no wave grows. At open ends the order is 5.

In: number of points. Out: a filter matrix (n, n), banded.
"""

from __future__ import annotations

import numpy as np

from .axes import Array

HALF_WIDTH = 5


def filter_matrix(n: int, periodic: bool) -> Array:
    """The filter on `n` points; a single point stays as it is.

    Raises ValueError where an axis of several points is shorter than the stencil.
    """
    one = np.eye(n)
    if n == 1:
        return one
    if n < 2 * HALF_WIDTH + 1:
        raise ValueError(f"{n} points along an axis; 1, or {2 * HALF_WIDTH + 1} at least, expected")
    difference = np.diff(one, HALF_WIDTH, axis=0)
    if periodic:
        first = difference[0]
        difference = np.stack([np.roll(first, i) for i in range(n)])
    return one - difference.T @ difference / 2.0 ** (2 * HALF_WIDTH)
