"""The filters of pipelines, by Ascent's types and parameters.

In: the params of a filter. Out: the filter that a pipeline runs, or InvalidAction.

To add a filter, add a model, here or elsewhere, and an entry in FILTERS (filter_types.py). The JSON
schema and the tables of docs/actions.md are made from these.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, NamedTuple

import pydantic
from pydantic import Field

from insitu.actions.base import ActionModel, exactly_one
from insitu.actions.errors import InvalidAction, inside
from insitu.actions.reader import ActionParser
from insitu.actions.values import (
    count,
    direction,
    field_name,
    flag,
    number,
    numbers,
    positive,
    refused,
    slice_point,
    text,
    xyz,
)
from insitu.core.yaml_tree import KeyPath
from insitu.filters.clip_filters import Clip, ValueRange
from insitu.filters.derived import Derive
from insitu.filters.geometry.shapes import Box, Plane, Shape, Sphere
from insitu.filters.pipeline import Filter
from insitu.filters.surface_filters import Contour, Slice, ThreeSlice

Vector = tuple[float, float, float]
Topology = Annotated[str, text("the name of a topology")]
_TOPOLOGY = "Accepted and ignored: a run has one mesh."
_FIELD = "Name of a field."
_OUTPUT = "Name of the new field"


class FilterParams(ActionModel):
    """The params of a filter."""

    numbers_by_expressions: ClassVar[bool] = True
    """Whether expressions of queries may stand for numbers in it."""

    def make(self, kind: str, steps: int) -> Filter:
        """kind: its type, for models that several types share. steps: that the window keeps.

        Raises ValueError or InvalidAction, with a path within the params."""
        raise NotImplementedError

    def made(self, reader: ActionParser, kind: str, path: KeyPath, name: str) -> Filter:
        """As `make`, by what reads the params, which stand at `path`. name: of the filter, for the
        names of its queries. Raises InvalidAction, with the whole path."""
        with inside(path):
            return self.make(kind, reader.steps)


class FilterType(NamedTuple):
    """A type of filter."""

    params: type[FilterParams]
    summary: str
    """What it does, in a sentence."""
    gives: str
    """What comes out of it."""


class ContourParams(FilterParams):
    """Isosurfaces of a field."""

    model_config = exactly_one("iso_values", "levels")

    field: Annotated[str, field_name()] = Field(
        description="Name of a field; for a vector, its magnitude."
    )
    iso_values: Annotated[tuple[float, ...] | None, numbers(1000)] = Field(
        None, description="One or more isovalues, in the field's unit."
    )
    levels: Annotated[int | None, count(1000)] = Field(
        None,
        description="Instead of `iso_values`: number of isovalues, evenly spaced over the range of "
        "the field at the step.",
    )
    use_contour_tree: Annotated[
        None, refused("insitu has no contour trees; give iso_values, or levels alone", alone=True)
    ] = None

    @pydantic.model_validator(mode="after")
    def _one_of_two(self) -> ContourParams:
        if (self.iso_values is None) == (self.levels is None):
            raise InvalidAction(("iso_values",), "give either these or levels, a number of them")
        return self

    def make(self, kind: str, steps: int) -> Filter:
        return Contour(self.field, self.iso_values or (), self.levels or 0)


SlicePoint = Annotated[tuple[Vector | None, Vector | None], slice_point()]
_POINT = (
    "Point in the plane, in world coordinates; or `{x_offset, y_offset, z_offset}`, each from -1, "
    "the lower end of the domain along an axis, to 1, the upper end."
)
_NORMAL = "Normal of the plane, of any length."


class SlicePlane(ActionModel):
    """A point and a normal."""

    point: SlicePoint = Field(description=_POINT)
    normal: Annotated[Vector, direction()] = Field(description=_NORMAL)


class SliceParams(FilterParams):
    """A plane through the domain."""

    model_config = pydantic.ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["point", "normal"]},
                {"required": ["plane"], "properties": {"point": False, "normal": False}},
            ]
        }
    )

    point: SlicePoint | None = Field(None, description=_POINT)
    normal: Annotated[Vector | None, direction()] = Field(None, description=_NORMAL)
    plane: SlicePlane | None = Field(
        None, description="`{point, normal}`, instead of the two keys above."
    )
    topology: Topology = Field("", description=_TOPOLOGY)

    @pydantic.model_validator(mode="after")
    def _one_of_two(self) -> SliceParams:
        if self.plane is not None and (self.point is not None or self.normal is not None):
            raise InvalidAction(("plane",), "given together with point and normal; choose one")
        for key in ("point", "normal"):
            if self.plane is None and getattr(self, key) is None:
                raise InvalidAction((key,), "is required")
        return self

    def make(self, kind: str, steps: int) -> Filter:
        plane = self.plane or self
        assert plane.point is not None and plane.normal is not None
        return Slice(plane.normal, *plane.point)


Offset = Annotated[float, number(-1, 1)]


class ThreeSliceParams(FilterParams):
    """Three planes, one normal to each axis."""

    x_offset: Offset = Field(
        0.0,
        description="Position of the plane normal to x: -1 is the lower end of the domain, 1 the "
        "upper end.",
    )
    y_offset: Offset = Field(0.0, description="The same for y.")
    z_offset: Offset = Field(0.0, description="The same for z.")
    topology: Topology = Field("", description=_TOPOLOGY)

    def make(self, kind: str, steps: int) -> Filter:
        return ThreeSlice(self.x_offset, self.y_offset, self.z_offset)


class SphereParams(ActionModel):
    """A ball."""

    center: Annotated[Vector, xyz()] = Field(description="World coordinates.")
    radius: Annotated[float, positive()] = Field(description="World length.")

    @property
    def shape(self) -> Shape:
        return Sphere(self.center, self.radius)


class BoxParams(ActionModel):
    """A box along the axes."""

    min: Annotated[Vector, xyz()] = Field(description="Lower corner, world coordinates.")
    max: Annotated[Vector, xyz()] = Field(description="Upper corner.")

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> BoxParams:
        if not all(a < b for a, b in zip(self.min, self.max, strict=True)):
            raise InvalidAction(("min",), f"{self.min} is not below max, {self.max}")
        return self

    @property
    def shape(self) -> Shape:
        return Box(self.min, self.max)


class PlaneParams(ActionModel):
    """A half space."""

    point: Annotated[Vector, xyz()] = Field(description="Point in the plane, world coordinates.")
    normal: Annotated[Vector, direction()] = Field(description=_NORMAL)

    @property
    def shape(self) -> Shape:
        return Plane(self.point, self.normal)


_SHAPES = ("sphere", "box", "plane")


class ClipParams(FilterParams):
    """What is outside a sphere or box, or on the side of a plane that its normal points to. Give
    exactly one of `sphere`, `box` and `plane`."""

    model_config = exactly_one("sphere", "box", "plane")

    sphere: SphereParams | None = Field(
        None, description="`{center, radius}`, in world coordinates."
    )
    box: BoxParams | None = Field(None, description="`{min, max}`: the lower and upper corner.")
    plane: PlaneParams | None = Field(None, description="`{point, normal}`.")
    invert: Annotated[bool, flag()] = Field(False, description="Keep the other side.")
    topology: Topology = Field("", description=_TOPOLOGY)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _at_most_one(cls, given: Any) -> Any:
        n_shapes = sum(name in given for name in _SHAPES)
        if n_shapes > 1:
            raise ValueError(f"expected one of {', '.join(_SHAPES)}, found {n_shapes} of them")
        return given

    @pydantic.model_validator(mode="after")
    def _at_least_one(self) -> ClipParams:
        if self.sphere is None and self.box is None and self.plane is None:
            raise ValueError(f"expected one of {', '.join(_SHAPES)}, found 0 of them")
        return self

    def make(self, kind: str, steps: int) -> Filter:
        given = self.sphere or self.box or self.plane
        assert given is not None
        return Clip(given.shape, self.invert)


class ClipWithFieldParams(FilterParams):
    """Where a field is above a value, cutting cells."""

    field: Annotated[str, field_name()] = Field(description="Name of a scalar field.")
    clip_value: Annotated[float, number()] = Field(description="In the field's unit.")
    invert: Annotated[bool, flag()] = Field(
        False, description="Keep what is below the value instead."
    )

    def make(self, kind: str, steps: int) -> Filter:
        low, high = (-math.inf, self.clip_value) if self.invert else (self.clip_value, math.inf)
        return ValueRange(kind, self.field, low, high)


class IsovolumeParams(FilterParams):
    """Where a field is between two values, cutting cells."""

    field: Annotated[str, field_name()] = Field(description="Name of a scalar field.")
    min_value: Annotated[float, number()] = Field(description="In the field's unit.")
    max_value: Annotated[float, number()] = Field(description="In the field's unit.")

    def make(self, kind: str, steps: int) -> Filter:
        if self.min_value >= self.max_value:
            _not_below(self)
        return ValueRange(kind, self.field, self.min_value, self.max_value)


class ThresholdParams(FilterParams):
    """Where a field is between two values; whole cells."""

    field: Annotated[str, field_name()] = Field(description="Name of a scalar field.")
    min_value: Annotated[float, number()] = Field(description="In the field's unit.")
    max_value: Annotated[float, number()] = Field(description="In the field's unit.")
    invert: Annotated[bool, flag()] = Field(False, description="Keep the other cells.")
    topology: Topology = Field("", description=_TOPOLOGY)

    def make(self, kind: str, steps: int) -> Filter:
        if self.min_value > self.max_value:
            _not_below(self)
        return ValueRange(kind, self.field, self.min_value, self.max_value, self.invert)


def _not_below(given: IsovolumeParams | ThresholdParams) -> None:
    text = f"{given.min_value:g} is not below max_value, {given.max_value:g}"
    raise InvalidAction(("min_value",), text)


class MagnitudeParams(FilterParams):
    """The magnitude of a vector."""

    field: Annotated[str, field_name()] = Field(description="Name of a vector field.")
    output_name: Annotated[str | None, text("a name")] = Field(
        None, description=f"{_OUTPUT}; default: `<field>_magnitude`."
    )

    def make(self, kind: str, steps: int) -> Filter:
        return Derive(kind, self.field, self.output_name or f"{self.field}_magnitude")


class ComponentParams(FilterParams):
    """One component of a vector."""

    field: Annotated[str, field_name()] = Field(description="Name of a vector field.")
    component: Annotated[int, count(2, 0)] = Field(description="0: x, 1: y, 2: z.")
    output_name: Annotated[str, text("a name")] = Field(description=f"{_OUTPUT}.")

    def make(self, kind: str, steps: int) -> Filter:
        return Derive(kind.removeprefix("dray_"), self.field, self.output_name, self.component)


class DerivativeParams(FilterParams):
    """A derivative of a field."""

    field: Annotated[str, field_name()] = Field(description=_FIELD)
    output_name: Annotated[str | None, text("a name")] = Field(
        None, description=f"{_OUTPUT}; default: the filter's type."
    )
    use_cell_gradient: Annotated[bool, flag()] = Field(
        False,
        description="Whether the result has its samples at the centres of cells when it is saved. "
        "As a continuous function it stays the same.",
    )

    def make(self, kind: str, steps: int) -> Filter:
        output = self.output_name or kind
        return Derive(kind, self.field, output, at_cells=self.use_cell_gradient)
