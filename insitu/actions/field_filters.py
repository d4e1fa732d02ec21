"""Filters that compute a field point by point, resample fields, or have nothing to do.

In: the params of a filter, in Ascent's words. Out: the filter, or InvalidAction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from insitu.actions.base import Check, keyed
from insitu.actions.errors import count, keys
from insitu.actions.filters import FilterParams, Topology
from insitu.actions.values import NUMBER, field_name, names, number, one_of, positive, text
from insitu.core.validation import number as read_number
from insitu.filters.pipeline import Filter
from insitu.filters.pointwise import Pointwise
from insitu.filters.unchanged import Recenter, Unchanged, UnchangedSurface
from insitu.filters.uniform_grid import MOST_POINTS, UniformGrid

_SCALAR = "Name of a scalar field."
_OUTPUT = "Name of the new field"
_PREFIXES = {"log": "log_e", "log2": "log2", "log10": "log10"}


class LogParams(FilterParams):
    """A logarithm; NaN, which is not drawn, where the field is not positive."""

    field: Annotated[str, field_name()] = Field(description=_SCALAR)
    output_name: Annotated[str | None, text("a name")] = Field(
        None, description=f"{_OUTPUT}; default: `log_e(<field>)`, `log2(...)`, `log10(...)`."
    )
    clamp_min_value: Annotated[float | None, positive()] = Field(
        None, description="Smaller values count as this one, in the field's unit."
    )

    def make(self, kind: str, steps: int) -> Filter:
        output = self.output_name or f"{_PREFIXES[kind]}({self.field})"
        return Pointwise(kind, (self.field,), output, self.clamp_min_value)


class CompositeVectorParams(FilterParams):
    """A vector of two or three scalars."""

    field1: Annotated[str, field_name()] = Field(description="Scalar field: the component x.")
    field2: Annotated[str, field_name()] = Field(description="The component y.")
    field3: Annotated[str | None, field_name()] = Field(
        None, description="The component z; default: 0."
    )
    output_name: Annotated[str, text("a name")] = Field(description=f"{_OUTPUT}.")

    def make(self, kind: str, steps: int) -> Filter:
        third = () if self.field3 is None else (self.field3,)
        return Pointwise(kind, (self.field1, self.field2, *third), self.output_name)


class AddFieldsParams(FilterParams):
    """The sum of scalars."""

    fields: Annotated[tuple[str, ...], names()] = Field(description="Names of scalar fields.")
    output_field: Annotated[str, text("a name")] = Field(description=f"{_OUTPUT}.")

    def make(self, kind: str, steps: int) -> Filter:
        return Pointwise(kind, self.fields, self.output_field)


class PowerParams(FilterParams):
    """A power of a scalar."""

    field: Annotated[str, field_name()] = Field(description=_SCALAR)
    exponent: Annotated[float, number()] = Field(description="The exponent.")
    output_field: Annotated[str, text("a name")] = Field(description=f"{_OUTPUT}.")

    def make(self, kind: str, steps: int) -> Filter:
        return Pointwise(kind, (self.field,), self.output_field, self.exponent)


class RecenterParams(FilterParams):
    """Where a field has its samples when it is saved. As a continuous function it stays the
    same."""

    field: Annotated[str, field_name()] = Field(description="Name of a field.")
    association: Annotated[str, one_of(("vertex", "element"))] = Field(
        description="`vertex`: at nodes; `element`: at the centres of cells."
    )

    def make(self, kind: str, steps: int) -> Filter:
        return Recenter(kind, self.field, self.association)


class NoopParams(FilterParams):
    """Does nothing, as Ascent's."""

    field: Annotated[str | None, text("the name of a field")] = Field(
        None, description="Ascent requires one; nothing is done to it."
    )

    def make(self, kind: str, steps: int) -> Filter:
        return Unchanged(kind)


class GhostStripperParams(FilterParams):
    """Keeps the cells whose ghost value is in a range. Those of the mesh itself have 0 and are all
    that a run keeps; ghosts are copies of cells of other blocks, so that with or without them there
    is the same field in the same place."""

    field: Annotated[str | None, text("the name of a field")] = Field(
        None, description="Name of the ghost values, which a run does not keep."
    )
    min_value: Annotated[float, number(high=0)] = Field(
        0.0, description="Least ghost value: 0 or below, as cells of the mesh have 0."
    )
    max_value: Annotated[float, number(low=0)] = Field(
        0.0, description="Greatest ghost value: 0 or above."
    )

    def make(self, kind: str, steps: int) -> Filter:
        return Unchanged(kind)


class CleanGridParams(FilterParams):
    """Merges equal points of a mesh, which changes neither places nor values: the picture and the
    field stay the same."""

    topology: Topology = Field("", description="Accepted and ignored: a run has one mesh.")

    def make(self, kind: str, steps: int) -> Filter:
        return Unchanged(kind)


class TriangulateParams(FilterParams):
    """Makes cells triangles, which those of a surface are. Cells of a volume would become
    tetrahedra, between whose corners a field is another function: there it is refused."""

    topology: Topology = Field("", description="Accepted and ignored: a run has one mesh.")

    def make(self, kind: str, steps: int) -> Filter:
        return UnchangedSurface(kind)


def _by_axis(axes: tuple[str, str, str], read: Callable[[Any, str], Any], schema: Any) -> Check:
    """A value for each axis that is named, or a list of three; None for the others."""

    def read_all(given: Any, where: str) -> tuple[Any, ...]:
        if isinstance(given, list | tuple) and len(given) == 3:
            given = dict(zip(axes, given, strict=True))
        keys(given, (), axes)
        return tuple(
            read(given[axis], f"{where}/{axis}") if axis in given else None for axis in axes
        )

    mapping = {
        "type": "object",
        "properties": dict.fromkeys(axes, schema),
        "additionalProperties": False,
    }
    listed = {"type": "array", "items": schema, "minItems": 3, "maxItems": 3}
    title = f"`{{{', '.join(axes)}}}`"
    return Check(keyed(read_all), {"anyOf": [mapping, listed], "title": title})


def _points(given: Any, where: str) -> int:
    return count(given, where, MOST_POINTS, 2)


def _step(given: Any, where: str) -> float:
    found = read_number(given, where)
    if found <= 0:
        raise ValueError(f"{where}: {given!r} is not positive")
    return found


class UniformGridParams(FilterParams):
    """Fields sampled at the points of a uniform grid, trilinear between them; nothing is left
    where the grid does not reach."""

    field: Annotated[str | None, field_name()] = Field(
        None, description="Name of the only field to keep; default: all."
    )
    dims: Annotated[Any, _by_axis(("i", "j", "k"), _points, {"type": "integer", "minimum": 2})] = (
        Field(
            (None, None, None),
            description="Number of points along x, y, z; default: one more than the domain is "
            "long, in its unit of length.",
        )
    )
    origin: Annotated[Any, _by_axis(("x", "y", "z"), read_number, NUMBER)] = Field(
        (None, None, None),
        description="World coordinates of the first point; default: the domain's lower end.",
    )
    spacing: Annotated[
        Any,
        _by_axis(("dx", "dy", "dz"), _step, {"type": "number", "exclusiveMinimum": 0}),
    ] = Field((1.0, 1.0, 1.0), description="World distance between points along x, y, z.")
    invalid_value: Annotated[float | None, number()] = Field(
        None,
        description="Value of the grid's points outside of the domain; default: the grid ends with "
        "the domain.",
    )

    def make(self, kind: str, steps: int) -> Filter:
        x, y, z = (1.0 if step is None else step for step in self.spacing)
        return UniformGrid(self.dims, self.origin, (x, y, z), self.field, self.invalid_value)
