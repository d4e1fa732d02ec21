"""Reading the filters that follow particles, and where these begin.

In: type and params of streamline, particle_advection or pathlines. Out: a filter, or Refused.

Ascent's `rendering` is read: `tube_size` is the radius of the tubes that are drawn (without it they
are a few pixels wide), `output_field` and `tube_value` name a value that is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from insitu.actions.geometry import field_name, xyz
from insitu.actions.refusal import (
    Refused,
    count,
    flag,
    inside,
    keys,
    numbers,
    one_of,
    shown,
    text,
    window,
)
from insitu.pipelines.lines import ParticleAdvection, Pathlines, Streamline
from insitu.pipelines.pipeline import Filter
from insitu.pipelines.seeds import Box, Line, OnIsosurface, Points, Seeds
from insitu.render.words import number
from insitu.yaml_tree import KeyPath

Params = Mapping[str, Any]

_MOST = 1_000_000  # seeds, and steps of a line
_RENDERING = (
    "enable_tubes", "tube_capping", "tube_size", "tube_sides", "tube_value", "output_field",
)  # fmt: skip
_OURS = ("method", "tolerance", "direction", "window", "max_length")


def read_follow(kind: str, params: Params, path: KeyPath, steps: int) -> Filter:
    """steps: that the window keeps, of which pathlines can read no more."""
    known: tuple[str, ...] = ("field", "seeds", "num_steps", "step_size", "rendering")
    required = known[:4]
    if kind == "pathlines":
        known, required = (*known, *_OURS), known[:2]
    keys(params, path, known, required=required)
    with inside(path):
        field = field_name(params)
        options: dict[str, Any] = {"field": field}
        if "num_steps" in params:
            options["num_steps"] = count(params["num_steps"], "num_steps", _MOST)
        for key in ("step_size", "tolerance", "max_length"):
            if key in params:
                options[key] = _positive(params[key], key)
    options["seeds"] = _seeds(params["seeds"], (*path, "seeds"))
    options |= _rendering(params.get("rendering", {}), (*path, "rendering"), field, kind)
    if kind != "pathlines":
        return (Streamline if kind == "streamline" else ParticleAdvection)(**options)
    for key, choices in (("method", ("rk4", "rk45")), ("direction", ("backward", "forward"))):
        if key in params:
            options[key] = one_of(params[key], (*path, key), choices)
    if "window" in params:
        options["window"] = window(params["window"], (*path, "window"))
        if options["window"] != "all" and options["window"] > steps:
            there = f"the window keeps {steps}; set window.steps to {options['window']}"
            raise Refused((*path, "window"), there)
    return Pathlines(**options)


def _rendering(given: Any, path: KeyPath, field: str, kind: str) -> dict[str, Any]:
    keys(given, path, _RENDERING)
    found: dict[str, Any] = {}
    if kind == "streamline":
        found["output"] = f"{field}_streamlines"
    with inside(path):
        for key in ("enable_tubes", "tube_capping"):
            if key in given:
                flag(given[key], key)
        if "tube_sides" in given:  # ours are round
            count(given["tube_sides"], "tube_sides", 1000, 3)
        if "tube_size" in given:
            found["tube_size"] = _positive(given["tube_size"], "tube_size")
        if "tube_value" in given:
            found["tube_value"] = number(given["tube_value"], "tube_value")
    if "output_field" in given:
        found["output"] = text(given["output_field"], (*path, "output_field"), "a name")
    return found


def _seeds(given: Any, path: KeyPath) -> Seeds:
    if not isinstance(given, Mapping):
        raise Refused(path, f"expected keys and values, found {shown(given)}")
    if "type" not in given:
        raise Refused((*path, "type"), f"is required: one of {', '.join(_SEEDS)}")
    return _SEEDS[one_of(given["type"], (*path, "type"), _SEEDS)](given, path)


def _points(given: Params, path: KeyPath) -> Seeds:
    keys(given, path, ("type", "location"), required=("location",))
    with inside(path):
        if given["type"] == "point":
            return Points((xyz(given["location"], "location"),))
        values = numbers(given["location"], "location", 3 * _MOST)
        if len(values) % 3:
            raise ValueError(f"location: {len(values)} numbers; expected x, y and z of each point")
        return Points(tuple(zip(*[iter(values)] * 3, strict=True)))


def _line(given: Params, path: KeyPath) -> Seeds:
    known = ("type", "start", "end", "num_seeds", "sampling_type")
    keys(given, path, known, required=known)
    random = _is_random(given, path)
    with inside(path):
        n = count(given["num_seeds"], "num_seeds", _MOST)
        return Line(xyz(given["start"], "start"), xyz(given["end"], "end"), n, random)


def _box(given: Params, path: KeyPath) -> Seeds:
    extents = ("extents_x", "extents_y", "extents_z")
    random = _is_random(given, path)
    needed = ("num_seeds",) if random else ("num_seeds_x", "num_seeds_y", "num_seeds_z")
    known = ("type", "sampling_space", "sampling_type", *needed)
    keys(given, path, (*known, *extents), required=known)
    space = one_of(given["sampling_space"], (*path, "sampling_space"), ("interior", "boundary"))
    options: dict[str, Any] = {"boundary": space == "boundary"}
    with inside(path):
        found = [count(given[key], key, _MOST) for key in needed]
        options |= {"random": found[0]} if random else {"counts": tuple(found)}
        if any(key in given for key in extents):
            options["extents"] = tuple(_extent(given, key) for key in extents)
        return Box(**options)


def _on_isosurface(given: Params, path: KeyPath) -> Seeds:
    known = ("type", "field", "iso_value", "num_seeds")
    keys(given, path, known, required=known)
    with inside(path):
        n = count(given["num_seeds"], "num_seeds", _MOST)
        return OnIsosurface(field_name(given), number(given["iso_value"], "iso_value"), n)


_SEEDS: dict[str, Callable[[Params, KeyPath], Seeds]] = {
    "point": _points,
    "point_list": _points,
    "line": _line,
    "box": _box,
    "isosurface": _on_isosurface,
}


def _is_random(given: Params, path: KeyPath) -> bool:
    place = (*path, "sampling_type")
    if "sampling_type" not in given:
        raise Refused(place, "is required: uniform or random")
    return one_of(given["sampling_type"], place, ("uniform", "random")) == "random"


def _extent(given: Params, key: str) -> tuple[float, float]:
    if key not in given:
        raise ValueError(f"{key}: is required beside the others")
    ends = numbers(given[key], key)
    if len(ends) != 2 or not ends[0] <= ends[1]:
        raise ValueError(f"{key}: expected the two ends, the lower first, found {given[key]!r}")
    return ends[0], ends[1]


def _positive(value: Any, where: str) -> float:
    found = number(value, where)
    if found <= 0:
        raise ValueError(f"{where}: {value!r} is not positive")
    return found
