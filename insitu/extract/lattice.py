"""The grid of nodes that the blocks of all ranks tile, and where in it each block lies.

In: every rank's blocks. Out: grid lines that all ranks have bit for bit, boxes of node indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from insitu.fields.sampled_block import SampledBlock
from insitu.parallel import together

if TYPE_CHECKING:
    from mpi4py import MPI

Floats = NDArray[np.floating[Any]]
Indices = NDArray[np.int64]
_Lines: TypeAlias = list[tuple[Floats, float]]

# Lines of two blocks closer than this share of the smallest cell are one, as for ghost layers.
_SAME = 1e-3


class LatticeError(ValueError):
    """The blocks do not tile one rectilinear grid."""


@dataclass(frozen=True)
class Lattice:
    """Grid lines over all blocks, and every block's nodes in it. The same on all ranks."""

    lines: tuple[Floats, Floats, Floats]
    """World coordinates along x, y, z, each line once."""
    boxes: tuple[Indices, ...]
    """By rank, (n_blocks, 2, 3): first and last node z, y, x of each block."""

    @staticmethod
    def of(comm: MPI.Comm, blocks: Sequence[SampledBlock]) -> Lattice:
        """The lattice of this rank's and all other blocks. Collective.

        One reduction of the grid lines (their union, so never much more than those of the whole
        grid), one allgather of six integers per block.

        Raises:
            RemoteError: on every rank, where the lines of a block are not those of another beside,
                above or behind it: then their cells do not meet at common nodes.
        """
        mine: list[_Lines] = [
            [(np.asarray(lines, np.float64), float(np.diff(lines).min())) for lines in block.nodes]
            for block in blocks
        ]
        every = comm.allreduce(_union(mine), op=lambda a, b: _union([a, b]))
        lines, numbers = [], []
        for union, smallest in every:
            apart = np.concatenate([[True], np.diff(union) > _SAME * smallest])
            lines.append(union[apart])
            numbers.append(np.cumsum(apart) - 1)
        boxes = np.zeros((len(blocks), 2, 3), np.int64)
        with together(comm, "join the grid lines of all blocks"):
            for box, block in zip(boxes, mine, strict=True):
                for axis, (own, _) in enumerate(block):
                    at = numbers[axis][np.searchsorted(every[axis][0], own)]
                    if (np.diff(at) != 1).any():
                        letter, i = "xyz"[axis], int(np.argmax(np.diff(at) != 1))
                        raise LatticeError(
                            f"between {letter} = {own[i]:g} and {own[i + 1]:g} of one block other "
                            f"blocks have {at[i + 1] - at[i] - 1} more grid lines; expected blocks "
                            "that tile one rectilinear grid"
                        )
                    box[:, 2 - axis] = at[0], at[-1]
        x, y, z = lines or (np.zeros(0),) * 3
        return Lattice((x, y, z), tuple(comm.allgather(boxes)))

    def lines_of(self, box: Indices) -> tuple[Floats, Floats, Floats]:
        """The lines x, y, z of a box (2, 3) of nodes z, y, x."""
        (z, y, x), (last_z, last_y, last_x) = box
        xs, ys, zs = self.lines
        return xs[x : last_x + 1], ys[y : last_y + 1], zs[z : last_z + 1]

    def touching(self, rank: int) -> list[Touch]:
        """All pairs of a block of `rank` and another block, anywhere, that have nodes in common.

        Raises LatticeError where they have cells in common.
        """
        touches = []
        for mine, own in enumerate(self.boxes[rank]):
            for other, boxes in enumerate(self.boxes):
                first = np.maximum(boxes[:, 0], own[0])
                last = np.minimum(boxes[:, 1], own[1])
                for theirs in np.flatnonzero((first <= last).all(axis=1)):
                    if (other, theirs) == (rank, mine):
                        continue
                    box = np.stack([first[theirs], last[theirs]])
                    if (box[0] < box[1]).all():
                        corner = [float(line[0]) for line in self.lines_of(box)]
                        raise LatticeError(f"two blocks have the same cells at x, y, z = {corner}")
                    touches.append(Touch(mine, other, int(theirs), box))
        return touches


@dataclass(frozen=True)
class Touch:
    """Where a block of this rank meets another: on a face, an edge or a corner."""

    mine: int
    """Number of the block on this rank."""
    rank: int
    """That has the other block."""
    theirs: int
    """Number of the other block there."""
    box: Indices
    """(2, 3): first and last node z, y, x that both have."""


def _union(several: list[_Lines]) -> _Lines:
    """Per axis all lines that occur, exactly, and the smallest cell; [] without any block."""
    several = [lines for lines in several if lines]
    return [
        (np.unique(np.concatenate([lines for lines, _ in axis])), min(step for _, step in axis))
        for axis in zip(*several, strict=True)
    ]
