"""The grid lines of many blocks, each once, and which of them a block has.

In: grid lines x, y, z of blocks, which everybody may have rounded differently. Out: the lines of
the whole grid; numbers of a block's own lines in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from insitu.core.arrays import Axes, Floats, Indices

SAME_LINE = 1e-3
"""Of the smallest cell along an axis: coordinates of two blocks that are closer are one grid line.
Wide enough for coordinates in float32, far too narrow for different lines of one grid."""


@dataclass(frozen=True)
class GridLines:
    """Of several blocks. Immutable; the same in whatever order they come."""

    _coordinates: Axes
    """All that occur, exactly, increasing."""
    _smallest: tuple[float, float, float]
    """Cell along x, y, z."""

    @staticmethod
    def of(blocks: Iterable[Axes]) -> GridLines:
        """Of blocks by their grid lines x, y, z; without any there are no lines."""
        found = GridLines((np.empty(0),) * 3, (np.inf,) * 3)
        for block in blocks:
            nodes = [np.asarray(line, np.float64) for line in block]
            p, q, r = (float(np.diff(line).min()) for line in nodes)
            found = found.merge(GridLines((nodes[0], nodes[1], nodes[2]), (p, q, r)))
        return found

    def merge(self, other: GridLines) -> GridLines:
        """Of the blocks of both: what reduces those of several ranks to one."""
        x, y, z = map(np.union1d, self._coordinates, other._coordinates)
        p, q, r = map(min, self._smallest, other._smallest)
        return GridLines((x, y, z), (p, q, r))

    @property
    def lines(self) -> Axes:
        """World coordinates along x, y, z, each line once; of coordinates that are one, the
        least."""
        (x, _), (y, _), (z, _) = self._joined
        return x, y, z

    def numbers(self, nodes: Axes) -> tuple[Indices, Indices, Indices]:
        """Which of the lines x, y, z each of a block's is. They are one after the other unless
        other blocks have lines between; the block must be one of those given."""
        x, y, z = (
            numbers[np.searchsorted(every, np.asarray(own, np.float64))]
            for (_, numbers), every, own in zip(self._joined, self._coordinates, nodes, strict=True)
        )
        return x, y, z

    @cached_property
    def _joined(self) -> list[tuple[Floats, Indices]]:
        return [
            join_close(every, SAME_LINE * cell) if len(every) else (every, np.zeros(0, np.int64))
            for every, cell in zip(self._coordinates, self._smallest, strict=True)
        ]


def join_close(coordinates: Floats, tolerance: float) -> tuple[Floats, Indices]:
    """Increasing coordinates (n,), of which those no further than the tolerance from the one before
    are one -> the least of each group, and the group (n,) that each belongs to."""
    new = np.concatenate([[True], np.diff(coordinates) > tolerance])
    return coordinates[new], np.cumsum(new) - 1
