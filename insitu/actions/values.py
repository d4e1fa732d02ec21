"""The types of values in actions: numbers, points, flags, names, each with its JSON schema.

In: plain data as YAML has it. Out: checked values, or InvalidAction. Used in Annotated:
`radius: Annotated[float, positive()] = Field(description="World length.")`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from insitu.actions import errors
from insitu.actions.base import Check, keyed
from insitu.actions.errors import InvalidAction, shown
from insitu.actions.geometry import direction as read_direction
from insitu.actions.geometry import xyz as read_xyz
from insitu.core.validation import number as read_number

NUMBER = {"type": "number"}
FLAG = {"enum": [True, False, "true", "false", "True", "False"], "title": "true or false"}
_NAME = {"type": "string", "pattern": r"\S"}
_VECTOR = {"type": "array", "items": NUMBER, "minItems": 3, "maxItems": 3}


def number(low: float = -math.inf, high: float = math.inf, unit: str = "") -> Check:
    """A finite number in low..high."""
    limits: dict[str, Any] = {**NUMBER}
    limits |= {"minimum": low} if math.isfinite(low) else {}
    limits |= {"maximum": high} if math.isfinite(high) else {}
    limits |= {"unit": unit} if unit else {}
    return Check(keyed(lambda value, where: read_number(value, where, low, high)), limits)


def positive(unit: str = "") -> Check:
    """A number above 0."""

    def read(value: Any) -> float:
        found = float(number().read(value))
        if found <= 0:
            raise ValueError(f"{value!r} is not positive")
        return found

    return Check(read, {**NUMBER, "exclusiveMinimum": 0, **({"unit": unit} if unit else {})})


def count(most: int, least: int = 1, unit: str = "") -> Check:
    """A whole number in least..most."""
    schema: dict[str, Any] = {"type": "integer", "minimum": least, "maximum": most}
    schema |= {"unit": unit} if unit else {}
    return Check(keyed(lambda value, where: errors.count(value, where, most, least)), schema)


def numbers(most: int = 10_000) -> Check:
    """One number or a list of them."""
    several = {"type": "array", "items": NUMBER, "minItems": 1, "maxItems": most}
    schema = {"anyOf": [NUMBER, several], "title": "a number or a list"}
    return Check(keyed(lambda value, where: errors.numbers(value, where, most)), schema)


def interval(text: str, closed: bool = False) -> Check:
    """Two numbers, the first below the second (or equal to it if closed); text: what else."""

    def read(value: Any) -> tuple[float, float]:
        ends = numbers().read(value)
        if len(ends) != 2 or not (ends[0] < ends[1] or (closed and ends[0] == ends[1])):
            raise ValueError(text.format(shown=shown(value)))
        return ends[0], ends[1]

    two = {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}
    return Check(read, {**two, "title": "`[low, high]`"})


def flag() -> Check:
    """True or false; Ascent writes them as texts."""
    return Check(keyed(errors.flag), FLAG)


def text(what: str = "a text") -> Check:
    """A text that is not empty."""
    return Check(lambda value: errors.text(value, (), what), _NAME)


def field_name() -> Check:
    """The name of a field, or of what a filter computes; whether there is one is seen later."""
    return Check(lambda value: errors.text(value, (), "the name of a field"), _NAME)


def names() -> Check:
    """A list of names, at least one; each counts once."""

    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not value or not all(isinstance(n, str) for n in value):
            raise ValueError(f"expected a list of names, found {shown(value)}")
        return tuple(dict.fromkeys(value))

    schema = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    return Check(read, {**schema, "title": "a list of names"})


def one_of(choices: Collection[str]) -> Check:
    """One of some words."""
    return Check(lambda value: errors.one_of(value, (), choices), {"enum": list(choices)})


def span() -> Check:
    """How many of the recorded steps: a number from 1, or all."""
    schema = {"anyOf": [{"type": "integer", "minimum": 1}, {"const": "all"}], "unit": "steps"}
    return Check(lambda value: errors.window(value, ()), {**schema, "title": "a number or `all`"})


def xyz() -> Check:
    """A point: {x, y, z} or a list of three numbers."""
    return Check(keyed(read_xyz), _vector("xyz"))


def direction() -> Check:
    """As `xyz`, and not zero."""
    return Check(keyed(read_direction), _vector("xyz"))


def _vector(axes: Collection[str]) -> dict[str, Any]:
    keys = dict.fromkeys(axes, NUMBER)
    mapping = {
        "type": "object",
        "properties": keys,
        "required": list(keys),
        "additionalProperties": False,
    }
    return {"anyOf": [_VECTOR, mapping], "title": "`{x, y, z}` or `[x, y, z]`"}


def slice_point() -> Check:
    """A point, or offsets -> (point, None) or (None, offset)."""
    suffix = "_offset"

    def read(given: Any, where: str) -> tuple[Any, Any]:
        if isinstance(given, Mapping) and any(f"{axis}{suffix}" in given for axis in "xyz"):
            offset = read_xyz(given, where, suffix)
            if max(map(abs, offset)) > 1:
                raise InvalidAction(
                    (), "offsets are in -1..1, from one end of the domain to the other"
                )
            return None, offset
        return read_xyz(given, where), None

    share = {"type": "number", "minimum": -1, "maximum": 1}
    offsets = {f"{axis}{suffix}": share for axis in "xyz"}
    mapping = {
        "type": "object",
        "properties": offsets,
        "required": list(offsets),
        "additionalProperties": False,
    }
    choices = [*_vector("xyz")["anyOf"], mapping]
    title = "`{x, y, z}`, `[x, y, z]` or `{x_offset, y_offset, z_offset}`"
    return Check(keyed(read), {"anyOf": choices, "title": title})


def color() -> Check:
    """Red, green and blue in 0..1; a fourth number is Ascent's alpha, which must be 1."""
    channel = {"type": "number", "minimum": 0, "maximum": 1}
    schema = {"type": "array", "items": channel, "minItems": 3, "maxItems": 4}
    return Check(keyed(errors.color), {**schema, "title": "`[red, green, blue]`"})


def ignored(schema: Mapping[str, Any]) -> Check:
    """Whatever is given is taken, and means nothing here."""
    return Check(lambda value: value, schema)


def refused(text: str, alone: bool = False) -> Check:
    """A key that Ascent has and insitu has not; {given} in the text is what was given.

    alone: without the key the rest means what it meant, so that of a simulation's actions only the
    key is left out."""

    def read(value: Any) -> Any:
        raise InvalidAction((), text.format(given=repr(value)), unknown_key=alone)

    return Check(read, {"not": {}})


def nullable(check: Check) -> Check:
    """The same, or nothing."""
    schema = {"anyOf": [dict(check.schema), {"type": "null"}], "title": check.schema.get("title")}
    if schema["title"] is None:
        del schema["title"]
    return Check(lambda value: None if value is None else check.read(value), schema)
