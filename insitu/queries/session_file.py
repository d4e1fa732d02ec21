"""ascent_session.yaml: the results of all queries at all steps, as Ascent writes them.

In: results by query. Out: a YAML file: name, then cycle, then type, value and time.

Differences: positions of extrema lack Ascent's `element`; NaN and infinity are YAML's .nan and
.inf.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from insitu.core.atomic_file import atomic_file
from insitu.queries.scalars import Result
from insitu.queries.values import (
    ARRAY,
    CONDITION,
    EXTREMUM,
    HISTOGRAM,
    NUMBER,
    VECTOR,
    Extremum,
    Histogram,
    Value,
)

SESSION_NAME = "ascent_session"
SESSION_FILE = f"{SESSION_NAME}.yaml"

_TYPES = {
    NUMBER: "double",
    CONDITION: "bool",
    EXTREMUM: "value_position",
    VECTOR: "vector",
    ARRAY: "array",
    HISTOGRAM: "histogram",
}


def write(path: Path, results: Mapping[str, Sequence[Result]], kinds: Mapping[str, str]) -> None:
    """Write the file atomically. Not collective.

    For a cycle that the simulation repeated, the last results are written. Raises: OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as tmp, tmp.open("w", encoding="utf-8") as file:
        for name, history in results.items():
            file.write(f"{_quoted(name)}:\n" if history else f"{_quoted(name)}: {{}}\n")
            for cycle, result in {r.cycle: r for r in history}.items():
                file.write(f"  {cycle}:\n")
                file.writelines(f"    {line}\n" for line in _lines(kinds[name], result))


def _lines(kind: str, result: Result) -> Iterator[str]:
    yield f"type: {_quoted(_TYPES[kind])}"
    value = result.value
    if isinstance(value, Extremum):
        yield from _attributes(
            {"value": (value.value, NUMBER), "position": (value.position, VECTOR)}
        )
    elif isinstance(value, Histogram):
        yield from _attributes(
            {
                "value": (value.value, ARRAY),
                "min_val": (value.min_val, NUMBER),
                "max_val": (value.max_val, NUMBER),
                "num_bins": (value.num_bins, NUMBER),
            }
        )
    else:
        yield f"value: {_shown(value)}"
    yield f"time: {_shown(result.time)}"


def _attributes(attributes: Mapping[str, tuple[Value, str]]) -> Iterator[str]:
    yield "attrs:"
    for name, (value, kind) in attributes.items():
        yield f"  {name}:"
        yield f"    value: {_shown(value)}"
        yield f"    type: {_quoted('int' if isinstance(value, int) else _TYPES[kind])}"


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    assert isinstance(value, int | float)
    if math.isfinite(value):
        text = repr(value)  # YAML 1.1 reads 1e-05 as a string
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"


def _quoted(text: str) -> str:
    """A YAML string in double quotes: JSON's escapes are YAML's."""
    return json.dumps(text, ensure_ascii=False)
