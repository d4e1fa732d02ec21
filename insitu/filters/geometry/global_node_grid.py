"""The global grid of nodes tiled by the blocks of all ranks, and the nodes that blocks share.

In: every rank's blocks. Out: grid lines, bitwise the same on all ranks; for each pair of adjacent
blocks, the nodes that both have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from insitu.core.arrays import Axes, Indices
from insitu.core.block_map import BlockMap
from insitu.core.grid_lines import GridLines

if TYPE_CHECKING:
    from mpi4py import MPI

_Numbers: TypeAlias = tuple[Indices, Indices, Indices]


class NodeGridError(ValueError):
    """Blocks overlap."""


@dataclass(frozen=True)
class GlobalNodeGrid:
    """Grid lines of all blocks, and which of them each block has. The same on all ranks."""

    lines: Axes
    """World coordinates of the lines along x, y, z, without duplicates."""
    blocks: BlockMap
    numbers: tuple[tuple[_Numbers, ...], ...]
    """By rank and block: indices of its lines x, y, z."""

    @staticmethod
    def of(comm: MPI.Comm, blocks: BlockMap, nodes: Sequence[Axes]) -> GlobalNodeGrid:
        """The grid of all blocks. Collective.

        One reduction of the grid lines (their union, so never much more than those of the whole
        grid), one allgather of the numbers of each block's lines.

        nodes: grid lines x, y, z of this rank's blocks.
        """
        every = comm.allreduce(GridLines.of(nodes), op=GridLines.merge)
        numbers = comm.allgather(tuple(every.numbers(own) for own in nodes))
        return GlobalNodeGrid(every.lines, blocks, tuple(numbers))

    def lines_of(self, rank: int, place: int) -> Axes:
        """A block's grid lines x, y, z, bitwise the same in all blocks."""
        x, y, z = (
            lines[numbers]
            for lines, numbers in zip(self.lines, self.numbers[rank][place], strict=True)
        )
        return x, y, z

    def touching(self, rank: int, *, conforming: bool = False) -> list[BlockAdjacency]:
        """All pairs of a block of `rank` and another block, on any rank, that share nodes;
        conforming: but those of different levels of refinement, where one has lines between them.

        Raises NodeGridError if two share cells.
        """
        touches = []
        for mine, index in enumerate(self.blocks.on_rank(rank)):
            for other in self.blocks.touching(index).tolist():
                at, theirs = int(self.blocks.ranks[other]), int(self.blocks.places[other])
                low = np.maximum(self.blocks.boxes[index, 0], self.blocks.boxes[other, 0])
                high = np.minimum(self.blocks.boxes[index, 1], self.blocks.boxes[other, 1])
                if (low < high).all():
                    corner = low.tolist()
                    raise NodeGridError(f"two blocks have the same cells at x, y, z = {corner}")
                pairs = list(zip(self.numbers[rank][mine], self.numbers[at][theirs], strict=True))
                x, y, z = (np.flatnonzero(np.isin(a, b, assume_unique=True)) for a, b in pairs)
                alike = not conforming or all(_alike(a, b) for a, b in pairs)
                if min(map(len, (x, y, z))) and alike:
                    touches.append(BlockAdjacency(mine, at, theirs, (z, y, x)))
        return touches


def _alike(a: Indices, b: Indices) -> bool:
    """Whether two blocks have the same lines of an axis where both have any."""
    low, high = max(a[0], b[0]), min(a[-1], b[-1])
    mine, theirs = (lines[(lines >= low) & (lines <= high)] for lines in (a, b))
    return bool(np.array_equal(mine, theirs))


@dataclass(frozen=True)
class BlockAdjacency:
    """The nodes that a block of this rank shares with another: on a face, an edge or a corner."""

    mine: int
    """Number of the block on this rank."""
    rank: int
    """Rank of the other block."""
    theirs: int
    """Number of the other block on its rank."""
    nodes: tuple[Indices, Indices, Indices]
    """Increasing line indices z, y, x of the own block: the nodes at their intersections are shared
    with the other block."""
