"""Builds the nodes of calls that are of binnings: axis, binning, paint_binning and others.

In: a call, as in `builtins`. Out: its kind and the node that computes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from insitu.core.errors import nearest
from insitu.queries import binnings, fields, mesh_fields, scalars, syntax
from insitu.queries.histograms import NUM_BINS
from insitu.queries.mesh_builtins import ASSOCIATIONS, bound, recentered
from insitu.queries.mesh_fields import MESH_CELLS
from insitu.queries.scalars import Arithmetic, Axis, Binned, Constant, Reduction, Scalar
from insitu.queries.syntax import Tree
from insitu.queries.types import Shape, Typed, as_scalar, integer, literal, written
from insitu.queries.values import AXES, AXIS, BIN, BINNING, EXTREMUM, FIELD

if TYPE_CHECKING:
    from insitu.queries.type_checker import Checker

_ABOVE = 1e-8
"""The default upper end of an axis x, y or z is above the mesh by this share of its length, and
that of a field by 1, as in Ascent: bins do not contain their upper edges."""


def _build_axis(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    name = written(given["name"])
    clamp = "clamp" in given and bool(literal(checker, given["clamp"]))
    others = [key for key in ("min_val", "max_val", "num_bins") if key in given]
    if "bins" in given:
        if others:
            raise checker.error(given[others[0]], "given together with bins; choose one")
        return Typed(AXIS, Axis(name, _edges(checker, given["bins"]), clamp=clamp))
    num_bins = integer(given["num_bins"]) if "num_bins" in given else NUM_BINS
    if num_bins is None or not 1 <= num_bins <= binnings.MOST_BINS:
        raise checker.error(given["num_bins"], f"num_bins must be 1 to {binnings.MOST_BINS}")
    low, high = (
        as_scalar(checker.check(given[key])) if key in given else _end(checker, given["name"], end)
        for key, end in (("min_val", "min"), ("max_val", "max"))
    )
    if "max_val" not in given:
        more: Scalar = Constant(1.0)
        if name in AXES:
            length = Arithmetic("-", (high, low))
            more = Arithmetic("*", (length, Constant(_ABOVE)))
        high = Arithmetic("+", (high, more))
    both = (low, high)
    numbers = [end.constant for end in both if isinstance(end, Constant)]
    if len(numbers) == 2 and not numbers[0] < numbers[1]:
        raise checker.error(given["min_val"], "min_val must be below max_val")
    return Typed(AXIS, Axis(name, (), num_bins, low, high, clamp))


def _edges(checker: Checker, listed: Tree) -> tuple[float, ...]:
    assert isinstance(listed, syntax.Listing)
    edges = tuple(float(literal(checker, item)) for item in listed.items)
    if len(edges) < 2 or not all(a < b for a, b in pairwise(edges)):
        raise checker.error(listed, "bins must be two or more numbers, each above the one before")
    return edges


def _end(checker: Checker, name: Tree, operation: str) -> Scalar:
    """The least or the greatest value of a field, or coordinate of the mesh."""
    if written(name) in AXES:
        return bound(AXES.index(written(name)), operation)
    return Reduction(operation, _variable(checker, name))


def _variable(checker: Checker, name: Tree, component: Tree | None = None) -> fields.Field:
    """A scalar field, or a coordinate of its samples."""
    text = written(name)
    if text in AXES:
        return mesh_fields.Coordinate(AXES.index(text))
    named = () if component is None else (("component", component),)
    found = checker.check(syntax.Call("field", (name,), named, column=name.column))
    if (found.shape.components or 1) > 1:
        raise checker.error(name, f"'{text}' is a vector field; expected a scalar one")
    assert isinstance(found.node, fields.Field)
    return found.node


def _build_binning(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    how, reduced = written(given["reduction_op"]), given["reduction_var"]
    if how not in binnings.REDUCTIONS:
        hint = nearest(how, binnings.REDUCTIONS)
        listed = ", ".join(binnings.REDUCTIONS)
        raise checker.error(given["reduction_op"], f"'{how}' is not one of {listed}{hint}")
    if not written(reduced) and how not in ("sum", "pdf", "count"):
        raise checker.error(reduced, f"'' counts samples, with sum, pdf or count; not with {how}")
    axes, along = _axes(checker, given["bin_axes"])
    num_bins = math.prod(axis.bins for axis in axes)
    if num_bins > binnings.MOST_BINS:
        problem = f"{num_bins} bins; at most {binnings.MOST_BINS} are possible"
        raise checker.error(given["bin_axes"], problem)
    first: fields.Field = fields.Parameter(Constant(1.0))
    if written(reduced):
        first = _variable(checker, reduced, given.get("component"))
    variables = _of_samples((first, *along))
    empty = literal(checker, given["empty_bin_val"]) if "empty_bin_val" in given else 0.0
    ends = tuple(end for axis in axes for end in axis.ends)
    name = written(reduced)
    return Typed(
        BINNING,
        Binned(
            "binning", fields.Together(variables), num_bins, ends, how, name, axes, float(empty)
        ),
    )


def _of_samples(variables: tuple[fields.Field, ...]) -> tuple[fields.Field, ...]:
    """The same; coordinates, where there is nothing but them, are those of cells."""
    if any(variable.samples for variable in variables):
        return variables
    return tuple(
        replace(variable, mesh=(MESH_CELLS,))
        if isinstance(variable, mesh_fields.Coordinate)
        else variable
        for variable in variables
    )


def _axes(checker: Checker, listed: Tree) -> tuple[tuple[Axis, ...], tuple[fields.Field, ...]]:
    """The axes, and their variables."""
    assert isinstance(listed, syntax.Listing)
    axes, along = list[Axis](), list[fields.Field]()
    for item in listed.items:
        found = checker.check(item)
        if found.kind != AXIS or not isinstance(item, syntax.Call):
            raise checker.error(item, f"expected an axis, as in axis('x'), found {found.kind}")
        assert isinstance(found.node, Axis)
        axes.append(found.node)
        name = next((v for k, v in item.named if k == "name"), item.positional[:1])
        along.append(_variable(checker, name[0] if isinstance(name, tuple) else name))
    if not axes:
        raise checker.error(listed, "expected one axis or more, as in [axis('x')]")
    return tuple(axes), tuple(along)


def _build_painted(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    held = checker.check(given["binning"]).node
    if not isinstance(held, Binned):
        problem = "expected the binning itself: binning(...), or a name assigned to it before"
        raise checker.error(given["binning"], problem)
    default = Constant(0.0)
    if "default_val" in given:
        default = Constant(literal(checker, given["default_val"]))
    assert isinstance(held.argument, fields.Together)
    axes = fields.Together(_of_samples(held.argument.arguments[1:]))
    node = mesh_fields.Painted(fields.Parameter(held), axes, fields.Parameter(default))
    found = Typed(FIELD, node, Shape())
    if "assoc" not in given:
        return found
    where = written(given["assoc"])
    if where not in ASSOCIATIONS:
        raise checker.error(given["assoc"], f"'{where}' is not one of {', '.join(ASSOCIATIONS)}")
    return recentered(checker, tree, found, where)


def _build_point_and_axis(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    held = _on_one_axis(checker, given["binning"], tree.function)
    direction = integer(given["direction"]) if "direction" in given else 1
    if direction not in (1, -1):
        raise checker.error(given["direction"], "direction must be 1 or -1")
    miss: Scalar = Constant(math.nan)
    if "miss_value" in given:
        miss = as_scalar(checker.check(given["miss_value"]))
    numbers = tuple(as_scalar(checker.check(given[name])) for name in ("threshold", "point"))
    arguments = (*numbers, miss, Constant(float(direction)))
    return Typed(BIN, scalars.OfBinning("point_and_axis", held, arguments))


def _build_max_from_point(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    held = _on_one_axis(checker, given["binning"], tree.function)
    axis = written(given["axis"])
    if axis not in AXES:
        raise checker.error(given["axis"], f"'{axis}' is not one of {', '.join(AXES)}")
    point = as_scalar(checker.check(given["point"]))
    return Typed(EXTREMUM, scalars.OfBinning(f"max_from_point_{axis}", held, (point,)))


def _on_one_axis(checker: Checker, tree: Tree, function: str) -> Scalar:
    held = checker.check(tree).node
    if isinstance(held, Binned) and len(held.axes) > 1:
        n_axes = len(held.axes)
        raise checker.error(tree, f"{function} is of a binning with one axis, not {n_axes}")
    return as_scalar(checker.check(tree))


BIN_BUILDERS: dict[str, Callable[[Checker, syntax.Call, Mapping[str, Tree]], Typed]] = {
    "axis": _build_axis,
    "binning": _build_binning,
    "binning_value": _build_painted,
    "max_from_point": _build_max_from_point,
    "paint_binning": _build_painted,
    "point_and_axis": _build_point_and_axis,
}
