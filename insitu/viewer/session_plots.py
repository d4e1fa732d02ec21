"""Curves of a run's queries, from the ascent_session.yaml that it wrote beside its record.

In: the file. Out: plain data for the page: points over cycles; where conditions became true.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

Plots = list[dict[str, Any]]


def read(path: Path) -> Plots:
    """One plot for each query with numbers; empty without a readable file.

    Marks of all plots: the cycles at which a condition became true.
    """
    import yaml

    try:
        given = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError):
        return []
    if not isinstance(given, dict):
        return []
    curves: dict[str, list[list[float]]] = {}
    marks: set[int] = set()
    for name, results in given.items():
        before = False
        for cycle, result in sorted(results.items()) if isinstance(results, dict) else ():
            value = _number(result)
            if isinstance(value, bool):
                if value and not before:
                    marks.add(int(cycle))
                before = value
            elif value is not None and math.isfinite(value):
                curves.setdefault(str(name), []).append([int(cycle), float(value)])
    return [
        {"name": name, "points": points, "marks": sorted(marks)} for name, points in curves.items()
    ]


def _number(result: Any) -> float | bool | None:
    """The value of a query's result; of an extremum, its value without the position."""
    if not isinstance(result, dict):
        return None
    value = result.get("value")
    if "attrs" in result and isinstance(result["attrs"], dict):
        value = result["attrs"].get("value", {}).get("value")
    return value if isinstance(value, int | float) else None
