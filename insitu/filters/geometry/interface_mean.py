"""Averages values that blocks share on their faces, at nodes or edges, across ranks.

In: for each block of this rank its values at shared nodes or edges. Out: the mean over all blocks
that share them, bitwise the same on every rank.

Networks of two blocks differ slightly on the face between them. A surface is closed across it only
if both sides contour the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats, Indices
from insitu.filters.geometry.global_node_grid import BlockAdjacency

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True)
class InterfaceMean:
    """Nodes or edges that blocks share, by keys in each block's own numbering. Immutable."""

    keys: tuple[Indices, ...]
    """For each block of this rank, in increasing order: the keys that it shares with any other
    block."""
    _links: tuple[tuple[BlockAdjacency, Indices], ...]
    """What each pair of blocks shares: indices into the own block's keys."""

    @staticmethod
    def of(
        n_blocks: int,
        touches: Sequence[BlockAdjacency],
        common: Callable[[BlockAdjacency], Indices],
    ) -> InterfaceMean:
        """`common`: the keys that each pair shares, in the own block's numbering. Both ranks of a
        pair must be given the same nodes or edges in the same order."""
        found = [common(touch) for touch in touches]
        keys = []
        for block in range(n_blocks):
            own = [
                given for touch, given in zip(touches, found, strict=True) if touch.mine == block
            ]
            keys.append(np.unique(np.concatenate([np.zeros(0, np.int64), *own])))
        links = [
            (touch, np.searchsorted(keys[touch.mine], given))
            for touch, given in zip(touches, found, strict=True)
        ]
        return InterfaceMean(tuple(keys), tuple(links))

    def mean(self, comm: MPI.Comm, values: Sequence[Floats]) -> list[Floats]:
        """The mean over all blocks that share a node or edge. Collective: one Alltoallv.

        Args:
            values: (n_keys, k) for each block, k the same everywhere; NaN makes the mean NaN.

        Returns:
            Means of the same shapes, in float64. Values are summed in sorted order, whichever rank
            they come from, so that all ranks get bitwise the same result.
        """
        width = values[0].shape[1] if len(values) else 1
        # Both ranks of a pair order their messages by the sender's block, then the receiver's.
        outgoing = sorted(self._links, key=lambda a: (a[0].rank, a[0].mine, a[0].theirs))
        incoming = sorted(self._links, key=lambda a: (a[0].rank, a[0].theirs, a[0].mine))
        sent = [np.zeros((0, width))]
        sent += [values[touch.mine][places].astype(np.float64) for touch, places in outgoing]
        counts = np.zeros(comm.size, np.int64)
        for touch, places in self._links:
            counts[touch.rank] += len(places) * width
        received = np.empty((counts.sum() // width, width))
        comm.Alltoallv([np.concatenate(sent), counts], [received, counts])

        pieces = np.split(received, np.cumsum([len(places) for _, places in incoming])[:-1])
        means = []
        for block, own in enumerate(values):
            theirs = [
                (places, piece)
                for (touch, places), piece in zip(incoming, pieces, strict=False)
                if touch.mine == block
            ]
            at = np.concatenate([np.arange(len(own)), *(places for places, _ in theirs)])
            given = np.concatenate([own.astype(np.float64), *(piece for _, piece in theirs)])
            means.append(_mean(at, given, len(own)))
        return means


def _mean(at: Indices, given: Floats, n: int) -> Floats:
    """(n, k): the mean of the rows of `given` for each index in `at`."""
    means = np.empty((n, given.shape[1]))
    counts = np.bincount(at, minlength=n)
    for column, values in zip(means.T, given.T, strict=True):
        order = np.lexsort((values, at))
        # bincount adds sequentially: its result depends on the order only.
        column[:] = np.bincount(at[order], weights=values[order], minlength=n) / counts
    return means
