"""Pipelines whose results queries read: filters on the simulation's own arrays.

In: the fields of the present step, with ghosts. Out: samples of the result, as expressions read
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.box import Bounds
from insitu.core.parallel import together
from insitu.fields.raw_block import RawBlock
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.evaluated import Evaluated
from insitu.filters.expression import Computed
from insitu.filters.geometry.decomposition import samples
from insitu.filters.pipeline import Data, Names, Pipeline, VolumeData
from insitu.filters.schema import SURFACE, VOLUME, DataSchema
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.queries.scattered import scattered
from insitu.queries.triggers import Source
from insitu.store.timestep import TimeStep
from insitu.store.window import Window

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True)
class Queried:
    """A pipeline for queries: the samples of a volume, each once, or the points of a surface."""

    pipeline: Pipeline

    @property
    def name(self) -> str:
        return self.pipeline.name

    def check(self, given: DataSchema, names: Names) -> None:
        """Raises ValueError, "key: text", where queries cannot read its result, or not these."""
        data = self.pipeline.outline(given)
        if data.kind not in (VOLUME, SURFACE):
            raise ValueError(f"pipeline: {data.made_by} produces {data.kind}; queries cannot read")
        for one in self.pipeline.filters:
            if isinstance(one, Evaluated) or (isinstance(one, Computed) and one.queries):
                raise ValueError(f"pipeline: {one.type} needs results of queries, which come later")
        if self.pipeline.past:
            raise ValueError("pipeline: queries cannot read what needs earlier steps")
        for name in sorted(names):
            data.field(name, "params/expression")

    def reads(self, names: Names) -> Names:
        return self.pipeline.reads(names)

    def blocks(
        self, comm: MPI.Comm, source: Source, names: Names, moment: tuple[int, float]
    ) -> Mapping[str, Sequence[Partition]]:
        """See `QueriedPipeline.blocks`."""
        cycle, time = moment
        fields: dict[str, list[SampledBlock]] = {}
        lines: list[tuple[Floats, Floats, Floats]] = []
        for name in sorted(self.reads(names)):
            parts = source.with_ghosts(name)
            fields[name] = [RawBlock(part, cycle, time) for part in parts]
            lines = lines or [part.nodes for part in parts]
        bounds = _bounds(comm, lines)
        data: Data = VolumeData(fields, bounds)
        wanted = [names]
        for one in reversed(self.pipeline.filters):
            wanted.append(one.reads(wanted[-1]))
        step = TimeStep(Window(1), cycle, time)
        for one, needed in zip(self.pipeline.filters, reversed(wanted[:-1]), strict=True):
            data = one.apply(comm, data, needed, step)
        found: Mapping[str, Sequence[Partition]] = {}
        with together(comm, f"pipeline {self.name}"):
            if isinstance(data, VolumeData):
                found = {n: [_sampled(b, i) for i, b in enumerate(data.fields[n])] for n in names}
            else:
                found = scattered(data.points, {name: data.values[name] for name in names})
        return found


def _sampled(block: SampledBlock, number: int) -> Partition:
    """A block's values at its own samples, NaN where a filter left nothing."""
    vertex = block.association == "vertex"
    values = np.asarray(samples(block), np.float64)
    values = values.reshape(*values.shape[:3], -1)
    return Partition(
        field=block.name,
        association="vertex" if vertex else "element",
        components=tuple(np.moveaxis(values, 3, 0)),
        ghost_layers=NO_LAYERS,
        nodes=block.nodes,
        domain_id=number,
    )


def _bounds(comm: MPI.Comm, nodes: Sequence[tuple[Floats, Floats, Floats]]) -> Bounds:
    """Of the blocks of all ranks. Collective."""
    from mpi4py import MPI

    mine = np.full(6, -np.inf)
    for axes in nodes:
        ends = [*(-axis[0] for axis in axes), *(axis[-1] for axis in axes)]
        mine = np.maximum(mine, ends)
    every = np.empty_like(mine)
    comm.Allreduce(mine, every, op=MPI.MAX)
    return -every[:3], every[3:]
