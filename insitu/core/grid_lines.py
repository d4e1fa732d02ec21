"""The global grid lines of many blocks, and the global indices of a block's lines.

In: grid lines x, y, z of blocks, which ranks may have rounded differently. Out: the lines of the
whole grid; the indices of a block's lines in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from insitu.core.arrays import Axes, Floats, Indices

SAME_LINE = 1e-3
"""Tolerance, as a fraction of the smallest cell along an axis: coordinates of two blocks that are
closer are the same grid line. Wide enough for float32 coordinates, and far too narrow to merge
different lines of one grid."""


@dataclass(frozen=True)
class GridLines:
    """Grid lines of several blocks. Immutable; independent of the order of the blocks."""

    _coordinates: Axes
    """All exact coordinates that occur, increasing."""
    _smallest: tuple[float, float, float]
    """Size of the smallest cell along x, y, z."""

    @staticmethod
    def of(blocks: Iterable[Axes]) -> GridLines:
        """The grid lines of blocks, each given by its lines x, y, z; none for no blocks."""
        found = GridLines((np.empty(0),) * 3, (np.inf,) * 3)
        for block in blocks:
            nodes = [np.asarray(line, np.float64) for line in block]
            p, q, r = (float(np.diff(line).min()) for line in nodes)
            found = found.merge(GridLines((nodes[0], nodes[1], nodes[2]), (p, q, r)))
        return found

    def merge(self, other: GridLines) -> GridLines:
        """The grid lines of the blocks of both; used as the reduction over ranks."""
        x, y, z = map(np.union1d, self._coordinates, other._coordinates)
        p, q, r = map(min, self._smallest, other._smallest)
        return GridLines((x, y, z), (p, q, r))

    @property
    def lines(self) -> Axes:
        """World coordinates along x, y, z, each line once; of merged coordinates, the smallest."""
        (x, _), (y, _), (z, _) = self._joined
        return x, y, z

    def numbers(self, nodes: Axes) -> tuple[Indices, Indices, Indices]:
        """Global indices of a block's lines along x, y, z. They are consecutive unless other blocks
        have lines in between. The block must be one of those the object was made from."""
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
    """Merge increasing coordinates (n,) that are within the tolerance of the previous one -> the
    smallest of each group, and the group (n,) of each coordinate."""
    new = np.concatenate([[True], np.diff(coordinates) > tolerance])
    return coordinates[new], np.cumsum(new) - 1
