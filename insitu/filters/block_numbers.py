"""Filters that add a field of numbers of blocks: add_mpi_ranks, add_domain_ids.

In: a volume. Out: the same with one more field, constant on each block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.parallel import together
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.pointwise_block import PointwiseBlock
from insitu.filters.pipeline import Data, Names, VolumeData
from insitu.filters.schema import DataSchema
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True)
class BlockNumbers:
    """Adds a field of the ranks that hold blocks, or of the simulation's domain ids."""

    type: str
    """add_mpi_ranks or add_domain_ids."""
    output: str
    carrier: str = ""
    """A field whose blocks are numbered."""

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def on(self, given: DataSchema) -> BlockNumbers:
        """The same, with a field of the input whose blocks are numbered."""
        return replace(self, carrier=next(iter(given.fields), ""))

    def outline(self, given: DataSchema) -> DataSchema:
        given.volume(self.type)
        return given.plus(self.output, 1)

    def reads(self, wanted: Names) -> Names:
        return wanted - {self.output} | ({self.carrier} if self.output in wanted else set())

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        if self.output not in wanted:
            return data
        found = data
        with together(comm, self.type):
            assert isinstance(data, VolumeData)
            blocks = []
            for block in data.fields[self.carrier]:
                number = comm.rank if self.type == "add_mpi_ranks" else _domain_id(block)
                blocks.append(PointwiseBlock(self.output, block, (), _Constant(number), 1))
            found = replace(data, fields={**data.fields, self.output: blocks})
        return found


@dataclass(frozen=True)
class _Constant:
    """A number, and NaN where there is no value: outside of the block, or in a part cut away."""

    number: int

    def __call__(self, values: Floats) -> Floats:
        nowhere = np.isnan(values).all(axis=1, keepdims=True)
        return np.where(nowhere, np.nan, float(self.number))


def _domain_id(block: SampledBlock) -> int:
    found: Any = block
    while not hasattr(found, "domain_id"):
        found = found.of
    return int(found.domain_id)
