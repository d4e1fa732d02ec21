"""The filters that trace particles, and their seeds.

In: the params of streamline, particle_advection or pathlines. Out: a filter, or InvalidAction.

To add a type of seeds, add a model and an entry in SEEDS.
"""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from insitu.actions.base import ActionModel, Tagged
from insitu.actions.errors import InvalidAction
from insitu.actions.filters import FilterParams
from insitu.actions.reader import ActionParser
from insitu.actions.values import (
    count,
    field_name,
    flag,
    interval,
    number,
    numbers,
    one_of,
    positive,
    span,
    text,
    xyz,
)
from insitu.core.yaml_tree import KeyPath
from insitu.filters.particle_filters import (
    ParticleAdvection,
    ParticleFilter,
    Pathlines,
    Streamline,
)
from insitu.filters.pipeline import Filter
from insitu.filters.seeds import Box, Line, OnIsosurface, Points, Seeds
from insitu.store.timestep import Span

Vector = tuple[float, float, float]

_MOST = 1_000_000  # seeds, and steps of a line


class SeedParams(ActionModel):
    """Where lines start."""

    @abstractmethod
    def make(self) -> Seeds: ...


class PointSeed(SeedParams):
    """One point."""

    type: Annotated[str, one_of(("point",))] = Field(description="`point`.")
    location: Annotated[Vector, xyz()] = Field(description="World coordinates.")

    def make(self) -> Seeds:
        return Points((self.location,))


class PointListSeeds(SeedParams):
    """Points given one by one."""

    type: Annotated[str, one_of(("point_list",))] = Field(description="`point_list`.")
    location: Annotated[tuple[float, ...], numbers(3 * _MOST)] = Field(
        description="`[x0, y0, z0, x1, ...]`, world coordinates."
    )

    @pydantic.field_validator("location")
    @classmethod
    def _whole_points(cls, found: tuple[float, ...]) -> tuple[float, ...]:
        if len(found) % 3:
            raise ValueError(f"{len(found)} numbers; expected x, y and z of each point")
        return found

    def make(self) -> Seeds:
        return Points(tuple(zip(*[iter(self.location)] * 3, strict=True)))


_SAMPLING = Annotated[str, one_of(("uniform", "random"))]


class LineSeeds(SeedParams):
    """Points on a straight line."""

    type: Annotated[str, one_of(("line",))] = Field(description="`line`.")
    start: Annotated[Vector, xyz()] = Field(description="World coordinates.")
    end: Annotated[Vector, xyz()] = Field(description="World coordinates.")
    num_seeds: Annotated[int, count(_MOST)] = Field(description="Number of points.")
    sampling_type: _SAMPLING = Field(description="`uniform`, evenly spaced, or `random`.")

    def make(self) -> Seeds:
        return Line(self.start, self.end, self.num_seeds, self.sampling_type == "random")


_ALONG = ("num_seeds_x", "num_seeds_y", "num_seeds_z")
_EXTENTS = ("extents_x", "extents_y", "extents_z")
_Count = Annotated[int | None, count(_MOST)]
_Extent = Annotated[
    tuple[float, float] | None,
    interval("expected the two ends, the lower first, found {shown}", closed=True),
]


class BoxSeeds(SeedParams):
    """Points in a box, or on its faces."""

    type: Annotated[str, one_of(("box",))] = Field(description="`box`.")
    sampling_type: _SAMPLING = Field(
        description="`uniform`: on a regular grid, requires `num_seeds_x`, `num_seeds_y` and "
        "`num_seeds_z`; `random`: requires `num_seeds`."
    )
    sampling_space: Annotated[str, one_of(("interior", "boundary"))] = Field(
        description="`interior`, or `boundary`: the four sides normal to x and y."
    )
    num_seeds: _Count = Field(None, description="Number of random points.")
    num_seeds_x: _Count = Field(None, description="Number of points along x; 1: in the middle.")
    num_seeds_y: _Count = Field(None, description="The same along y.")
    num_seeds_z: _Count = Field(None, description="The same along z.")
    extents_x: _Extent = Field(
        None,
        description="Extent of the box along x; give all three or none; default: the domain.",
    )
    extents_y: _Extent = Field(None, description="The same along y.")
    extents_z: _Extent = Field(None, description="The same along z.")

    @pydantic.model_validator(mode="after")
    def _together(self) -> BoxSeeds:
        random = self.sampling_type == "random"
        needed, other = (("num_seeds",), _ALONG) if random else (_ALONG, ("num_seeds",))
        for key in needed:
            if getattr(self, key) is None:
                raise InvalidAction((key,), "is required")
        for key in other:
            if getattr(self, key) is not None:
                text = f"is not for {self.sampling_type} seeds; give {', '.join(needed)}"
                raise InvalidAction((key,), text)
        given = [key for key in _EXTENTS if getattr(self, key) is not None]
        for key in _EXTENTS:
            if given and key not in given:
                raise InvalidAction((key,), "is required beside the others")
        return self

    def make(self) -> Seeds:
        options: dict[str, Any] = {"boundary": self.sampling_space == "boundary"}
        if self.sampling_type == "random":
            options["random"] = self.num_seeds
        else:
            options["counts"] = (self.num_seeds_x, self.num_seeds_y, self.num_seeds_z)
        if self.extents_x is not None:
            options["extents"] = (self.extents_x, self.extents_y, self.extents_z)
        return Box(**options)


class IsosurfaceSeeds(SeedParams):
    """Random points on an isosurface, uniform in area (insitu extension)."""

    type: Annotated[str, one_of(("isosurface",))] = Field(description="`isosurface`.")
    field: Annotated[str, field_name()] = Field(
        description="Name of a recorded field; for a vector, its magnitude."
    )
    iso_value: Annotated[float, number()] = Field(description="In the field's unit.")
    num_seeds: Annotated[int, count(_MOST)] = Field(description="Number of points.")

    def make(self) -> Seeds:
        return OnIsosurface(self.field, self.iso_value, self.num_seeds)


SEEDS: dict[str, type[ActionModel]] = {
    "point": PointSeed,
    "point_list": PointListSeeds,
    "line": LineSeeds,
    "box": BoxSeeds,
    "isosurface": IsosurfaceSeeds,
}


class RenderingParams(ActionModel):
    """How lines are drawn."""

    tube_size: Annotated[float | None, positive()] = Field(
        None,
        description="Radius of the tubes, world length; default: lines three pixels wide.",
    )
    output_field: Annotated[str | None, text("a name")] = Field(
        None,
        description="Name of a constant value on the lines; default for streamlines: "
        "`<field>_streamlines`.",
    )
    tube_value: Annotated[float, number()] = Field(0.0, description="The constant value.")
    enable_tubes: Annotated[bool, flag()] = Field(
        True, description="`false`: lines three pixels wide, whatever `tube_size` says."
    )
    tube_sides: Annotated[int | None, count(64, 3)] = Field(
        None,
        description="Number of flat sides of the tubes, which then are a surface; default: round "
        "lines.",
    )
    tube_capping: Annotated[bool, flag()] = Field(
        False, description="With `tube_sides`: `true`: the ends are closed."
    )


class PathRenderingParams(RenderingParams):
    """How pathlines are drawn."""

    arrowheads: Annotated[bool, flag()] = Field(
        True, description="Draw a head where a line ends in time; lines of no length are left out."
    )


_VELOCITY = "Name of a recorded vector field, the velocity."
_SEEDED = "Where lines start; see below."
_RENDERING = "How lines are drawn; see below."


def in_domain(made: Filter, periodic: str) -> Filter:
    """The filter in a domain that is periodic along these axes."""
    if isinstance(made, ParticleFilter):
        return dataclasses.replace(made, periodic=periodic)
    return made


class LineParams(FilterParams):
    """What the filters that trace particles have in common."""

    field: Annotated[str, field_name()] = Field(description=_VELOCITY)
    seeds: Annotated[Any, Tagged("Seeds", SEEDS)] = Field(description=_SEEDED)

    def made(self, reader: ActionParser, kind: str, path: KeyPath, name: str) -> Filter:
        return in_domain(super().made(reader, kind, path, name), reader.periodic)

    def options(self, given: RenderingParams | None, kind: str) -> dict[str, Any]:
        """The arguments of a `ParticleFilter`, except the steps."""
        rendering = given or RenderingParams.model_validate({})
        output = rendering.output_field
        if output is None:
            output = f"{self.field}_streamlines" if kind == "streamline" else ""
        return {
            "field": self.field,
            "seeds": self.seeds.make(),
            "tube_size": rendering.tube_size if rendering.enable_tubes else None,
            "tube_value": rendering.tube_value,
            "tube_sides": rendering.tube_sides if rendering.enable_tubes else None,
            "capped": rendering.tube_capping,
            "output": output,
        }


class StreamlineParams(LineParams):
    """Lines along the velocity of one step, taken as constant in time."""

    num_steps: Annotated[int, count(_MOST)] = Field(
        description="Maximum number of integration steps per line."
    )
    step_size: Annotated[float, positive()] = Field(
        description="Integration time step, in the simulation's unit."
    )
    rendering: RenderingParams | None = Field(None, description=_RENDERING)

    def make(self, kind: str, steps: int) -> Filter:
        made = Streamline if kind == "streamline" else ParticleAdvection
        options = self.options(self.rendering, kind)
        return made(**options, num_steps=self.num_steps, step_size=self.step_size)


class PathlineParams(LineParams):
    """Lines of particles through the recorded steps (insitu extension)."""

    num_steps: Annotated[int, count(_MOST)] = Field(
        10_000, description="Maximum number of integration steps per line."
    )
    step_size: Annotated[float | None, positive()] = Field(
        None,
        description="Integration time step, in the simulation's unit; default: the fastest "
        "particle moves half a cell.",
    )
    rendering: PathRenderingParams | None = Field(None, description=_RENDERING)
    method: Annotated[Literal["rk4", "rk45"], one_of(("rk4", "rk45"))] = Field(
        "rk4", description="Runge-Kutta method with fixed (`rk4`) or adaptive (`rk45`) step size."
    )
    tolerance: Annotated[float, positive()] = Field(
        1e-6, description="`rk45`: error per step, as a fraction of the domain's diagonal."
    )
    direction: Annotated[Literal["backward", "forward"], one_of(("backward", "forward"))] = Field(
        "backward",
        description="`backward`: from the present step into the past; `forward`: from the first "
        "step to the present one.",
    )
    window: Annotated[Span, span()] = Field(
        "all", description="How many recorded steps to use, up to the present one."
    )
    max_length: Annotated[float | None, positive()] = Field(
        None, description="Maximum length of a line, world length; default: unlimited."
    )

    def make(self, kind: str, steps: int) -> Filter:
        if self.window != "all" and self.window > steps:
            text = f"the window keeps {steps}; set window.steps to {self.window}"
            raise InvalidAction(("window",), text)
        return Pathlines(
            **self.options(self.rendering, kind),
            method=self.method,
            step_size=self.step_size,
            num_steps=self.num_steps,
            direction=self.direction,
            window=self.window,
            tolerance=self.tolerance,
            max_length=self.max_length,
            arrowheads=self.rendering is None or self.rendering.arrowheads,
        )
