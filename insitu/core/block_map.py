"""The positions of all blocks on all ranks, and which block owns a point.

In: the grid lines of each rank's blocks. Out: their boxes, the same on all ranks; for every point
of the domain one owner, for any decomposition and in spite of rounded coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Axes, Floats, Indices, Mask
from insitu.core.box import Bounds
from insitu.core.grid_lines import SAME_LINE, join_close

if TYPE_CHECKING:
    from mpi4py import MPI

ROUNDING = 1e-9
"""Tolerance at the domain's boundary, as a fraction of the smallest cell, but at least a few units
in the last place of the coordinates: points this close outside count as boundary points."""

_PAIRS = 2**20  # pairs of points and blocks that are compared at once


@dataclass(frozen=True)
class BlockMap:
    """The boxes of all blocks, in an order that does not depend on their ranks. Immutable."""

    boxes: Floats
    """(n_blocks, 2, 3): lower and upper corner x, y, z, sorted by z, y, x of the lower corner.
    Coordinates of a grid line that two blocks share are exactly equal."""
    ranks: Indices
    """(n_blocks,): the rank that has the block."""
    places: Indices
    """(n_blocks,): index of the block among its rank's blocks."""
    spacing: Floats
    """(3,): the smallest cell of all blocks along x, y, z."""
    periodic: tuple[bool, bool, bool] = field(default=(False, False, False), kw_only=True)
    """Whether the domain continues at its other side along x, y, z."""

    @staticmethod
    def of(blocks: Sequence[Axes]) -> BlockMap:
        """The map of blocks that are all on this rank, from their grid lines x, y, z. Not
        collective."""
        return _of_tables([_table(blocks)])

    @staticmethod
    def of_all_ranks(comm: MPI.Comm, blocks: Sequence[Axes]) -> BlockMap:
        """The map of the blocks of all ranks, any number on each. Collective: one allgather of 72
        bytes per block."""
        return _of_tables(comm.allgather(_table(blocks)))

    def on_rank(self, rank: int) -> tuple[int, ...]:
        """Indices of the blocks of a rank, in the rank's own order."""
        mine = np.flatnonzero(self.ranks == rank)
        return tuple(mine[np.argsort(self.places[mine])].tolist())

    @cached_property
    def bounds(self) -> Bounds:
        """Bounds of the whole domain. Raises ValueError where no rank has a block."""
        if not len(self.boxes):
            raise ValueError("blocks: no rank has a block; expected at least one")
        return self.boxes[:, 0].min(axis=0), self.boxes[:, 1].max(axis=0)

    @cached_property
    def diagonal(self) -> float:
        """Length of the domain's diagonal."""
        return float(np.linalg.norm(self.bounds[1] - self.bounds[0]))

    @cached_property
    def rounding(self) -> float:
        """Rounding tolerance, a world length: a point this close to the domain counts as inside, a
        plane this close to a face as on it."""
        last_bits = 4 * float(np.spacing(np.abs(self.boxes).max()))
        return max(ROUNDING * float(self.spacing.min()), last_bits)

    @cached_property
    def periods(self) -> Floats:
        """(3,): how long the domain is along periodic axes, x, y, z; 0 along others."""
        return np.where(self.periodic, self.bounds[1] - self.bounds[0], 0.0)

    def wrapped(self, points: Floats) -> Floats:
        """Points (n, 3), moved by whole periods to where they are in the domain along periodic
        axes; what is inside, both ends included, stays exactly where it is."""
        if not any(self.periodic):
            return points
        low, high = self.bounds
        around = np.where(self.periods > 0, self.periods, 1.0)
        inside = (points >= low) & (points <= high)
        moved = np.clip(low + np.mod(points - low, around), low, high)
        return np.where(inside | (self.periods == 0) | ~np.isfinite(points), points, moved)

    def nearest_image(self, moves: Floats) -> Floats:
        """Differences (n, 3) of places, the shortest among those by whole periods."""
        if not any(self.periodic):
            return moves
        around = np.where(self.periods > 0, self.periods, 1.0)
        return moves - np.where(self.periods > 0, np.rint(moves / around), 0.0) * around

    def touching(self, index: int) -> Indices:
        """The other blocks that share a face, an edge or a corner with a block, in order."""
        low, high = self.boxes[index]
        near = ((self.boxes[:, 0] <= high) & (self.boxes[:, 1] >= low)).all(axis=1)
        near[index] = False
        return np.flatnonzero(near)

    def owners(self, points: Floats, guess: Indices | None = None) -> Indices:
        """The block that owns each point (n, 3) (see `owner_of`), or -1 outside the domain (with
        the tolerance `rounding`). guess: (n,) blocks to try first."""
        owners = np.full(len(points), -1)
        points = self.wrapped(points)
        low, high = self.bounds
        near = (points >= low - self.rounding) & (points <= high + self.rounding)
        some = np.flatnonzero(near.all(axis=1))
        found = self.nearest(points[some], None if guess is None else guess[some])
        away = np.abs(points[some] - self.clamp(points[some], found)).max(axis=1, initial=0.0)
        owners[some] = np.where(away <= self.rounding, found, -1)
        return owners

    def nearest(self, points: Floats, guess: Indices | None = None) -> Indices:
        """As `owners`, but the nearest block for points (n, 3) outside the domain."""
        points = self.wrapped(points)
        owners = np.zeros(len(points), np.int64) if guess is None else guess.astype(np.int64)
        low, high = self.boxes[owners, 0], self.boxes[owners, 1]
        lost = np.flatnonzero(~((points >= low) & (points < high)).all(axis=1))
        owners[lost] = owner_of(points[lost], self.boxes)
        return owners

    def holds(self, index: int, points: Floats) -> Mask:
        """(n,): whether each of the points (n, 3) is owned by this block, as by `owners`."""
        low, high = self.boxes[index]
        held = ((points >= low - self.rounding) & (points <= high + self.rounding)).all(axis=1)
        around = np.append(self.touching(index), index)
        around.sort()
        held[held] = around[owner_of(points[held], self.boxes[around])] == index
        return held

    def clamp(self, points: Floats, blocks: Indices) -> Floats:
        """The nearest points of these blocks."""
        return np.clip(points, self.boxes[blocks, 0], self.boxes[blocks, 1])


def owner_of(points: Floats, boxes: Floats) -> Indices:
    """The index of the box (m, 2, 3), at least one, that owns each point (n, 3): the single
    ownership rule.

    A point on a common face, edge or corner belongs to the upper box: the one with
    low <= point < high along all axes. Where there is none, as at the upper end of the domain, it
    belongs to a box with low <= point <= high along all axes; a strict point < high along z is
    preferred, then along y, then along x. The result is unique, because each of the eight octants
    around a point is in at most one box. A point in no box belongs to the nearest one.
    """
    order = np.argsort(points[:, 2])
    x, y, z = points[order].T.copy()
    low, high = boxes[:, 0], boxes[:, 1]
    starts = np.searchsorted(z, low[:, 2], side="left")
    stops = np.searchsorted(z, high[:, 2], side="right")
    owners, best = np.zeros(len(points), np.int64), np.zeros(len(points), np.int64)
    for box in np.flatnonzero(starts < stops):
        some = slice(starts[box], stops[box])
        (x0, y0, _), (x1, y1, z1) = boxes[box]
        within = (y[some] >= y0) & (y[some] <= y1) & (x[some] >= x0) & (x[some] <= x1)
        at = starts[box] + np.flatnonzero(within)
        rank = 1 + (x[at] < x1) + 2 * (y[at] < y1) + 4 * (z[at] < z1)
        better = rank >= best[at]  # of invalid, overlapping boxes, the last wins
        owners[at[better]], best[at[better]] = box, rank[better]
    nowhere = np.flatnonzero(best == 0)
    groups = -(-len(nowhere) * len(boxes) // _PAIRS) or 1
    for some_of in np.array_split(nowhere, groups):
        p = points[order[some_of], None]
        beyond = np.maximum(np.maximum(low - p, p - high), 0.0)
        owners[some_of] = np.square(beyond).sum(axis=2).argmin(axis=1)
    result = np.empty_like(owners)
    result[order] = owners
    return result


def _table(blocks: Sequence[Axes]) -> Floats:
    """(n, 9): lower corner, upper corner, smallest cell."""
    rows = [
        [*(n[0] for n in nodes), *(n[-1] for n in nodes), *(np.diff(n).min() for n in nodes)]
        for nodes in blocks
    ]
    return np.array(rows, np.float64).reshape(-1, 9)


def _of_tables(tables: Sequence[Floats]) -> BlockMap:
    """The map of the tables of all ranks, by rank."""
    table = np.concatenate(tables)
    ranks = np.repeat(np.arange(len(tables)), [len(part) for part in tables])
    places = np.concatenate([np.arange(len(part)) for part in tables])
    spacing = table[:, 6:].min(axis=0, initial=np.inf)
    boxes = table[:, :6].reshape(-1, 2, 3)
    for axis in range(3 if len(boxes) else 0):
        values, inverse = np.unique(boxes[..., axis], return_inverse=True)
        lines, numbers = join_close(values, SAME_LINE * spacing[axis])
        boxes[..., axis] = lines[numbers[inverse]].reshape(boxes.shape[:2])
    order = np.lexsort(boxes[:, 0].T)  # the last key, z, counts most
    return BlockMap(boxes[order], ranks[order], places[order], spacing)
