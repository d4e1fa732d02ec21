"""The point on each edge where a surface crosses it.

In: values at both ends of edges, a function along them. Out: a position in 0..1 on each.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats, Indices

ROUNDS = 16
"""Maximum number of evaluations per edge. Networks have kinks within a cell: with 4, one vertex in
ten of a turbulent block has an error of more than a thousandth of a voxel. Most edges need 3, so a
higher limit costs little."""

COMMON_ROUNDS = 8
"""The same for edges where each evaluation needs an exchange between ranks."""

CLOSE = 1e-5
"""Convergence tolerance, as a fraction of the function's change along the edge."""

MARGIN = 1e-3
"""Minimum distance of a crossing from both ends, as a fraction of the edge. Crossings of two edges
never coincide, so that no triangle is degenerate."""


def linear(low: Floats, high: Floats) -> Floats:
    """(n,): zero of the linear interpolant of values at 0 and 1 with opposite signs."""
    with np.errstate(invalid="ignore", over="ignore"):
        t = low / (low - high)
    return np.clip(np.where(np.isfinite(t), t, 0.5), MARGIN, 1 - MARGIN)


class EdgeRoots:
    """The zeros of a function along edges, by regula falsi (Illinois: Dowell and Jarratt, BIT 11,
    1971). The zero stays bracketed, so that triangles keep their orientation.

    Every operation is elementwise: ranks with the same values get bitwise the same result.
    """

    def __init__(self, low: Floats, high: Floats) -> None:
        """Values at the ends, (n,): >= 0 at one of them, < 0 at the other."""
        self.t = linear(low, high)
        """(n,): the current estimate."""
        self._ends = np.zeros(len(low)), np.ones(len(low))
        self._values = low.astype(np.float64), high.astype(np.float64)
        self._last = np.zeros(len(low), np.int8)  # which end was moved

    def refine(self, values: Floats) -> None:
        """Improve the estimate with the function's values at `t`, (n,). Where not finite, `t`
        stays."""
        (t0, t1), (f0, f1) = self._ends, self._values
        known = np.isfinite(values)
        is_high = (values >= 0) == (f1 >= 0)
        up, down = known & is_high, known & ~is_high
        # Illinois: halve the value at an end that is kept twice in a row, to avoid slow
        # convergence.
        f0 = np.where(up & (self._last > 0), 0.5 * f0, f0)
        f1 = np.where(down & (self._last < 0), 0.5 * f1, f1)
        t0, f0 = np.where(down, self.t, t0), np.where(down, values, f0)
        t1, f1 = np.where(up, self.t, t1), np.where(up, values, f1)
        self._last = np.where(up, 1, np.where(down, -1, self._last)).astype(np.int8)
        self._ends, self._values = (t0, t1), (f0, f1)
        with np.errstate(invalid="ignore", over="ignore"):
            t = t0 + (t1 - t0) * (f0 / (f0 - f1))
        t = np.clip(t, MARGIN, 1 - MARGIN)
        self.t = np.where(known & np.isfinite(t), t, self.t)

    def only(self, which: NDArray[np.bool_]) -> EdgeRoots:
        """A subset, with its current state."""
        some = EdgeRoots.__new__(EdgeRoots)
        some.t, some._last = self.t[which], self._last[which]
        some._ends = self._ends[0][which], self._ends[1][which]
        some._values = self._values[0][which], self._values[1][which]
        return some


def solve(low: Floats, high: Floats, function: Callable[[Indices, Floats], Floats]) -> Floats:
    """(n,): the zeros on edges with values `low` and `high` at their ends.

    function: values on edges (k,), given as indices into `low`, at positions `t` (k,).
    """
    t, edges, crossings = np.empty(len(low)), np.arange(len(low)), EdgeRoots(low, high)
    for _ in range(ROUNDS):
        values = function(edges, crossings.t)
        crossings.refine(values)
        t[edges] = crossings.t
        left = ~(np.abs(values) <= CLOSE * np.abs(low[edges] - high[edges]))
        edges, crossings = edges[left], crossings.only(left)
    return t
