"""Where along its edge a surface crosses it.

In: values at both ends of edges, a function along them. Out: a place between 0 and 1 on each.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats, Indices

ROUNDS = 16
"""Evaluations of the function per edge, at most. Networks have kinks within a cell: with 4, one
vertex in ten of a turbulent block is off by more than a thousandth of a voxel. Most edges need 3,
so the others cost little."""

COMMON_ROUNDS = 8
"""The same where ranks exchange values in each."""

CLOSE = 1e-5
"""Of the change of the function along the edge: nearer to zero it is not evaluated again."""

MARGIN = 1e-3
"""Of an edge: so near its ends no crossing is put. Those of two edges never fall together, so that
no triangle has two equal corners or no area."""


def linear(low: Floats, high: Floats) -> Floats:
    """(n,): the crossing of the straight line between values at 0 and 1 that have unlike signs."""
    with np.errstate(invalid="ignore", over="ignore"):
        t = low / (low - high)
    return np.clip(np.where(np.isfinite(t), t, 0.5), MARGIN, 1 - MARGIN)


class EdgeRoots:
    """The zeros of a function along edges, by regula falsi (Illinois: Dowell and Jarratt, BIT 11,
    1971). The zero stays between the ends, so that triangles keep their orientation.

    Every step is by elements: ranks that give the same values get the same bits.
    """

    def __init__(self, low: Floats, high: Floats) -> None:
        """Values at the ends, (n,): >= 0 at one of them, < 0 at the other."""
        self.t = linear(low, high)
        """(n,): the present estimate."""
        self._ends = np.zeros(len(low)), np.ones(len(low))
        self._values = low.astype(np.float64), high.astype(np.float64)
        self._last = np.zeros(len(low), np.int8)  # which end was moved

    def refine(self, values: Floats) -> None:
        """Go on from the function's values at `t`, (n,). Where they are not finite, `t` stays."""
        (t0, t1), (f0, f1) = self._ends, self._values
        known = np.isfinite(values)
        is_high = (values >= 0) == (f1 >= 0)
        up, down = known & is_high, known & ~is_high
        # An end that stays a second time counts half, or the other one would hardly move.
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
        """Some of them, where they are now."""
        some = EdgeRoots.__new__(EdgeRoots)
        some.t, some._last = self.t[which], self._last[which]
        some._ends = self._ends[0][which], self._ends[1][which]
        some._values = self._values[0][which], self._values[1][which]
        return some


def solve(low: Floats, high: Floats, function: Callable[[Indices, Floats], Floats]) -> Floats:
    """(n,): the zeros on edges with values `low` and `high` at their ends.

    function: values on edges (k,), by their places in `low`, at places `t` (k,) along them.
    """
    t, edges, crossings = np.empty(len(low)), np.arange(len(low)), EdgeRoots(low, high)
    for _ in range(ROUNDS):
        values = function(edges, crossings.t)
        crossings.refine(values)
        t[edges] = crossings.t
        left = ~(np.abs(values) <= CLOSE * np.abs(low[edges] - high[edges]))
        edges, crossings = edges[left], crossings.only(left)
    return t
