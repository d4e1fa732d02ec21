"""Filters that leave a part of a volume: threshold, clip, clip_with_field, isovolume.

In: a volume. Out: a volume that is NaN where nothing is left, with the surface around the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from insitu.extract.clip import clip, clip_with_field, isovolume
from insitu.extract.decomposition import Fields
from insitu.extract.remainder import Remainder
from insitu.extract.shapes import Shape
from insitu.extract.threshold import threshold
from insitu.history.steps import Span, Step
from insitu.pipelines.outline import Outline
from insitu.pipelines.pipeline import Data, Names, Volume

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True)
class Clip:
    """What is outside of a box or sphere, or before a plane; inverted, the rest."""

    shape: Shape
    invert: bool = False
    type: str = "clip"

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: Outline) -> Outline:
        return _cut(given, self.type)

    def reads(self, wanted: Names) -> Names:
        return wanted

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: Step) -> Data:
        assert isinstance(data, Volume)
        return _left(data, clip(comm, data.fields, self.shape, invert=self.invert))


@dataclass(frozen=True)
class Between:
    """Where a scalar is between two values: `isovolume` and `clip_with_field` cut through cells,
    `threshold` takes whole ones."""

    type: str
    field: str
    low: float
    """As `high`, infinite for clip_with_field, which has one value."""
    high: float
    invert: bool = False
    """Of threshold: the other cells."""

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: Outline) -> Outline:
        found = _cut(given, self.type)
        given.scalar(self.field)
        return found

    def reads(self, wanted: Names) -> Names:
        return wanted | {self.field}

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: Step) -> Data:
        assert isinstance(data, Volume)
        left = _LEFT[self.type](comm, data.fields, self)
        return _left(data, left)


def _by_threshold(comm: MPI.Comm, fields: Fields, cut: Between) -> Remainder:
    return threshold(comm, fields, cut.field, cut.low, cut.high, invert=cut.invert)


def _by_isovolume(comm: MPI.Comm, fields: Fields, cut: Between) -> Remainder:
    return isovolume(comm, fields, cut.field, cut.low, cut.high)


def _by_value(comm: MPI.Comm, fields: Fields, cut: Between) -> Remainder:
    below = cut.low == -float("inf")
    return clip_with_field(comm, fields, cut.field, cut.high if below else cut.low, invert=below)


_LEFT = {"threshold": _by_threshold, "isovolume": _by_isovolume, "clip_with_field": _by_value}


def _cut(given: Outline, kind: str) -> Outline:
    given.volume(kind)
    return replace(given, cut_by=(*given.cut_by, kind))


def _left(data: Volume, left: Remainder) -> Volume:
    return Volume(left.fields, data.bounds, left.surface)
