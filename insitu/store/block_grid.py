"""The global grid that the blocks of one step tile.

In: blocks of one field, from any number of ranks. Out: its grid lines, and the samples of any box.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from insitu.codecs.frame import FrameError
from insitu.core.arrays import Array
from insitu.core.block_map import BlockMap
from insitu.core.box import Box, overlap
from insitu.core.grid_lines import GridLines
from insitu.core.limits import huge_problem
from insitu.store.stored_block import StoredBlock


class GridError(ValueError):
    """The blocks do not tile a box of one grid."""


class BlockGrid:
    """One grid of samples over all blocks.

    Attributes:
        nodes: grid lines x, y, z.
        association: "element" for cell-centred samples, "vertex" for samples at grid nodes.
        shape: number of samples, (nz, ny, nx).
        boxes: sample range of each block; blocks with a common face share its vertices.
    """

    def __init__(self, blocks: Sequence[StoredBlock]) -> None:
        """Where blocks overlap, samples are those of the last by its lower corner z, y, x, which
        also owns the points there. Float32 and float64 give float64.

        Raises GridError if the blocks leave gaps, or differ in association or components.
        """
        first = blocks[0]
        self.association, self.n_components = first.association, first.n_components
        self.dtype = np.result_type(*(block.dtype for block in blocks))
        for block in blocks:
            if (block.association, block.n_components) != (self.association, self.n_components):
                raise GridError(f"{first.name}: blocks of different kinds")
        self.blocks = blocks
        self._order = BlockMap.of([block.nodes for block in blocks]).places.tolist()
        self._lines = GridLines.of(block.nodes for block in blocks)
        x, y, z = self.nodes = self._lines.lines
        extra = 1 if self.association == "vertex" else 0
        nz, ny, nx = (lines.size - 1 + extra for lines in (z, y, x))
        self.shape = nz, ny, nx
        self.boxes = [self._box(block) for block in blocks]
        covered = sum(int(np.prod(block.cells)) for block in blocks)
        gaps = covered != (x.size - 1) * (y.size - 1) * (z.size - 1)
        if gaps or self._overlap():
            gaps = self._gaps()
        if gaps:
            raise GridError(f"the blocks of {first.name} do not tile a box")

    @property
    def coordinates(self) -> tuple[Array, Array, Array]:
        """World coordinates of the samples along x, y, z."""
        if self.association == "vertex":
            return self.nodes
        x, y, z = (0.5 * (lines[1:] + lines[:-1]) for lines in self.nodes)
        return x, y, z

    @property
    def whole(self) -> Box:
        """The box of all samples."""
        nz, ny, nx = self.shape
        return slice(0, nz), slice(0, ny), slice(0, nx)

    @property
    def cuts(self) -> tuple[tuple[int, ...], ...]:
        """Per axis z, y, x: the first sample of every block but the first."""
        starts = ({box[axis].start for box in self.boxes} - {0} for axis in range(3))
        z, y, x = (tuple(sorted(axis)) for axis in starts)
        return z, y, x

    def read(self, box: Box) -> Array:
        """The samples of a box: (nz, ny, nx), or (nz, ny, nx, n_components) for vectors.

        Opens only blocks that intersect the box, and decodes only the samples needed. Raises
        FrameError for a size that the blocks' bytes cannot well stand for.
        """
        sizes = [axis.stop - axis.start for axis in box]
        vector = [self.n_components] if self.n_components > 1 else []
        nbytes = math.prod(sizes + vector) * self.dtype.itemsize
        if problem := huge_problem(nbytes, sum(block.nbytes for block in self.blocks)):
            raise FrameError(f"{self.blocks[0].path}: {self.blocks[0].name} {problem}")
        values = np.empty(sizes + vector, self.dtype)
        for i in self._order:
            if meet := overlap(self.boxes[i], box):
                values[meet[0]] = self.blocks[i].field.decode_box(meet[1])
        return values

    def same_as(self, other: BlockGrid) -> bool:
        """Whether both grids have their samples at the same positions."""
        return (self.association, self.shape) == (other.association, other.shape) and all(
            np.array_equal(a, b) for a, b in zip(self.nodes, other.nodes, strict=True)
        )

    def _box(self, block: StoredBlock) -> Box:
        numbers = self._lines.numbers(block.nodes)[::-1]
        if any((np.diff(along) != 1).any() for along in numbers):
            raise GridError(f"{block.name}: the grid lines of a block are not those of its domain")
        z, y, x = (
            slice(int(along[0]), int(along[0]) + n)
            for along, n in zip(numbers, block.shape, strict=True)
        )
        return z, y, x

    def _gaps(self) -> bool:
        """Whether a cell of the box is in no block, which may overlap: decided on the grid of the
        faces of all blocks."""
        extra = 1 if self.association == "vertex" else 0
        ends = np.array([[(s.start, s.stop - extra) for s in box] for box in self.boxes])
        faces = [np.unique(ends[:, axis]) for axis in range(3)]
        covered = np.zeros([len(lines) - 1 for lines in faces], bool)
        for block in ends:
            z, y, x = (
                slice(*np.searchsorted(lines, along))
                for lines, along in zip(faces, block, strict=True)
            )
            covered[z, y, x] = True
        return not covered.all()

    def _overlap(self) -> bool:
        """Whether two blocks have a cell in common."""
        boxes = BlockMap.of([block.nodes for block in self.blocks]).boxes
        return any(
            ((boxes[i + 1 :, 0] < high) & (boxes[i + 1 :, 1] > low)).all(axis=1).any()
            for i, (low, high) in enumerate(boxes)
        )
