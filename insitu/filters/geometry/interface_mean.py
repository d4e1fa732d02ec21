"""What blocks have in common on their faces: nodes or edges, by whoever holds them.

In: for each block of this rank its values at what it shares. Out: the mean over all blocks that
share it, the same bits on every rank.

Networks of two blocks differ a little on the face between them. A surface is closed across it only
if both sides contour the same numbers.
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
    """Things that blocks share, by numbers of each block's own. Immutable."""

    keys: tuple[Indices, ...]
    """Per block of this rank, increasing: what it shares with any other block."""
    _links: tuple[tuple[BlockAdjacency, Indices], ...]
    """What a pair of blocks shares: places in the own block's keys."""

    @staticmethod
    def of(
        n_blocks: int,
        touches: Sequence[BlockAdjacency],
        common: Callable[[BlockAdjacency], Indices],
    ) -> InterfaceMean:
        """What `common` says that each pair shares: numbers of the own block. Both ranks of a pair
        must be given the same things in the same order."""
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
        """Over all blocks that have a thing in common. Collective: one Alltoallv.

        Args:
            values: per block (n_keys, k), k the same everywhere; NaN makes the mean NaN.

        Returns:
            The same in float64. Summed in the order of the values, whoever they come from, so that
            all ranks have the same bits.
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
    """(n, k): the mean of the rows of `given` for each place of `at`."""
    means = np.empty((n, given.shape[1]))
    counts = np.bincount(at, minlength=n)
    for column, values in zip(means.T, given.T, strict=True):
        order = np.lexsort((values, at))
        # bincount adds one after the other: the order is all that its bits depend on.
        column[:] = np.bincount(at[order], weights=values[order], minlength=n) / counts
    return means
