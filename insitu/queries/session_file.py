"""ascent_session.yaml: the results of all queries at all steps, as Ascent writes them.

In: results by query. Out: a YAML file: name, then cycle, then type, value and time.

Differences: positions of extrema lack Ascent's `element`; NaN and infinity are YAML's .nan and
.inf.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from insitu.core.atomic_file import atomic_file, set_aside
from insitu.queries.scalars import Result
from insitu.queries.values import (
    ARRAY,
    BIN,
    BINNING,
    BOX,
    CONDITION,
    EXTREMUM,
    HISTOGRAM,
    LINEOUT,
    NUMBER,
    VECTOR,
    Bin,
    Binning,
    Box,
    Extremum,
    Histogram,
    Lineout,
    Value,
)

SESSION_NAME = "ascent_session"
SESSION_FILE = f"{SESSION_NAME}.yaml"

TYPES = {
    NUMBER: "double",
    CONDITION: "bool",
    EXTREMUM: "value_position",
    VECTOR: "vector",
    ARRAY: "array",
    HISTOGRAM: "histogram",
    BINNING: "binning",
    BIN: "bin",
    BOX: "aabb",
    LINEOUT: "lineout",
}
"""What Ascent calls the kinds of results."""

Lines = dict[str, dict[int, list[str]]]
"""The lines of each result, by query and cycle."""


def write_beside(
    path: Path, results: Mapping[str, Sequence[Result]], kinds: Mapping[str, str]
) -> Path | None:
    """Write a file of these results -> where the file that was there is now; None where there was
    none, or it had nothing else. Not collective. Raises: OSError."""
    there = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    new = {
        (name, result.cycle): [f"    {line}" for line in _lines(kinds[name], result)]
        for name, history in results.items()
        for result in history
    }
    old = read_lines(there)
    known = [new.get((n, c)) == text for n, steps in old.items() for c, text in steps.items()]
    aside = None if all(known) and bool(old) == bool(there.strip()) else set_aside(path)
    write(path, results, kinds)
    return aside


def write(
    path: Path,
    results: Mapping[str, Sequence[Result]],
    kinds: Mapping[str, str],
    earlier: Lines | None = None,
    comment: str = "",
) -> None:
    """Write the file atomically. Not collective.

    earlier: results of earlier cycles, to be written before. For a cycle that the simulation
    repeated, the last results are written. comment: one line, for which readers of YAML have no
    eye. Raises: OSError.
    """
    earlier = earlier or {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as tmp, tmp.open("w", encoding="utf-8") as file:
        if comment:
            file.write(f"# {comment}\n")
        for name in {**results, **earlier}:
            history = {result.cycle: result for result in results.get(name, ())}
            before = {c: lines for c, lines in earlier.get(name, {}).items() if c not in history}
            file.write(f"{_quoted(name)}:\n" if before or history else f"{_quoted(name)}: {{}}\n")
            for cycle, lines in before.items():
                file.write(f"  {cycle}:\n")
                file.writelines(f"{line}\n" for line in lines)
            for cycle, result in history.items():
                file.write(f"  {cycle}:\n")
                file.writelines(f"    {line}\n" for line in _lines(kinds[name], result))


def read_lines(text: str) -> Lines:
    """The results in a file as `write`, or Ascent, writes it; {} where it is anything else."""
    found: Lines = {}
    steps: dict[int, list[str]] = {}
    lines: list[str] | None = None
    for line in filter(str.strip, text.splitlines()):
        if line.startswith("#"):
            continue
        if not line.startswith(" "):
            name = re.fullmatch(r'(".*"|[^\s:#"][^:]*):(?: \{\})?\s*', line)
            if name is None:
                return {}
            try:
                key = json.loads(name[1]) if name[1].startswith('"') else name[1]
            except ValueError:
                return {}
            steps, lines = found.setdefault(key, {}), None
        elif cycle := re.fullmatch(r"  (-?\d+):\s*", line):
            lines = steps.setdefault(int(cycle[1]), [])
        elif line.startswith("    ") and lines is not None:
            lines.append(line)
        else:
            return {}
    return found


def _lines(kind: str, result: Result) -> Iterator[str]:
    yield f"type: {_quoted(TYPES[kind])}"
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
    elif isinstance(value, Binning):
        yield from _binning(value)
    elif isinstance(value, Bin):
        each = {name: getattr(value, name) for name in ("value", "min", "max", "center")}
        yield from _attributes({name: (number, NUMBER) for name, number in each.items()})
    elif isinstance(value, Box):
        yield from _attributes({"min": (value.min, VECTOR), "max": (value.max, VECTOR)})
    elif isinstance(value, Lineout):
        yield from _lineout(value)
    else:
        yield f"value: {_shown(value)}"
    yield f"time: {_shown(result.time)}"


def _binning(binning: Binning) -> Iterator[str]:
    yield from _attributes({"value": (binning.value, ARRAY)})
    for name in ("reduction_var", "reduction_op"):
        yield from (f"  {name}:", f"    value: {_quoted(getattr(binning, name))}")
        yield '    type: "string"'
    yield from ("  bin_axes:", "    value:" if binning.axes else "    value: {}")
    for axis in binning.axes:
        yield f"      {_quoted(axis.name)}:"
        if axis.uniform:
            yield f"        num_bins: {axis.num_bins}"
            yield f"        min_val: {_shown(axis.min_val)}"
            yield f"        max_val: {_shown(axis.max_val)}"
        else:
            yield f"        bins: {_shown(axis.edges)}"
        yield f"        clamp: {int(axis.clamp)}"


def _lineout(line: Lineout) -> Iterator[str]:
    yield from _attributes(
        {"empty_value": (line.empty_value, NUMBER), "samples": (line.samples, NUMBER)}
    )
    arrays = {"coordinates": {"x": line.x, "y": line.y, "z": line.z}, "vars": dict(line.vars)}
    for name, held in arrays.items():
        yield f"  {name}:" if held else f"  {name}: {{}}"
        for key, values in held.items():
            yield from (f"    {_quoted(key)}:", f"      value: {_shown(values)}")
            yield '      type: "array"'


def _attributes(attributes: Mapping[str, tuple[Value, str]]) -> Iterator[str]:
    yield "attrs:"
    for name, (value, kind) in attributes.items():
        yield f"  {name}:"
        yield f"    value: {_shown(value)}"
        yield f"    type: {_quoted('int' if isinstance(value, int) else TYPES[kind])}"


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
