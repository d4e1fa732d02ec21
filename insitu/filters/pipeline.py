"""Pipelines: chains of filters, from the fields of a step to what is shown or saved.

In: a step, and the fields that are wanted at the end. Out: a volume, a surface or lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from insitu.core.box import Bounds
from insitu.core.geometry import Lines, Surface
from insitu.core.parallel import together
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.external_faces import boundary_surface
from insitu.filters.schema import DataSchema
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI

Names: TypeAlias = frozenset[str]


@dataclass(frozen=True)
class VolumeData:
    """This rank's blocks of some fields, all on the same partitions."""

    fields: Mapping[str, Sequence[SampledBlock]]
    """Block i of each lies on the same partition."""
    bounds: Bounds
    """(lo (3,), hi (3,)) of the whole domain, world."""
    around: Callable[[MPI.Comm], Surface] | None = None
    """Of a part of the domain: what makes this rank's piece of the surface around it, with the
    fields on it. Collective."""

    def surface(self, comm: MPI.Comm) -> Surface:
        """This rank's piece of its outer faces, with the fields on them. Collective."""
        if self.around is not None:
            return self.around(comm)
        return boundary_surface(comm, self.fields)


Data: TypeAlias = "VolumeData | Surface | Lines"


class Filter(Protocol):
    """What a pipeline does in one place. Immutable; equal filters do the same."""

    @property
    def type(self) -> str:
        """As Ascent calls it."""

    @property
    def past(self) -> Mapping[str, Span]:
        """The recorded fields of which it reads earlier steps too, and how many."""

    def outline(self, given: DataSchema) -> DataSchema:
        """What it makes of something like this. ValueError, "parameter: text", if it cannot."""

    def reads(self, wanted: Names) -> Names:
        """The fields of its input that it needs so that its output has those wanted."""

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        """Collective. Raises the same on every rank: RemoteError, or ValueError."""


@dataclass(frozen=True)
class Pipeline:
    """Filters in the order in which they work; none at all pass the fields through."""

    name: str = ""
    filters: tuple[Filter, ...] = ()

    def outline(self, given: DataSchema) -> DataSchema:
        """What comes out of it. Raises ValueError as the filters do."""
        for one in self.filters:
            given = one.outline(given)
        return given

    def reads(self, wanted: Names) -> Names:
        """The recorded fields of the step that it needs."""
        for one in reversed(self.filters):
            wanted = one.reads(wanted)
        return wanted

    @property
    def past(self) -> Names:
        """The recorded fields of which it reads earlier steps too."""
        return frozenset(name for one in self.filters for name in one.past)


UNFILTERED = Pipeline()
"""All fields as they are recorded."""


@dataclass
class Results:
    """What pipelines give at one step, each computed once. The same calls on every rank."""

    comm: MPI.Comm
    step: TimeStep
    bounds: Bounds | None = None
    """(lo (3,), hi (3,)) of the whole domain, known once a field is read."""
    boxes: tuple[Bounds, ...] = ()
    """The same of each block of this rank."""
    _done: dict[tuple[tuple[Filter, ...], Names], Data] = field(default_factory=dict)

    def of(self, pipeline: Pipeline, wanted: Names) -> Data:
        """Collective. Raises the same on every rank: RemoteError, or ValueError."""
        key = (pipeline.filters, wanted)
        if key not in self._done:
            self._done[key] = self._computed(pipeline, wanted)
        return self._done[key]

    def _computed(self, pipeline: Pipeline, wanted: Names) -> Data:
        if not pipeline.filters:
            return self._opened(wanted)
        *before, last = pipeline.filters
        needed = last.reads(wanted)
        data = self.of(Pipeline(pipeline.name, tuple(before)), needed)
        return last.apply(self.comm, data, wanted, self.step)

    def _opened(self, names: Names) -> VolumeData:
        fields = {}
        with together(self.comm, f"fields of cycle {self.step.cycle}"):
            fields = {name: self.step.open(name) for name in sorted(names)}
        first = next(iter(fields.values()))
        self.bounds = first.summary.bounds
        self.boxes = tuple(block.bounds for block in first.fields)
        return VolumeData({name: field.fields for name, field in fields.items()}, self.bounds)
