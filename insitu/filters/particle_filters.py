"""Filters that trace particles: streamline, particle_advection, and pathlines (an extension).

In: a recorded velocity, at one step or several. Out: lines, or their end points; with time, speed,
and the numbers of the line and of the step on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from insitu.core.geometry import Lines
from insitu.core.parallel import together
from insitu.filters.geometry.tube_surface import tube_surface
from insitu.filters.particles.pathlines import particle_advection, pathlines, streamlines
from insitu.filters.pipeline import Data, Names, VolumeData
from insitu.filters.schema import LINES, POINTS, SURFACE, DataSchema
from insitu.filters.seeds import Seeds
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI

VALUES = ("time", "speed", "line", "step")


@dataclass(frozen=True)
class ParticleFilter:
    """Base class of these filters. Immutable."""

    field: str
    """Name of the velocity field."""
    seeds: Seeds
    method: Literal["rk4", "rk45"] = "rk4"
    step_size: float | None = None
    """Time of a step; default: the time in which the fastest particle crosses half a cell."""
    num_steps: int = 1000
    """Maximum number of steps of a line."""
    tube_size: float | None = None
    """Radius of the tubes that are drawn, in world units."""
    output: str = ""
    """Name of a constant value at all points, which Ascent uses for colours."""
    tube_value: float = 0.0
    tube_sides: int | None = None
    """Flat sides of the tubes, which then are a surface; None: lines."""
    capped: bool = False
    """Whether the ends of such tubes are closed."""
    periodic: str = ""
    """The axes along which lines continue at the other side of the domain, as in "xz"."""

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def reads(self, wanted: Names) -> Names:
        fields = {self.field, self.seeds.field} - {None}
        return frozenset(name for name in fields if name is not None)

    def _outline(self, given: DataSchema, kind: str, made_by: str) -> DataSchema:
        given.volume(made_by)
        given.recorded(self.field, made_by)
        given.vector(self.field)
        if self.seeds.field is not None:
            given.recorded(self.seeds.field, made_by, "seeds/field")
        values = dict.fromkeys([*VALUES, *([self.output] if self.output else [])], 1)
        if kind == LINES and self.tubes:
            kind = SURFACE
        return DataSchema(values, kind, made_by)

    @property
    def tubes(self) -> bool:
        """Whether lines become surfaces."""
        return self.tube_sides is not None and self.tube_size is not None

    def _drawn(self, lines: Lines) -> Data:
        """Lines, or the tubes around them."""
        found = self._with_output(lines)
        if self.tube_sides is None or self.tube_size is None:
            return found
        return tube_surface(found, self.tube_size, self.tube_sides, capped=self.capped)

    def _with_output(self, lines: Lines) -> Lines:
        if not self.output:
            return lines
        constant = np.full(len(lines.points), self.tube_value)
        return replace(lines, values={**lines.values, self.output: constant})

    def _options(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "step": self.step_size,
            "max_steps": self.num_steps,
            "periodic": self.periodic,
        }


@dataclass(frozen=True)
class Streamline(ParticleFilter):
    """Streamlines of the velocity at one step."""

    type: str = "streamline"

    def outline(self, given: DataSchema) -> DataSchema:
        return self._outline(given, LINES, self.type)

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        assert isinstance(data, VolumeData)
        seeds = self.seeds.points(comm, step, data.bounds)
        field = step.open(self.field)
        return self._drawn(streamlines(comm, field, seeds, **self._options()))


@dataclass(frozen=True)
class ParticleAdvection(ParticleFilter):
    """End positions of particles advected with the velocity at one step."""

    type: str = "particle_advection"

    def outline(self, given: DataSchema) -> DataSchema:
        return self._outline(given, POINTS, self.type)

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        assert isinstance(data, VolumeData)
        seeds = self.seeds.points(comm, step, data.bounds)
        field = step.open(self.field)
        return self._with_output(particle_advection(comm, [field], seeds, **self._options()))


@dataclass(frozen=True)
class Pathlines(ParticleFilter):
    """Pathlines through the recorded steps up to this one: backward from it, or forward to it
    from the first of them."""

    num_steps: int = 10_000
    direction: Literal["backward", "forward"] = "backward"
    window: Span = "all"
    """Number of steps to use, up to this one."""
    tolerance: float = 1e-6
    """For rk45: error tolerance of a step, as a fraction of the domain's diagonal."""
    max_length: float | None = None
    """Maximum length of a line, in world units."""
    arrowheads: bool = True
    """Whether they are drawn with arrowheads where they end in time."""
    type: str = "pathlines"

    @property
    def past(self) -> Mapping[str, Span]:
        begins = self.direction == "forward" and self.seeds.field is not None
        names = [self.field, *([str(self.seeds.field)] if begins else [])]
        return dict.fromkeys(names, self.window)

    def outline(self, given: DataSchema) -> DataSchema:
        return self._outline(given, LINES, self.type)

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        assert isinstance(data, VolumeData)
        start = step
        with together(comm, "pathlines"):
            steps = step.past(self.field, self.window)
            if self.direction == "forward":
                first = steps[0].summary
                start = TimeStep(step.window, first.cycle, first.time)
        seeds = self.seeds.points(comm, start, data.bounds)
        lines = pathlines(
            comm,
            steps,
            seeds,
            direction=self.direction,
            tolerance=self.tolerance,
            max_length=self.max_length,
            **self._options(),
        )
        return self._drawn(lines)
