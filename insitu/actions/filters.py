"""Reading the filters of pipelines, by Ascent's types and parameters.

In: a filter's type and params. Out: a filter, or Refused. READERS has one reader for each type.

`topology` is taken wherever Ascent takes it, and means nothing: a run has one mesh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from insitu.actions.refusal import Refused, count, flag, inside, keys, numbers, text
from insitu.pipelines.cuts import Contour, Slice, ThreeSlice
from insitu.pipelines.derive import Derive
from insitu.pipelines.pipeline import Filter
from insitu.render.words import number
from insitu.yaml_tree import KeyPath

Params: TypeAlias = Mapping[str, Any]
ReadFilter: TypeAlias = Callable[[str, Params, KeyPath, int], Filter]
"""Of a type, its params, their path, and the number of steps that the window keeps."""

_MOST_LEVELS = 1000


def _contour(kind: str, params: Params, path: KeyPath, _: int) -> Filter:
    keys(params, path, ("field", "iso_values", "levels"), required=("field",))
    if ("iso_values" in params) == ("levels" in params):
        raise Refused((*path, "iso_values"), "give either these or levels, a number of them")
    with inside(path):
        field = field_name(params)
        if "levels" in params:
            return Contour(field, levels=count(params["levels"], "levels", _MOST_LEVELS))
        return Contour(field, iso_values=numbers(params["iso_values"], "iso_values", _MOST_LEVELS))


def _slice(kind: str, params: Params, path: KeyPath, _: int) -> Filter:
    keys(params, path, ("point", "normal", "plane", "topology"))
    if "plane" in params:
        if "point" in params or "normal" in params:
            raise Refused((*path, "plane"), "given together with point and normal; choose one")
        params, path = params["plane"], (*path, "plane")
        keys(params, path, ("point", "normal"))
    for key in ("point", "normal"):
        if key not in params:
            raise Refused((*path, key), "is required")
    with inside(path):
        normal = direction(params["normal"], "normal")
        point = params["point"]
        if isinstance(point, Mapping) and any(f"{axis}_offset" in point for axis in "xyz"):
            offset = xyz(point, "point", "_offset")
            if max(map(abs, offset)) > 1:
                raise ValueError("point: offsets are in -1..1, from one end of the domain to the "
                                 "other")  # fmt: skip
            return Slice(normal, offset=offset)
        return Slice(normal, point=xyz(point, "point"))


def _three_slice(kind: str, params: Params, path: KeyPath, _: int) -> Filter:
    axes = ("x_offset", "y_offset", "z_offset")
    keys(params, path, (*axes, "topology"))
    with inside(path):
        x, y, z = (number(params.get(axis, 0.0), axis, -1, 1) for axis in axes)
        return ThreeSlice(x, y, z)


def _derive(kind: str, params: Params, path: KeyPath, _: int) -> Filter:
    known: tuple[str, ...] = ("field", "output_name")
    if kind != "vector_magnitude":
        known = (*known, "use_cell_gradient")  # which the derivative of a network does not need
    keys(params, path, known, required=("field",))
    with inside(path):
        field = field_name(params)
        default = f"{field}_magnitude" if kind == "vector_magnitude" else kind
        if "use_cell_gradient" in params:
            flag(params["use_cell_gradient"], "use_cell_gradient")
        output = text(params.get("output_name", default), (*path, "output_name"), "a name")
        return Derive(kind, field, output)


def _vector_component(kind: str, params: Params, path: KeyPath, _: int) -> Filter:
    known = ("field", "component", "output_name")
    keys(params, path, known, required=known)
    output = text(params["output_name"], (*path, "output_name"), "a name")
    with inside(path):
        component = count(params["component"], "component", 2, 0)
        return Derive(kind, field_name(params), output, component)


def field_name(params: Params, key: str = "field") -> str:
    """ValueError where it is no text; whether there is such a field, the outline says."""
    name = params[key]
    if not isinstance(name, str):
        raise ValueError(f"{key}: expected the name of a field, found {name!r}")
    return name


def xyz(given: Any, where: str, suffix: str = "") -> tuple[float, float, float]:
    """Three numbers as Ascent writes them, {x: 0, y: 0, z: 1}, or as a list."""
    if isinstance(given, Mapping):
        names = [f"{axis}{suffix}" for axis in "xyz"]
        for key in given:
            if key not in names:
                raise ValueError(f"{where}/{key}: unknown key; known are {', '.join(names)}")
        for name in names:
            if name not in given:
                raise ValueError(f"{where}/{name}: is required")
        x, y, z = (number(given[name], f"{where}/{name}") for name in names)
        return x, y, z
    values = numbers(given, where)
    if not isinstance(given, list | tuple) or len(values) != 3:
        raise ValueError(f"{where}: expected x, y and z, found {given!r}")
    return values[0], values[1], values[2]


def direction(given: Any, where: str) -> tuple[float, float, float]:
    """As `xyz`, and not zero."""
    found = xyz(given, where)
    if found == (0, 0, 0):
        raise ValueError(f"{where}: 0, 0, 0 is no direction")
    return found


READERS: dict[str, ReadFilter] = {
    "contour": _contour,
    "slice": _slice,
    "3slice": _three_slice,
    "vector_magnitude": _derive,
    "vector_component": _vector_component,
    "gradient": _derive,
    "divergence": _derive,
    "vorticity": _derive,
    "qcriterion": _derive,
}
