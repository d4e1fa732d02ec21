"""Markdown tables of what a JSON schema says of a mapping's keys.

In: the schema of an object. Out: a table with a row for each key: values, unit and range, default,
description.
"""

from __future__ import annotations

import math
from typing import Any

from insitu.core.limits import byte_size
from insitu.schema.generate import Schema

_SHORT = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "array": "list",
    "object": "mapping",
}


def table(schema: Schema) -> str:
    """Keys that must be given are bold."""
    rows = ["| key | value | default | description |", "|---|---|---|---|"]
    for name, key in schema["properties"].items():
        if "not" in key:  # known, and refused
            continue
        required = name in schema.get("required", ())
        shown = f"**`{name}`**" if required else f"`{name}`"
        cells = (shown, values(key), default(key), key.get("description", ""))
        rows.append(f"| {' | '.join(cell.replace('|', '¦') for cell in cells)} |")
    return "\n".join(rows)


def values(schema: Schema) -> str:
    """What a value may be, in few words."""
    if "title" in schema:
        return str(schema["title"])
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    if "$ref" in schema:
        return "mapping"
    if "anyOf" in schema:
        choices = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(values(one) for one in choices))
    kinds = schema.get("type", "anything")
    kind = next(k for k in kinds if k != "null") if isinstance(kinds, list) else kinds
    if kind == "array" and isinstance(schema.get("items"), dict):
        return f"list: {values(schema['items'])}" if schema["items"] else "list"
    if kind == "array" and "prefixItems" in schema:
        return f"list of {len(schema['prefixItems'])}: {values(schema['prefixItems'][0])}"
    return _SHORT.get(kind, kind) + _range(schema)


def _range(schema: Schema) -> str:
    """ ", 1..16 steps"."""
    low, high = schema.get("minimum"), schema.get("maximum")
    unit = f" {schema['unit']}" if "unit" in schema else ""
    if low is not None and high is not None:
        of = f"multiples of {schema['multipleOf']} in " if "multipleOf" in schema else ""
        return f", {of}{number(low)}..{number(high)}{unit}"
    if "exclusiveMinimum" in schema:
        return f" above {number(schema['exclusiveMinimum'])}{unit}"
    if low is not None:
        return f" from {number(low)} on{unit}"
    return f",{unit}" if unit else ""


def default(schema: Schema) -> str:
    """The default, or nothing where the description has to say it."""
    value: Any = schema.get("default")
    if value is None or value in ("", []):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if schema.get("unit") == "bytes":
        return byte_size(value).replace(".0 ", " ")
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, list):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{value}`"


def number(value: float) -> str:
    """A number as a reader writes it: 1000000, 10^9, 2^32 - 1, 0.0333, 1e-09."""
    if value == int(value) and abs(value) >= 10**7:
        for base in (2, 10):
            power = round(math.log(value + 1, base))
            for less, text in ((0, ""), (1, " - 1")):
                if base**power - less == value:
                    return f"{base}^{power}{text}"
    return f"{value:.0f}" if value == int(value) and abs(value) < 10**15 else f"{value:.3g}"
