"""Filters that compute a field by an expression, and by the bins of a binning.

In: the params of a filter, in Ascent's words. Out: the filter, and queries for what it reduces.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pydantic
from pydantic import Field

from insitu.actions.base import ActionModel, Check
from insitu.actions.errors import InvalidAction
from insitu.actions.filters import FilterParams
from insitu.actions.reader import ActionParser
from insitu.actions.values import count, field_name, number, numbers, one_of, text
from insitu.core.yaml_tree import KeyPath
from insitu.filters.expression import Computed
from insitu.filters.pipeline import Filter
from insitu.queries.expressions import ExpressionError, parse, parse_field
from insitu.queries.fields import FieldRef
from insitu.queries.mesh_fields import SampleId
from insitu.queries.triggers import Query
from insitu.queries.values import AXES


def computed(
    reader: ActionParser, kind: str, given: str, output: str, path: KeyPath, name: str
) -> Filter:
    """The filter of an expression.

    path: of what is wrong with it. name: of the filter, for the names of its queries.

    Raises InvalidAction, with the whole path.
    """
    try:
        found = parse_field(given, reader.kinds)
        for part in found.root.walk():
            if isinstance(part, FieldRef) and (part.back or part.length):
                raise InvalidAction(path, "expected fields of the present step: no step, no window")
            if isinstance(part, SampleId):
                raise InvalidAction(path, ".id is of samples, and a filter computes at any point")
        queries = {scalar: f"{name}/{i}" for i, scalar in enumerate(found.scalars)}
        for query, written in zip(queries.values(), found.scalars.values(), strict=True):
            expression = parse(written, reader.kinds)
            lacking = [field for field in expression.reads if field not in reader.outline.fields]
            if lacking:
                problem = f"{written} reads '{lacking[0]}', which the run does not record"
                raise InvalidAction(path, problem)
            if query not in reader.kinds:
                reader.kinds[query] = expression.kind
                reader.parameters.append(Query(name=query, expression=expression))
    except ExpressionError as error:
        raise InvalidAction(path, str(error)) from None
    return Computed(kind, given, output, found.root, found.components, queries)


class ExpressionParams(FilterParams):
    """A field computed by an expression; see [Expressions](expressions.md)."""

    numbers_by_expressions: ClassVar[bool] = False

    expression: Annotated[str, text("an expression")] = Field(
        description="An expression whose value is a field, such as `field('a') + 1`."
    )
    name: Annotated[str, text("a name")] = Field(description="Name of the new field.")

    def made(self, reader: ActionParser, kind: str, path: KeyPath, name: str) -> Filter:
        return computed(reader, kind, self.expression, self.name, (*path, "expression"), name)


class BinningAxisParams(ActionModel):
    """An axis of a binning, as `axis` in an expression."""

    field: Annotated[str | None, field_name()] = Field(
        None, description="Name of a scalar field, or x, y or z."
    )
    var: Annotated[str | None, field_name()] = Field(None, description="The same.")
    bins: Annotated[tuple[float, ...] | None, numbers(65536)] = Field(
        None, description="Edges of the bins, increasing."
    )
    num_bins: Annotated[int | None, count(65536)] = Field(
        None, description="Instead: number of bins of equal width; default: 256."
    )
    min_val: Annotated[float | None, number()] = Field(
        None, description="Lower end; default: the least value."
    )
    max_val: Annotated[float | None, number()] = Field(
        None, description="Upper end; default: above the greatest value."
    )
    clamp: Annotated[int, count(10**6, 0)] = Field(
        0, description="Not 0: values beyond the ends are in the first and the last bin."
    )

    @pydantic.model_validator(mode="after")
    def _named(self) -> BinningAxisParams:
        if (self.field is None) == (self.var is None):
            raise InvalidAction(("field",), "is required")
        return self

    @property
    def name(self) -> str:
        return str(self.field if self.field is not None else self.var)

    @property
    def call(self) -> str:
        """As it stands in an expression."""
        given: dict[str, Any] = {
            key: getattr(self, key)
            for key in ("num_bins", "min_val", "max_val")
            if getattr(self, key) is not None
        }
        if self.bins is not None:
            given["bins"] = list(self.bins)
        options = "".join(f", {key}={value!r}" for key, value in given.items())
        return f"axis({self.name!r}{options}, clamp={bool(self.clamp)})"


def _axes(given: Any) -> tuple[BinningAxisParams, ...]:
    if not isinstance(given, list) or not given:
        raise ValueError("expected a list of axes, each with field and num_bins")
    return tuple(BinningAxisParams.model_validate(axis) for axis in given)


def _variable(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError(f"expected the name of a field, found {given!r}")
    return given


_VARIABLE = Check(_variable, {"type": "string"})


class BinningParams(FilterParams):
    """A field reduced in bins, and painted back: at every point the value of the bin it is in."""

    numbers_by_expressions: ClassVar[bool] = False

    reduction_op: Annotated[str, text("a reduction")] = Field(
        description="`min`, `max`, `sum`, `avg`, `pdf`, `std`, `var`, `rms` or `count`."
    )
    reduction_field: Annotated[str, _VARIABLE] = Field(
        "", description="Field to reduce, or x, y or z; default: samples are counted."
    )
    var: Annotated[str, _VARIABLE] = Field("", description="The same.")
    output_field: Annotated[str, text("a name")] = Field(description="Name of the new field.")
    output_type: Annotated[str, one_of(("mesh", "bins"))] = Field(
        "mesh",
        description="`mesh`: on the mesh. `bins`: the mesh of the bins, as far as it is in the "
        "domain; of axes x, y and z only.",
    )
    empty_bin_val: Annotated[float, number()] = Field(0.0, description="Value of empty bins.")
    component: Annotated[str | None, text("a component")] = Field(
        None, description="Of a vector to reduce: x, y or z."
    )
    axes: Annotated[tuple[BinningAxisParams, ...], Check(_axes, {"type": "array"})] = Field(
        description="List of `{field, num_bins, bins, min_val, max_val, clamp}`, as of `axis` in "
        "an expression."
    )

    def made(self, reader: ActionParser, kind: str, path: KeyPath, name: str) -> Filter:
        if self.output_type == "bins" and not all(axis.name in AXES for axis in self.axes):
            raise InvalidAction(
                (*path, "output_type"),
                "bins of fields are nowhere in the domain; use mesh, or binning() in a query",
            )
        variable = self.reduction_field or self.var
        axes = ", ".join(axis.call for axis in self.axes)
        component = "" if self.component is None else f", component={self.component!r}"
        empty = f"{self.empty_bin_val!r}"
        whole = f"binning({variable!r}, {self.reduction_op!r}, [{axes}], {empty}{component})"
        written = f"binning_value({whole}, {empty})"
        return computed(reader, kind, written, self.output_field, path, name)
