"""Filters that leave a part of a volume: threshold, clip, clip_with_field, isovolume.

In: a volume. Out: a volume that is NaN where nothing is left, with the surface around the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from insitu.extract.clip import clip, clip_with_field, isovolume
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
        if self.type == "threshold":
            left = threshold(comm, data.fields, self.field, self.low, self.high, invert=self.invert)
        elif self.type == "isovolume":
            left = isovolume(comm, data.fields, self.field, self.low, self.high)
        else:
            below = self.low == -float("inf")
            value = self.high if below else self.low
            left = clip_with_field(comm, data.fields, self.field, value, invert=below)
        return _left(data, left)


def _cut(given: Outline, kind: str) -> Outline:
    given.volume(kind)
    return replace(given, cut_by=(*given.cut_by, kind))


def _left(data: Volume, left: Remainder) -> Volume:
    return Volume(left.fields, data.bounds, left.surface)
