"""The grid of nodes that the blocks of all ranks tile, and which of them blocks have in common.

In: every rank's blocks. Out: grid lines that all ranks have bit for bit; for two blocks that touch,
the nodes that both have.
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
    """The blocks do not tile one rectilinear grid."""


@dataclass(frozen=True)
class GlobalNodeGrid:
    """Grid lines over all blocks, and which of them each block has. The same on all ranks."""

    lines: Axes
    """World coordinates along x, y, z, each line once."""
    blocks: BlockMap
    numbers: tuple[tuple[_Numbers, ...], ...]
    """By rank and block: its lines x, y, z."""

    @staticmethod
    def of(comm: MPI.Comm, blocks: BlockMap, nodes: Sequence[Axes]) -> GlobalNodeGrid:
        """The lattice of all blocks. Collective.

        One reduction of the grid lines (their union, so never much more than those of the whole
        grid), one allgather of the numbers of each block's lines.

        nodes: of this rank's blocks, x, y, z.
        """
        every = comm.allreduce(GridLines.of(nodes), op=GridLines.merge)
        numbers = comm.allgather(tuple(every.numbers(own) for own in nodes))
        return GlobalNodeGrid(every.lines, blocks, tuple(numbers))

    def lines_of(self, rank: int, place: int) -> Axes:
        """Of a block: as its own nodes x, y, z, but the same bits in all blocks."""
        x, y, z = (
            lines[numbers]
            for lines, numbers in zip(self.lines, self.numbers[rank][place], strict=True)
        )
        return x, y, z

    def check_conforming(self, rank: int) -> None:
        """Raises NodeGridError where the lines of a block of this rank are not those of another
        beside, above or behind it: then their cells do not meet at common nodes."""
        for block in self.numbers[rank]:
            for letter, lines, at in zip("xyz", self.lines, block, strict=True):
                gaps = np.flatnonzero(np.diff(at) != 1)
                if len(gaps):
                    low, high = at[gaps[0]], at[gaps[0] + 1]
                    raise NodeGridError(
                        f"between {letter} = {lines[low]:g} and {lines[high]:g} of one block other "
                        f"blocks have {high - low - 1} more grid lines; expected blocks that tile "
                        "one rectilinear grid"
                    )

    def touching(self, rank: int) -> list[BlockAdjacency]:
        """All pairs of a block of `rank` and another block, anywhere, that have nodes in common.

        Raises NodeGridError where they have cells in common.
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
                x, y, z = (
                    np.flatnonzero(np.isin(a, b, assume_unique=True))
                    for a, b in zip(self.numbers[rank][mine], self.numbers[at][theirs], strict=True)
                )
                if min(map(len, (x, y, z))):
                    touches.append(BlockAdjacency(mine, at, theirs, (z, y, x)))
        return touches


@dataclass(frozen=True)
class BlockAdjacency:
    """Where a block of this rank meets another: on a face, an edge or a corner."""

    mine: int
    """Number of the block on this rank."""
    rank: int
    """That has the other block."""
    theirs: int
    """Number of the other block there."""
    nodes: tuple[Indices, Indices, Indices]
    """z, y, x, of the own block, increasing: it has the nodes at all of these in common with the
    other one."""
