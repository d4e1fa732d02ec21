"""Local and global statistics for training: voxels, ranges, counts.

In: this rank's partitions of each field. Out: each block measured once; the global statistics, by
one reduction for all fields.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from insitu.engines import Engine, engine
from insitu.engines.base import Sampler
from insitu.engines.points import PointSampler
from insitu.mesh.partition import Partition
from insitu.models.base import Model

if TYPE_CHECKING:
    from mpi4py import MPI

_LINES = 4  # lines that `roughness` is measured on: one of so many along each axis


@dataclass(frozen=True)
class BlockRange:
    """Statistics of one block, per component. `range` (n_components, 2) is NaN where no sample is
    finite."""

    range: NDArray[np.float64]
    n_finite: tuple[int, ...]
    nan_count: int
    inf_count: int


@dataclass(frozen=True)
class GlobalRange:
    """Statistics of a field over all ranks."""

    n_voxels: int
    range: NDArray[np.float64]
    """(n_components, 2); NaN where no sample is finite anywhere."""
    roughness: NDArray[np.float64] | None = None
    """(3, 2): sum and number of squared second differences along z, y, x, of the first component;
    None where nothing needs them."""

    @cached_property
    def extents(self) -> NDArray[np.float64]:
        """(n_components,): max - min; 0 where no sample is finite. Read-only."""
        found = np.nan_to_num(self.range[:, 1] - self.range[:, 0])
        found.flags.writeable = False
        return found


@dataclass(frozen=True, eq=False)
class MeasuredBlock:
    """A raw block, read in place, with its statistics, which are computed once per step."""

    partition: Partition
    sampler: Sampler
    """Sampler of `engine`: trilinear, through valid ghost layers."""
    own: BlockRange
    engine: Engine
    """The engine that trains and measures."""

    @staticmethod
    def of(
        partition: Partition, by: Engine | None = None, model: Model | None = None
    ) -> MeasuredBlock:
        """Measure a block in one pass over the owned samples, or over the points of a model that is
        trained on points. by: the engine that will train the block; default: the process-wide one.
        """
        by = engine() if by is None else by
        on_points = model is not None and model.scattered
        sampler = point_sampler(partition) if on_points else grid_sampler(partition, by)
        return MeasuredBlock(partition, sampler, block_range(sampler), by)


def grid_sampler(partition: Partition, by: Engine | None = None) -> Sampler:
    """The engine's `Sampler` of the raw block, read in place: trilinear, through valid ghost
    layers."""
    return (by or engine()).sampler(
        partition.components,
        partition.ghost_layers,
        partition.cells,
        partition.association == "vertex",
    )


def point_sampler(partition: Partition) -> PointSampler:
    """The points that the block was resampled from, else its owned samples as points."""
    scattered = partition.scattered
    if scattered is not None:
        low, high = partition.bounds  # resampled blocks have even grid lines
        return PointSampler(
            (scattered.points - low) / (high - low), scattered.values, scattered.n_owned
        )
    vertex = partition.association == "vertex"
    z, y, x = (
        (np.arange(n) + (0.0 if vertex else 0.5)) / cells
        for n, cells in zip(partition.shape, partition.cells, strict=True)
    )
    grid = np.meshgrid(z, y, x, indexing="ij")
    points = np.stack([axis.ravel() for axis in grid[::-1]], axis=1)
    return PointSampler(points, np.stack([part.ravel() for part in partition.owned], axis=1))


def block_range(sampler: Sampler) -> BlockRange:
    """Minimum, maximum and counts over the owned samples of a `grid_sampler`."""
    figures = [sampler.statistics(c) for c in range(sampler.components)]
    return BlockRange(
        range=np.array([[f.min, f.max] if f.finite else [np.nan] * 2 for f in figures]),
        n_finite=tuple(f.finite for f in figures),
        nan_count=sum(f.nan for f in figures),
        inf_count=sum(f.inf for f in figures),
    )


def local_ranges(
    fields: Mapping[str, Sequence[MeasuredBlock]], rough: Collection[str] = ()
) -> dict[str, GlobalRange]:
    """Statistics of this rank's blocks only; fields without a block are left out. rough: the fields
    whose `roughness` is measured."""
    return {
        name: GlobalRange(
            sum(block.sampler.samples for block in blocks),
            _join([block.own.range for block in blocks]),
            sum((_roughness(block.partition) for block in blocks), np.zeros((3, 2)))
            if name in rough
            else None,
        )
        for name, blocks in fields.items()
        if blocks
    }


def global_ranges(comm: MPI.Comm, local: Mapping[str, GlobalRange]) -> dict[str, GlobalRange]:
    """Statistics over all ranks, from each rank's `local_ranges`. Collective: one reduction."""
    return comm.allreduce(dict(local), op=join_ranges)


def join_ranges(a: dict[str, GlobalRange], b: dict[str, GlobalRange]) -> dict[str, GlobalRange]:
    """Combined statistics of a and b, by field."""
    merged = {**a, **b}
    for name in a.keys() & b.keys():
        rough = a[name].roughness, b[name].roughness
        merged[name] = GlobalRange(
            a[name].n_voxels + b[name].n_voxels,
            _join([a[name].range, b[name].range]),
            None if rough[0] is None or rough[1] is None else rough[0] + rough[1],
        )
    return merged


def _roughness(partition: Partition) -> NDArray[np.float64]:
    """Of one block, from every fourth line along each axis and axis of the others."""
    values, found = partition.owned[0], np.zeros((3, 2))
    for axis in range(3):
        every = tuple(slice(None) if a == axis else slice(None, None, _LINES) for a in range(3))
        lines = values[every]
        if lines.shape[axis] < 3:
            continue
        with np.errstate(invalid="ignore", over="ignore"):
            squares = np.square(np.diff(lines, 2, axis=axis), dtype=np.float64)
        finite = np.isfinite(squares)
        found[axis] = squares[finite].sum(), finite.sum()
    return found


def _join(ranges: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    stacked = np.stack(ranges)  # (blocks, n_components, 2)
    return np.stack([np.fmin.reduce(stacked[..., 0]), np.fmax.reduce(stacked[..., 1])], axis=1)
