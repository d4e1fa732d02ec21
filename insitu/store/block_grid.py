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
from insitu.fields.block_field import BlockField
from insitu.store.stored_block import StoredBlock


class GridError(ValueError):
    """The blocks have no common grid."""


class BlockGrid:
    """One grid of samples over all blocks: their own, or, around blocks of coarser cells, that of
    the finest.

    Attributes:
        nodes: grid lines x, y, z; along z only one for vertex data in a plane.
        association: "element" for cell-centred samples, "vertex" for samples at grid nodes.
        dimension: 2 for meshes in a plane, whose samples have one layer along z.
        shape: number of samples, (nz, ny, nx).
        boxes: sample range of each block; blocks with a common face share its vertices.
    """

    def __init__(self, blocks: Sequence[StoredBlock]) -> None:
        """Where blocks overlap, samples are those of the last by its lower corner z, y, x, which
        also owns the points there. Float32 and float64 give float64. Where no block is, as in a
        domain that fills no box, they are NaN.

        Raises GridError if the blocks differ in association, dimension or components.
        """
        first = blocks[0]
        self.association, self.n_components = first.association, first.n_components
        self.dimension = first.dimension
        self.dtype = np.result_type(*(block.dtype for block in blocks))
        kind = (self.association, self.n_components, self.dimension)
        for block in blocks:
            if (block.association, block.n_components, block.dimension) != kind:
                raise GridError(f"{first.name}: blocks of different kinds")
        self.blocks = blocks
        self._order = BlockMap.of([block.nodes for block in blocks]).places.tolist()
        self._lines = GridLines.of(block.nodes for block in blocks)
        x, y, z = self._lines.lines
        self._extra = 1 if self.association == "vertex" else 0
        self._plane = self.dimension == 2 and self.association == "vertex"
        nz, ny, nx = (lines.size - 1 + self._extra for lines in (z, y, x))
        self.nodes = (x, y, z.mean(keepdims=True) if self._plane else z)
        self.shape = (1 if self._plane else nz), ny, nx
        self._coarse: set[int] = set()
        self.boxes = [self._box(number) for number in range(len(blocks))]

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

    def check_size(self, box: Box) -> None:
        """Raises FrameError for a size that the blocks' bytes cannot well stand for."""
        samples = math.prod(axis.stop - axis.start for axis in box)
        nbytes = samples * self.n_components * self.dtype.itemsize
        if problem := huge_problem(nbytes, sum(block.nbytes for block in self.blocks)):
            raise FrameError(f"{self.blocks[0].path}: {self.blocks[0].name} {problem}")

    def read(self, box: Box) -> Array:
        """The samples of a box: (nz, ny, nx), or (nz, ny, nx, n_components) for vectors.

        Opens only blocks that intersect the box, and decodes only the samples needed. Raises
        FrameError for a size that the blocks' bytes cannot well stand for.
        """
        self.check_size(box)
        sizes = [axis.stop - axis.start for axis in box]
        vector = [self.n_components] if self.n_components > 1 else []
        values = np.full(sizes + vector, np.nan, self.dtype)
        for i in self._order:
            if meet := overlap(self.boxes[i], box):
                field = self.blocks[i].field
                inside = meet[1]
                if self._plane:  # both planes, whose mean is at least as close as the metrics say
                    inside = (slice(0, 2), *inside[1:])
                if i in self._coarse:
                    found = self._evaluated(field, self.boxes[i], inside)
                else:
                    found = field.decode_box(inside)
                values[meet[0]] = found.mean(axis=0, keepdims=True) if self._plane else found
        return values

    def same_as(self, other: BlockGrid) -> bool:
        """Whether both grids have their samples at the same positions."""
        return (self.association, self.shape) == (other.association, other.shape) and all(
            np.array_equal(a, b) for a, b in zip(self.nodes, other.nodes, strict=True)
        )

    def _box(self, number: int) -> Box:
        """The samples of a block, which is noted where other blocks have lines between its own."""
        block = self.blocks[number]
        numbers = self._lines.numbers(block.nodes)[::-1]
        if any((np.diff(along) != 1).any() for along in numbers):
            self._coarse.add(number)
        z, y, x = (slice(int(along[0]), int(along[-1]) + self._extra) for along in numbers)
        return (slice(0, 1) if self._plane else z), y, x

    def _evaluated(self, field: BlockField, own: Box, box: Box) -> Array:
        """The values of a coarse block at the grid's samples in `box`, which is relative to `own`,
        the block's."""
        unit = []
        for axis in range(3):
            lines, first = field.nodes[axis], own[2 - axis].start
            inside = box[2 - axis]
            at = self.coordinates[axis][first + inside.start : first + inside.stop]
            at = lines if self._plane and axis == 2 else at
            unit.append(np.interp(at, lines, np.linspace(0, 1, len(lines))))
        values = field.on_grid(unit[0], unit[1], unit[2])
        return values[..., 0] if self.n_components == 1 else values
