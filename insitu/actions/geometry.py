"""Points and directions, as filters are given them.

In: plain data. Out: checked values, or ValueError, "where: text".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from insitu.actions.errors import numbers
from insitu.core.validation import number


def xyz(given: Any, where: str, suffix: str = "") -> tuple[float, float, float]:
    """Three numbers as Ascent writes them, {x: 0, y: 0, z: 1}, or as a list."""
    if isinstance(given, Mapping):
        names = [f"{axis}{suffix}" for axis in "xyz"]
        for key in given:
            if key not in names:
                raise ValueError(f"{where}/{key}: unknown key; expected one of {', '.join(names)}")
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
        raise ValueError(f"{where}: 0, 0, 0 is not a direction")
    return found
