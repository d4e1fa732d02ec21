"""Filters that make a surface of a volume: contour, slice, 3slice.

In: a volume. Out: a surface with the fields that are wanted of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from insitu.extract.isosurface import isosurface
from insitu.extract.slice import slice_plane, three_slice
from insitu.fields.sampled_block import SampledBlock
from insitu.geometry import Surface
from insitu.history.steps import Span, Step
from insitu.parallel import together
from insitu.pipelines.outline import SURFACE, Outline
from insitu.pipelines.pipeline import Data, Names, Volume
from insitu.pipelines.ranges import value_range

if TYPE_CHECKING:
    from mpi4py import MPI

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Contour:
    """Where a field has certain values; of a vector, its magnitude."""

    field: str
    iso_values: tuple[float, ...] = ()
    levels: int = 0
    """Instead: so many values, evenly spaced within the field's range at the step."""
    type: str = "contour"

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: Outline) -> Outline:
        given.volume(self.type)
        given.field(self.field)
        return given.became(SURFACE, self.type)

    def reads(self, wanted: Names) -> Names:
        return wanted | {self.field}

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: Step) -> Data:
        assert isinstance(data, Volume)
        blocks = data.fields[self.field]
        values = self.iso_values
        if self.levels:
            low, high = value_range(comm, blocks)
            values = tuple(np.linspace(low, high, self.levels + 2)[1:-1].tolist())
        return isosurface(
            comm, blocks, values, color_by={name: data.fields[name] for name in sorted(wanted)}
        )


@dataclass(frozen=True)
class Slice:
    """A plane."""

    normal: Vector
    point: Vector | None = None
    """World x y z."""
    offset: Vector | None = None
    """Instead: from -1, the lowest end of the domain along an axis, to 1, the highest."""
    type: str = "slice"

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: Outline) -> Outline:
        given.volume(self.type)
        return given.became(SURFACE, self.type)

    def reads(self, wanted: Names) -> Names:
        return wanted

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: Step) -> Data:
        assert isinstance(data, Volume)
        point = self.point
        if point is None:
            low, high = data.bounds
            point = tuple(low + (1 + np.array(self.offset)) / 2 * (high - low))
        found = slice_plane(comm, _fields(data, wanted), point, self.normal)
        return _left(comm, found) if data.around else found


@dataclass(frozen=True)
class ThreeSlice:
    """Three planes along the axes, at offsets as those of `Slice`."""

    x_offset: float = 0.0
    y_offset: float = 0.0
    z_offset: float = 0.0
    type: str = "3slice"

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: Outline) -> Outline:
        given.volume(self.type)
        return given.became(SURFACE, self.type)

    def reads(self, wanted: Names) -> Names:
        return wanted

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: Step) -> Data:
        assert isinstance(data, Volume)
        found = three_slice(
            comm,
            _fields(data, wanted),
            x_offset=self.x_offset,
            y_offset=self.y_offset,
            z_offset=self.z_offset,
        )
        return _left(comm, found) if data.around else found


def _fields(data: Volume, wanted: Names) -> Mapping[str, Sequence[SampledBlock]]:
    return {name: data.fields[name] for name in sorted(wanted)}


def _left(comm: MPI.Comm, surface: Surface) -> Surface:
    """Without the triangles that reach where a clip has left nothing."""
    found = surface
    with together(comm, "slice of what is left"):
        there = np.ones(len(surface.points), bool)
        for values in surface.values.values():
            there &= np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        found = replace(surface, triangles=surface.triangles[there[surface.triangles].all(axis=1)])
    return found
