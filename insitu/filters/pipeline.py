"""Pipelines: chains of filters, from the fields of a step to the data that is shown or saved.

In: a step, and the fields needed at the end. Out: a volume, a surface or lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

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
    """Field name -> blocks; block i of each is on the same partition."""
    bounds: Bounds
    """(lo (3,), hi (3,)) of the whole domain, world."""
    around: Callable[[MPI.Comm], Surface] | None = None
    """For a part of the domain: extracts this rank's piece of its surface, with the fields on it.
    Collective."""

    def surface(self, comm: MPI.Comm) -> Surface:
        """This rank's piece of the outer faces, with the fields on them. Collective."""
        if self.around is not None:
            return self.around(comm)
        return boundary_surface(comm, self.fields)


Data: TypeAlias = "VolumeData | Surface | Lines"


class Filter(Protocol):
    """One stage of a pipeline. Immutable; equal filters have equal results."""

    @property
    def type(self) -> str:
        """Ascent's name of the filter type."""

    @property
    def past(self) -> Mapping[str, Span]:
        """Recorded field -> number of steps, for fields of which it also reads earlier steps."""

    def outline(self, given: DataSchema) -> DataSchema:
        """The schema of its output for this input. Raises ValueError, "parameter: text"."""

    def reads(self, wanted: Names) -> Names:
        """The input fields that it needs to produce the wanted output fields."""

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        """Run the filter. Collective. RemoteError or ValueError, the same on every rank."""


@runtime_checkable
class Moves(Protocol):
    """A filter whose result may be elsewhere than its input."""

    @property
    def moves(self) -> bool:
        """Whether it is, with its parameters."""

    def bounds(self, before: Bounds) -> Bounds:
        """The box around its result, of data in a box."""


@runtime_checkable
class Carried(Protocol):
    """A filter that needs some field for its blocks, whichever it is."""

    def on(self, given: DataSchema) -> Filter:
        """The filter with a field of its input."""


@dataclass(frozen=True)
class Pipeline:
    """Filters in order of execution; without filters the fields pass through unchanged."""

    name: str = ""
    filters: tuple[Filter, ...] = ()

    def outline(self, given: DataSchema) -> DataSchema:
        """The schema of its result. Raises ValueError as the filters do."""
        for one in self.filters:
            given = one.outline(given)
        return given

    def reads(self, wanted: Names) -> Names:
        """The recorded fields of the current step that it needs."""
        for one in reversed(self.filters):
            wanted = one.reads(wanted)
        return wanted

    @property
    def past(self) -> Names:
        """The recorded fields of which it also reads earlier steps."""
        return frozenset(name for one in self.filters for name in one.past)

    def bounds(self, bounds: Bounds) -> Bounds:
        """The box around its result, of a domain with these bounds."""
        for one in self.filters:
            if isinstance(one, Moves) and one.moves:
                bounds = one.bounds(bounds)
        return bounds

    @property
    def moves(self) -> bool:
        """Whether its result may be elsewhere than the blocks that it is made of."""
        return any(isinstance(one, Moves) and one.moves for one in self.filters)


UNFILTERED = Pipeline()
"""A pipeline without filters: the recorded fields."""


@dataclass
class Results:
    """The results of pipelines at one step, each computed once. Calls must match on all ranks."""

    comm: MPI.Comm
    step: TimeStep
    bounds: Bounds | None = None
    """(lo (3,), hi (3,)) of the whole domain, available once a field is read."""
    boxes: tuple[Bounds, ...] = ()
    """The bounds of each block of this rank."""
    _done: dict[tuple[tuple[Filter, ...], Names], Data] = field(default_factory=dict)

    def of(self, pipeline: Pipeline, wanted: Names) -> Data:
        """The result of a pipeline. Collective; RemoteError or ValueError on every rank."""
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
