"""Builds the nodes of calls and attributes that are of the mesh: topo, bounds, recenter, lineout.

In: a call, as in `builtins`. Out: its kind and the node that computes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from insitu.queries import fields, mesh_fields, scalars, syntax
from insitu.queries.mesh_fields import MESH_CELLS, MESH_VERTICES
from insitu.queries.scalars import Constant, Reduction
from insitu.queries.syntax import Tree
from insitu.queries.types import Shape, Typed, as_field, as_scalar, integer, literal, written
from insitu.queries.values import (
    AXES,
    BOX,
    CELLS,
    FIELD,
    LINEOUT,
    MESH,
    VERTICES,
)

if TYPE_CHECKING:
    from insitu.queries.type_checker import Checker

ASSOCIATIONS = ("element", "vertex")
_MOST_SAMPLES = 1 << 20


def attribute(holder: Typed, name: str) -> Typed:
    """What a mesh, its cells or its vertices have under one of their names."""
    if holder.kind == MESH:
        return Typed(CELLS if name == "cell" else VERTICES, holder.node)
    cells = holder.kind == CELLS
    mesh = MESH_CELLS if cells else MESH_VERTICES
    if name in AXES:
        node: fields.Field = mesh_fields.Coordinate(AXES.index(name), (mesh,))
    elif name == "id":
        node = mesh_fields.SampleId(mesh)
    else:
        node = mesh_fields.CellSize(name)
    return Typed(FIELD, node, Shape(association=ASSOCIATIONS[0 if cells else 1]))


def bound(axis: int, operation: str) -> Reduction:
    """The least or greatest coordinate of the mesh's vertices."""
    return Reduction(operation, mesh_fields.Coordinate(axis, (MESH_VERTICES,)))


def _build_topo(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    return Typed(MESH, Constant(0.0))


def _build_bounds(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    lower, upper = (tuple(bound(axis, end) for axis in range(3)) for end in ("min", "max"))
    return Typed(BOX, scalars.Bounds(lower, upper))


def _build_rand(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    node = mesh_fields.Random(fields.Parameter(scalars.State("cycle")))
    return Typed(FIELD, node, Shape(association="element"))


def _association(checker: Checker, given: Mapping[str, Tree], key: str, *more: str) -> str:
    """The argument `key`, one of ASSOCIATIONS or `more`; "" without it."""
    if key not in given:
        return ""
    text, choices = written(given[key]), (*ASSOCIATIONS, *more)
    if text not in choices:
        raise checker.error(given[key], f"'{text}' is not one of {', '.join(choices)}")
    return text


def _build_recenter(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    mode = _association(checker, given, "mode", "toggle") or "toggle"
    return recentered(checker, tree, checker.check(given["field"]), mode)


def recentered(checker: Checker, tree: Tree, found: Typed, mode: str) -> Typed:
    """A field at cells or at vertices. Raises ExpressionError if it is a derivative."""
    before = found.shape.association
    if mode == "toggle":
        where = {"element": "vertex", "vertex": "element"}.get(before or "")
    else:
        where = mode
        if before == mode:
            return found
    if found.shape.derived:
        raise checker.error(
            tree, "recenter of a derivative needs two ghost layers; only one is read"
        )
    shape = replace(found.shape, association=where, derived=True, logical=False)
    return Typed(FIELD, fields.Recenter(as_field(found), mode), shape)


def _build_derived_field(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    where = _association(checker, given, "assoc")
    found = checker.check(given["arg1"])
    if found.kind == FIELD:
        return recentered(checker, tree, found, where) if where else found
    mesh = MESH_VERTICES if where == "vertex" else MESH_CELLS
    everywhere = mesh_fields.Everywhere(fields.Parameter(as_scalar(found)), mesh)
    return Typed(FIELD, everywhere, Shape(association=where or "element"))


def _build_lineout(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    samples = integer(given["samples"])
    if samples is None or not 1 <= samples <= _MOST_SAMPLES:
        raise checker.error(given["samples"], f"samples must be 1 to {_MOST_SAMPLES}")
    empty = literal(checker, given["empty_val"]) if "empty_val" in given else 0.0
    ends = tuple(as_scalar(checker.check(given[end])) for end in ("start", "end"))
    listed = given["fields"]
    assert isinstance(listed, syntax.Listing)
    if not listed.items:
        raise checker.error(listed, "expected the names of fields, as in ['pressure']")
    names, lines = [], []
    for item in listed.items:
        if not isinstance(item, syntax.Text):
            raise checker.error(item, "expected the name of a field, as in 'pressure'")
        call = syntax.Call("field", (item,), column=item.column)
        found = checker.check(call)
        if (found.shape.components or 1) > 1:
            raise checker.error(item, f"'{item.value}' is a vector field; expected scalar fields")
        names.append(item.value)
        lines.append(
            scalars.Lined("lineout", as_field(found), ends=ends, samples=samples, empty=empty)
        )
    return Typed(LINEOUT, scalars.AlongLine(tuple(names), tuple(lines)))


MESH_BUILDERS: dict[str, Callable[[Checker, syntax.Call, Mapping[str, Tree]], Typed]] = {
    "bounds": _build_bounds,
    "derived_field": _build_derived_field,
    "lineout": _build_lineout,
    "rand": _build_rand,
    "recenter": _build_recenter,
    "topo": _build_topo,
}
