"""Filters that extract a surface from a volume: contour, slice, 3slice.

In: a volume. Out: a surface with the wanted fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.geometry import Surface
from insitu.core.parallel import together
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.contour_lines import contour_lines, in_plane
from insitu.filters.geometry.isosurface import isosurface
from insitu.filters.geometry.slice import slice_plane, three_slice
from insitu.filters.pipeline import Data, Names, VolumeData
from insitu.filters.ranges import value_range
from insitu.filters.schema import SURFACE, DataSchema
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI

Vector = tuple[float, float, float]


class SurfaceFilter:
    """Base class of these filters: from a volume at one step to a surface with its fields."""

    type: str

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: DataSchema) -> DataSchema:
        given.volume(self.type)
        return given.became(SURFACE, self.type)

    def reads(self, wanted: Names) -> Names:
        return wanted


@dataclass(frozen=True)
class Contour(SurfaceFilter):
    """Isosurfaces of a field; for a vector, of its magnitude. In a plane, contour lines."""

    field: str
    iso_values: tuple[float, ...] = ()
    levels: int = 0
    """Alternatively, the number of values, evenly spaced within the field's range at the step."""
    type: str = "contour"

    def outline(self, given: DataSchema) -> DataSchema:
        surface = super().outline(given)
        given.field(self.field)
        return surface

    def reads(self, wanted: Names) -> Names:
        return wanted | {self.field}

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        assert isinstance(data, VolumeData)
        blocks = data.fields[self.field]
        values = self.iso_values
        if self.levels:
            low, high = value_range(comm, blocks)
            values = tuple(np.linspace(low, high, self.levels + 2)[1:-1].tolist())
        fields = fields_of(data, wanted)
        surface = _with_all(comm, isosurface(comm, blocks, values, color_by=fields), fields)
        if not in_plane(comm, blocks):
            return surface
        found: Data = surface
        with together(comm, "contour lines"):
            found = contour_lines(surface, blocks)
        return found


@dataclass(frozen=True)
class Slice(SurfaceFilter):
    """A slice through a plane."""

    normal: Vector
    point: Vector | None = None
    """A point of the plane, world x y z."""
    offset: Vector | None = None
    """Alternatively, offsets from -1 (the lower end of the domain along an axis) to 1 (the
    upper)."""
    type: str = "slice"

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        assert isinstance(data, VolumeData)
        point = self.point
        if point is None:
            low, high = data.bounds
            point = tuple(low + (1 + np.array(self.offset)) / 2 * (high - low))
        return slice_plane(comm, fields_of(data, wanted), point, self.normal)


@dataclass(frozen=True)
class ThreeSlice(SurfaceFilter):
    """Three axis-aligned planes, with offsets as in `Slice`."""

    x_offset: float = 0.0
    y_offset: float = 0.0
    z_offset: float = 0.0
    type: str = "3slice"

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        assert isinstance(data, VolumeData)
        return three_slice(
            comm,
            fields_of(data, wanted),
            x_offset=self.x_offset,
            y_offset=self.y_offset,
            z_offset=self.z_offset,
        )


def fields_of(data: VolumeData, wanted: Names) -> Mapping[str, Sequence[SampledBlock]]:
    return {name: data.fields[name] for name in sorted(wanted)}


def _with_all(
    comm: MPI.Comm, surface: Surface, fields: Mapping[str, Sequence[SampledBlock]]
) -> Surface:
    """Add the missing fields on ranks without a block. Collective."""
    mine = [max((b.n_components for b in blocks), default=0) for blocks in fields.values()]
    widths = np.max(comm.allgather(mine), axis=0).astype(int).tolist()
    empty = {n: np.empty((0, w) if w > 1 else 0) for n, w in zip(fields, widths, strict=True)}
    return (
        replace(surface, values={**empty, **surface.values}) if not len(surface.points) else surface
    )
