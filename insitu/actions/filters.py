"""Reading the filters of pipelines, by Ascent's types and parameters.

In: a filter's type and params. Out: a filter, or Refused. READERS has one reader for each type.

`topology` is taken wherever Ascent takes it, and means nothing: a run has one mesh.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from insitu.actions.follow import read_follow
from insitu.actions.geometry import direction, field_name, xyz
from insitu.actions.refusal import Refused, count, flag, inside, keys, numbers, text
from insitu.extract.shapes import Box, Plane, Shape, Sphere
from insitu.pipelines.cuts import Contour, Slice, ThreeSlice
from insitu.pipelines.derive import Derive
from insitu.pipelines.pipeline import Filter
from insitu.pipelines.regions import Between, Clip
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


def _shape(params: Params, path: KeyPath) -> Shape:
    """The box, plane or sphere that is named."""
    shapes = {"sphere": ("center", "radius"), "box": ("min", "max"), "plane": ("point", "normal")}
    given = [name for name in shapes if name in params]
    if len(given) != 1:
        raise Refused(path, f"expected one of {', '.join(shapes)}, found {len(given)} of them")
    (name,) = given
    words, place = params[name], (*path, name)
    keys(words, place, shapes[name], required=shapes[name])
    with inside(place):
        if name == "sphere":
            radius = number(words["radius"], "radius")
            if radius <= 0:
                raise ValueError(f"radius: {radius:g} is not positive")
            return Sphere(xyz(words["center"], "center"), radius)
        if name == "plane":
            return Plane(xyz(words["point"], "point"), direction(words["normal"], "normal"))
        low, high = xyz(words["min"], "min"), xyz(words["max"], "max")
        if not all(a < b for a, b in zip(low, high, strict=True)):
            raise ValueError(f"min: {low} is not below max, {high}")
        return Box(low, high)


def _clip(kind: str, params: Params, path: KeyPath, _: int) -> Filter:
    keys(params, path, ("sphere", "box", "plane", "invert", "topology"))
    with inside(path):
        invert = flag(params.get("invert", False), "invert")
    return Clip(_shape(params, path), invert)


def _between(kind: str, params: Params, path: KeyPath, _: int) -> Filter:
    needed = ("field", "min_value", "max_value")
    known = (*needed, "invert", "topology") if kind == "threshold" else needed
    keys(params, path, known, required=needed)
    with inside(path):
        low, high = (number(params[key], key) for key in needed[1:])
        if low > high or (low == high and kind != "threshold"):
            raise ValueError(f"min_value: {low:g} is not below max_value, {high:g}")
        invert = flag(params.get("invert", False), "invert")
        return Between(kind, field_name(params), low, high, invert)


def _clip_with_field(kind: str, params: Params, path: KeyPath, _: int) -> Filter:
    keys(params, path, ("field", "clip_value", "invert"), required=("field", "clip_value"))
    with inside(path):
        value = number(params["clip_value"], "clip_value")
        below = flag(params.get("invert", False), "invert")
        low, high = (-math.inf, value) if below else (value, math.inf)
        return Between(kind, field_name(params), low, high)


READERS: dict[str, ReadFilter] = {
    "contour": _contour,
    "slice": _slice,
    "3slice": _three_slice,
    "clip": _clip,
    "clip_with_field": _clip_with_field,
    "isovolume": _between,
    "threshold": _between,
    "streamline": read_follow,
    "particle_advection": read_follow,
    "pathlines": read_follow,
    "vector_magnitude": _derive,
    "vector_component": _vector_component,
    "gradient": _derive,
    "divergence": _derive,
    "vorticity": _derive,
    "qcriterion": _derive,
}
