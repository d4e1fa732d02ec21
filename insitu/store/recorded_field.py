"""A field of a record at one step: a distributed field with all its blocks on one process.

In: the blocks' positions in the files. Out: values, gradients and samples anywhere in the domain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike

from insitu.core.arrays import Array, Floats
from insitu.core.block_map import BlockMap
from insitu.core.box import Box
from insitu.core.indexing import pick
from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import DistributedField
from insitu.store.block_grid import BlockGrid
from insitu.store.shared_series import share
from insitu.store.stored_block import StoredBlock

if TYPE_CHECKING:
    from mpi4py import MPI


class RecordedField(DistributedField):
    """A distributed field that decodes its blocks on demand, from any number of writers.

    No method is collective: every process reads what it needs.
    """

    def __init__(self, blocks: Sequence[StoredBlock]) -> None:
        """blocks: all blocks of one field at one step, at least one."""
        self.__dict__["blocks"] = tuple(blocks)
        # A block's header has everything that a summary needs.
        summary = DistributedField.join(cast("Sequence[BlockField]", blocks)).summary
        self.__dict__["summary"] = summary

    blocks: tuple[StoredBlock, ...]

    @cached_property
    def fields(self) -> tuple[BlockField, ...]:
        """All blocks, decoded."""
        return tuple(block.field for block in self.blocks)

    @cached_property
    def grid(self) -> BlockGrid:
        """The grid of the raw data. Raises GridError if the blocks have none in common."""
        return BlockGrid(self.blocks)

    @property
    def n_components(self) -> int:
        return len(self.summary.range)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the decoded array: (nz, ny, nx), in a plane (ny, nx); and the number of components of
        a vector."""
        vector = () if self.n_components == 1 else (self.n_components,)
        return (*self.grid.shape[3 - self.grid.dimension :], *vector)

    @property
    def boxes(self) -> Floats:
        """(n_blocks, 2, 3): lowest and highest corner x, y, z of every block."""
        return np.array([block.bounds for block in self.blocks])

    def __call__(self, points: ArrayLike) -> Floats:
        """Values at world points (n, 3), x y z -> (n,) for scalars, (n, n_components) for vectors.

        NaN outside the domain. Only blocks that contain a point are decoded.
        """
        vector = () if self.n_components == 1 else (self.n_components,)
        return self._evaluate(points, vector, lambda field, inner: field(inner))

    def gradient(self, points: ArrayLike) -> Floats:
        """Derivatives along x, y, z at world points (n, 3) -> (n, 3), or (n, n_components, 3).

        NaN outside the domain. On a face shared by two blocks, the block on its upper side counts.
        """
        vector = () if self.n_components == 1 else (self.n_components,)
        return self._evaluate(points, (*vector, 3), lambda field, inner: field.gradient(inner))

    def decode(self, box: Box | None = None) -> Floats:
        """Samples on the raw data's grid, (nz, ny, nx[, n_components]): of a box, or all. Of a mesh
        in a plane, all are (ny, nx[, n_components]). NaN where no block is.

        box: slices z, y, x with a start and a stop, such as `grid.whole`.
        """
        if box is not None:
            return self.grid.read(box)
        values = self.grid.read(self.grid.whole)
        return values[0] if self.grid.dimension == 2 else values

    def __getitem__(self, key: Any) -> Array:
        """Decode what integers, slices and `...` select of `decode()`: `field[0, :, ::4]`.

        Only blocks that intersect the selection are decoded. Raises IndexError for other indices.
        """
        shape = self.shape
        if self.grid.dimension == 2:
            key, shape = (0, *(key if isinstance(key, tuple) else (key,))), (1, *shape)
        return pick(key, shape, np.dtype(self.grid.dtype), self.grid.read)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("a recorded field has no values to share; they are decoded")
        values = self.decode()
        return values if dtype is None else values.astype(dtype)

    def __repr__(self) -> str:
        at = self.summary
        return (
            f"<RecordedField {at.name} at cycle {at.cycle}, time {at.time:g}: "
            f"{at.n_blocks} blocks, {at.psnr_db:.1f} dB, {at.nbytes} bytes, ratio {at.ratio:.0f}>"
        )

    def share(self, comm: MPI.Comm) -> DistributedField:
        """The same field distributed over the processes of `comm`.

        Each process decodes its share of the blocks, in the order of the writer's ranks (see
        `insitu.store.ownership`). Not collective, but to be called by all.
        """
        return DistributedField(share(self.blocks, comm.rank, comm.size), self.summary)

    def _evaluate(
        self,
        points: ArrayLike,
        shape: tuple[int, ...],
        evaluate: Callable[[BlockField, Floats], Floats],
    ) -> Floats:
        """Call `evaluate` for each point, on the block that contains it."""
        points = np.atleast_2d(np.asarray(points, np.float64))
        if points.ndim != 2 or points.shape[1] != 3:
            raise ValueError(f"points: shape {points.shape}, expected (n, 3)")
        values = np.full((len(points), *shape), np.nan)
        owners = self._map.owners(points)
        for index in np.unique(owners[owners >= 0]):
            block = self.blocks[self._map.places[index]]
            held = owners == index
            # Rounding may have moved a point on the block's face outside it.
            values[held] = evaluate(block.field, np.clip(points[held], *block.bounds))
        return values

    @cached_property
    def _map(self) -> BlockMap:
        return BlockMap.of([block.nodes for block in self.blocks])
