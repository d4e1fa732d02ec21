"""Samples along one axis of a sparse grid.

In: how many samples there are, which ends are kept. Out: where they lie, which are averaged and
which predicted, and the line of the next level.

An end is kept where a neighbor shares it: no level updates its sample, so that both blocks have the
same values there. Of nodes, that is the last one; cells get one more sample on the face, half a
cell beyond the last one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

HALF_CELLS = 64
"""Bit of a block's ends: what is kept lies half a cell beyond the next sample. Bits 2 a and 2 a + 1
are the low and the high end of axis a (x, y, z) that are kept."""


def kept_at(ends: int, axis: int) -> tuple[bool, bool]:
    """Whether the (low, high) end of an axis (0: x, 1: y, 2: z) is kept."""
    return bool(ends >> 2 * axis & 1), bool(ends >> (2 * axis + 1) & 1)


def added(ends: int, axis: int) -> tuple[int, int]:
    """How many samples on the (low, high) face a block's own samples do not include."""
    low, high = kept_at(ends, axis)
    half = bool(ends & HALF_CELLS)
    return int(low and half), int(high and half)


@dataclass(frozen=True)
class Line:
    places: tuple[float, ...]
    """Increasing, in cells."""
    keep: tuple[bool, bool] = (False, False)
    """Whether the sample at the (low, high) end is kept."""

    def __len__(self) -> int:
        return len(self.places)

    @cached_property
    def even(self) -> NDArray[np.int64]:
        """((n + 1) // 2,): samples that become averages. An end that is kept is one of them: where
        every second one misses the high end, the two before it are both predicted."""
        even = np.arange(0, len(self), 2)
        if self.keep[1] and len(self) % 2 == 0:
            even[-1] = len(self) - 1
        return even

    @cached_property
    def odd(self) -> NDArray[np.int64]:
        """(n // 2,): samples that become details."""
        return np.setdiff1d(np.arange(len(self)), self.even)

    @cached_property
    def coarser(self) -> Line:
        return Line(tuple(self.places[i] for i in self.even), self.keep)

    @property
    def splits(self) -> bool:
        """Whether there is a level: kept ends are both averages."""
        return len(self) > (2 if all(self.keep) else 1)


@lru_cache(maxsize=256)
def line(n: int, ends: int = 0, axis: int = 0) -> Line:
    """The line of n samples along an axis (0: x, 1: y, 2: z) of a block."""
    steps = np.ones(max(n - 1, 0))
    low, high = added(ends, axis)
    if n > 1:
        steps[0] = 0.5 if low else steps[0]
        steps[-1] = 0.5 if high else steps[-1]
    return Line((0.0, *np.cumsum(steps).tolist()), kept_at(ends, axis))
