"""Checks of user input: keys of mappings, names, numbers.

In: a mapping, as in Ascent's files, and the valid keys. Out: checked values, or a ValueError that
says what was given, what is expected, and the nearest valid name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from insitu.core.errors import nearest


def check_keys(mapping: Any, known: Iterable[str], where: str) -> None:
    """Raises ValueError for anything but a mapping, and for unknown keys."""
    if not isinstance(mapping, Mapping):
        raise ValueError(f"{where}: expected a mapping, got {mapping!r}")
    known = tuple(known)
    for key in mapping:
        if key not in known:
            hint = nearest(str(key), known) or f"; known: {', '.join(known)}"
            raise ValueError(f"{where}/{key}: unknown{hint}")


def number(value: Any, where: str, lo: float = -math.inf, hi: float = math.inf) -> float:
    """A finite number in [lo, hi]. Strings are converted, since YAML reads "1e-3" as a string."""
    try:
        result = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        result = math.nan
    if not (math.isfinite(result) and lo <= result <= hi):
        span = "a finite number" if math.isinf(lo) and math.isinf(hi) else f"a number in {lo}..{hi}"
        raise ValueError(f"{where}: {value!r} is not {span}")
    return result


def vector(value: Any, where: str) -> tuple[float, float, float]:
    """Three finite numbers."""
    try:
        items = list(value)
    except TypeError:
        items = []
    if len(items) != 3 or isinstance(value, (str, Mapping)):
        raise ValueError(f"{where}: {value!r} is not a list of three numbers")
    x, y, z = (number(item, f"{where}[{i}]") for i, item in enumerate(items))
    return x, y, z
