"""Filters that leave a continuous field as it is: noop, ghost_stripper, triangulate and others.

In: any data. Out: the same; after `recenter`, a field whose samples are those of cells or of nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from insitu.core.parallel import together
from insitu.filters.geometry.resampled_block import RecenteredBlock
from insitu.filters.pipeline import Data, Names, VolumeData
from insitu.filters.schema import SURFACE, DataSchema
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True)
class Unchanged:
    """noop, ghost_stripper and clean_grid: fields are functions on boxes, without ghosts, and the
    points of surfaces that are equal have equal values: nothing is to do."""

    type: str

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: DataSchema) -> DataSchema:
        return given

    def reads(self, wanted: Names) -> Names:
        return wanted

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        return data


@dataclass(frozen=True)
class UnchangedSurface(Unchanged):
    """triangulate of a surface, which consists of triangles."""

    def outline(self, given: DataSchema) -> DataSchema:
        if given.kind != SURFACE:
            raise ValueError(
                f"type: {self.type} needs a surface, and leaves it as it is: put it after contour "
                "or slice, or leave it out"
            )
        return given


@dataclass(frozen=True)
class Recenter(Unchanged):
    """The same function, sampled at nodes ("vertex") or cell centres ("element") where it is
    saved: the mean of the corners of a cell, or of the cells around a node."""

    field: str
    association: str

    def outline(self, given: DataSchema) -> DataSchema:
        given.volume(self.type)
        given.field(self.field)
        return given.plus(self.field, given.fields[self.field])

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        if self.field not in wanted:
            return data
        assert isinstance(data, VolumeData)
        found = data
        with together(comm, f"recenter of {self.field}"):
            blocks = [
                RecenteredBlock(self.field, block, self.association)
                for block in data.fields[self.field]
            ]
            found = replace(data, fields={**data.fields, self.field: blocks})
        return found
