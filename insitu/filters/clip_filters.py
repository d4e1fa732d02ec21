"""Filters that keep part of a volume: threshold, clip, clip_with_field, isovolume.

In: a volume. Out: a volume that is NaN in the removed part, and the surface of the kept part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from insitu.filters.geometry.clip import clip, clip_with_field, isovolume
from insitu.filters.geometry.clipped_volume import ClippedVolume
from insitu.filters.geometry.decomposition import Fields
from insitu.filters.geometry.shapes import Shape
from insitu.filters.geometry.threshold import threshold
from insitu.filters.pipeline import Data, Names, VolumeData
from insitu.filters.schema import DataSchema
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True)
class Clip:
    """Keeps what is outside a box or sphere, or on one side of a plane; inverted, the rest."""

    shape: Shape
    invert: bool = False
    type: str = "clip"

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: DataSchema) -> DataSchema:
        return _cut(given, self.type)

    def reads(self, wanted: Names) -> Names:
        return wanted

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        assert isinstance(data, VolumeData)
        return _left(data, clip(comm, data.fields, self.shape, invert=self.invert))


@dataclass(frozen=True)
class ValueRange:
    """Keeps the part where a scalar is between two values: `isovolume` and `clip_with_field` cut
    cells, `threshold` keeps whole cells."""

    type: str
    field: str
    low: float
    """Lower limit; like `high`, infinite for a clip_with_field without such a limit."""
    high: float
    invert: bool = False
    """For threshold: keep the other cells."""

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: DataSchema) -> DataSchema:
        found = _cut(given, self.type)
        given.scalar(self.field)
        return found

    def reads(self, wanted: Names) -> Names:
        return wanted | {self.field}

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        assert isinstance(data, VolumeData)
        left = _LEFT[self.type](comm, data.fields, self)
        return _left(data, left)


def _by_threshold(comm: MPI.Comm, fields: Fields, cut: ValueRange) -> ClippedVolume:
    return threshold(comm, fields, cut.field, cut.low, cut.high, invert=cut.invert)


def _by_isovolume(comm: MPI.Comm, fields: Fields, cut: ValueRange) -> ClippedVolume:
    return isovolume(comm, fields, cut.field, cut.low, cut.high)


def _by_value(comm: MPI.Comm, fields: Fields, cut: ValueRange) -> ClippedVolume:
    below = cut.low == -float("inf")
    return clip_with_field(comm, fields, cut.field, cut.high if below else cut.low, invert=below)


_LEFT = {"threshold": _by_threshold, "isovolume": _by_isovolume, "clip_with_field": _by_value}


def _cut(given: DataSchema, kind: str) -> DataSchema:
    given.volume(kind)
    return replace(given, cut_by=(*given.cut_by, kind))


def _left(data: VolumeData, left: ClippedVolume) -> VolumeData:
    return VolumeData(left.fields, data.bounds, left.surface)
