"""Curves of a run's queries, from the ascent_session.yaml that it wrote beside its record.

In: the file. Out: plain data for the page: points over cycles; where conditions became true.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

Plots = list[dict[str, Any]]


def read(path: Path) -> Plots:
    """One plot for each query with numbers, to seven digits; empty without a readable file.

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
        by_cycle = results.items() if isinstance(results, dict) else ()
        for cycle, result in sorted(item for item in by_cycle if isinstance(item[0], int)):
            value = _number(result)
            if isinstance(value, bool):
                if value and not before:
                    marks.add(cycle)
                before = value
            elif value is not None and math.isfinite(value):
                curves.setdefault(str(name), []).append([cycle, float(f"{value:.7g}")])
    return [
        {"name": name, "points": points, "marks": sorted(marks)} for name, points in curves.items()
    ]


def _number(result: Any) -> float | bool | None:
    """The value of a query's result; of an extremum, its value without the position."""
    if not isinstance(result, dict):
        return None
    value, attributes = result.get("value"), result.get("attrs")
    if isinstance(attributes, dict):
        inner = attributes.get("value")
        value = inner.get("value") if isinstance(inner, dict) else None
    return value if isinstance(value, int | float) else None
