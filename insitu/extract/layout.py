"""Where the blocks of all ranks are, and which of them a point belongs to.

In: each rank's blocks. Out: the same table on every rank; the owner of any point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from insitu.fields.sampled_block import SampledBlock

if TYPE_CHECKING:
    from mpi4py import MPI

Floats = NDArray[np.floating[Any]]
Indices = NDArray[np.int64]

# Of the domain's diagonal: neighbours whose common face is not the same number leave a gap of
# rounding, which is no hole.
_GAP = 1e-9
_PAIRS = 2**20  # points times blocks that are compared at once


@dataclass(frozen=True)
class Layout:
    """The boxes of all blocks, in an order that does not depend on who holds them. Immutable."""

    lows: Floats
    """(n_blocks, 3), lowest corner x, y, z."""
    highs: Floats
    """(n_blocks, 3), highest corner."""
    spacing: Floats
    """(3,), the smallest cell of all blocks along x, y, z."""
    ranks: Indices
    """(n_blocks,), who holds a block."""
    places: Indices
    """(n_blocks,), which of its rank's blocks it is."""

    @staticmethod
    def gather(comm: MPI.Comm, blocks: Sequence[SampledBlock]) -> Layout:
        """Collective: one allgather of 72 bytes a block. ValueError where no rank has a block."""
        mine = np.array(
            [[*b.bounds[0], *b.bounds[1], *(np.diff(axis).min() for axis in b.nodes)]
             for b in blocks]
        ).reshape(-1, 9)  # fmt: skip
        parts = comm.allgather(mine)
        table = np.concatenate(parts)
        if not len(table):
            raise ValueError("no rank has a block")
        ranks = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        places = np.concatenate([np.arange(len(part)) for part in parts])
        order = np.lexsort(table[:, :3].T)  # z, then y, then x
        return Layout(
            table[order, :3], table[order, 3:6], table[:, 6:].min(axis=0), ranks[order],
            places[order],
        )  # fmt: skip

    @cached_property
    def bounds(self) -> tuple[Floats, Floats]:
        """Of the domain: lowest and highest corner, each (3,)."""
        return self.lows.min(axis=0), self.highs.max(axis=0)

    @cached_property
    def diagonal(self) -> float:
        return float(np.linalg.norm(self.bounds[1] - self.bounds[0]))

    def owners(self, points: Floats, guess: Indices | None = None) -> Indices:
        """The block of each point (n, 3); for a point in none, the nearest one.

        A point on a common face belongs to the block above, so that there is one answer for all
        ranks. guess: (n,) blocks to look at first.
        """
        owners = np.zeros(len(points), np.int64) if guess is None else guess.astype(np.int64)
        within = (points >= self.lows[owners]) & (points < self.highs[owners])
        lost = np.flatnonzero(~within.all(axis=1))
        for some in np.array_split(lost, -(-len(lost) * len(self.lows) // _PAIRS) or 1):
            p = points[some, None]
            beyond = np.maximum(np.maximum(self.lows - p, p - self.highs), 0.0)
            distance = np.square(beyond).sum(axis=2)
            distance[((p >= self.lows) & (p < self.highs)).all(axis=2)] = -1.0
            owners[some] = distance.argmin(axis=1)
        return owners

    def clamp(self, points: Floats, blocks: Indices) -> Floats:
        """The nearest points of these blocks."""
        return np.clip(points, self.lows[blocks], self.highs[blocks])

    def contains(self, points: Floats, guess: Indices | None = None) -> NDArray[np.bool_]:
        """Whether a point (n, 3) is in the domain, up to a gap of rounding. NaN is not.

        guess: as for `owners`.
        """
        nearest = self.clamp(points, self.owners(points, guess))
        away = np.abs(points - nearest).max(axis=1, initial=0.0)
        return np.asarray(away <= _GAP * self.diagonal)

    def way_out(self, start: Floats, move: Floats) -> Floats:
        """The part of `move` (n, 3), 0..1, after which a point that begins in the domain and ends
        outside is on the boundary."""
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = (np.asarray(bound) - start for bound in self.bounds)
            reach = np.where(move > 0, high / move, np.where(move < 0, low / move, 1.0))
        part = np.clip(reach.min(axis=1), 0.0, 1.0)
        # Where the blocks do not fill a box, the way may end sooner.
        hidden = ~self.contains(start + part[:, None] * move)
        hidden |= part == 1.0
        if hidden.any():
            start, move = start[hidden], move[hidden]
            low, high = np.zeros(len(start)), part[hidden]
            for _ in range(52):  # the bits of a double
                middle = (low + high) / 2
                inside = self.contains(start + middle[:, None] * move)
                low, high = np.where(inside, middle, low), np.where(inside, high, middle)
            part[hidden] = low
        return part

    def across(self, start: Floats, end: Floats) -> tuple[Indices, Indices, Floats]:
        """Straight segments (n, 3) cut at the faces: segment, block, and the (from, to) part of the
        segment, 0..1, that lies in that block, one row per cut."""
        segments, blocks, parts = [], [], []
        groups = -(-len(start) * len(self.lows) // _PAIRS) or 1
        for some in np.array_split(np.arange(len(start)), groups):
            a, b = start[some, None], end[some, None]
            move = b - a
            with np.errstate(divide="ignore", invalid="ignore"):
                to_low, to_high = (self.lows - a) / move, (self.highs - a) / move
            beside = (move == 0) & ((a < self.lows) | (a > self.highs))
            still = move == 0
            first = np.where(still, 0.0, np.minimum(to_low, to_high)).max(axis=2).clip(min=0.0)
            last = np.where(still, 1.0, np.maximum(to_low, to_high)).min(axis=2).clip(max=1.0)
            segment, block = np.nonzero((first < last) & ~beside.any(axis=2))
            segments.append(some[segment])
            blocks.append(block)
            parts.append(np.stack([first[segment, block], last[segment, block]], axis=1))
        return np.concatenate(segments), np.concatenate(blocks), np.concatenate(parts)
