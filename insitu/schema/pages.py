"""Pages of reference whose tables are made from the schemas: docs/actions.md, docs/run-file.md.

In: pages with marked places. Out: the same with those places filled anew:

    python -m insitu.schema.pages docs/actions.md docs/run-file.md

Between `<!-- table: NAME -->` and `<!-- end -->` stands the table of a definition of the schema, or
of one of the parts that PARTS names. What stands around them is written by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from insitu.actions import extract_models, filter_types
from insitu.actions.extract_models import EXTRACTS, DrayParams, DraySliceParams
from insitu.actions.filter_types import FILTERS
from insitu.actions.parse_particles import SEEDS
from insitu.actions.renders import CinemaParams, DatabaseParams
from insitu.schema.generate import Schema
from insitu.schema.run_file import run_file_schema
from insitu.schema.tables import table

_PLACE = re.compile(r"(<!-- table: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """The page with its tables made anew. Raises KeyError for a table that there is not."""
    schema = run_file_schema()
    return _PLACE.sub(lambda m: f"{m[1]}\n{_part(m[2], schema)}\n\n{m[3]}", text)


def _part(name: str, schema: Schema) -> str:
    if name in PARTS:
        return PARTS[name](schema)
    return table(schema["$defs"][name])


def _filters(schema: Schema) -> str:
    """What there is, and then the params of each."""
    rows = ["| type | what it does | gives |", "|---|---|---|"]
    rows += [f"| `{name}` | {known.summary} | {known.gives} |" for name, known in FILTERS.items()]
    parts = ["\n".join(rows)]
    types: dict[str, list[str]] = {}
    for name, known in FILTERS.items():
        types.setdefault(known.params.__name__, []).append(name)
    for model, names in types.items():
        parts += [_heading(names), table(schema["$defs"][model])]
    return "\n\n".join(parts)


def _seeds(schema: Schema) -> str:
    parts: list[str] = []
    for name, model in SEEDS.items():
        found = schema["$defs"][model.__name__]
        keys = {key: value for key, value in found["properties"].items() if key != "type"}
        parts += [
            f"{_heading([name])}\n\n{found['description']}",
            table({**found, "properties": keys}),
        ]
    return "\n\n".join(parts)


def _extracts(schema: Schema) -> str:
    rows = ["| type | what it does |", "|---|---|"]
    for name, model in EXTRACTS.items():
        rows.append(f"| `{name}` | {schema['$defs'][model.__name__]['description']} |")
    return "\n".join(rows)


def _cinema(schema: Schema) -> str:
    """What a database has that a picture has not."""
    found = schema["$defs"][CinemaParams.__name__]
    own = ("type", *DatabaseParams.model_fields)
    return table({**found, "properties": {key: found["properties"][key] for key in own}})


def _slices(schema: Schema) -> str:
    """What dray_3slice has that dray_pseudocolor has not."""
    found = schema["$defs"][DraySliceParams.__name__]
    own = [key for key in DraySliceParams.model_fields if key not in DrayParams.model_fields]
    return table({**found, "properties": {key: found["properties"][key] for key in own}})


def _elsewhere(schema: Schema) -> str:
    rows = ["| word | instead |", "|---|---|"]
    words = {"filter": filter_types.ELSEWHERE, "extract": extract_models.ELSEWHERE}
    for kind, known in words.items():
        rows += [f"| {kind} `{name}` | {instead} |" for name, instead in known.items()]
    return "\n".join(rows)


def _run_file(schema: Schema) -> str:
    """All sections, each with the path of its keys."""
    parts = ["## Top level", table(schema)]
    pending = list(_sections_below(schema, ""))
    while pending:
        path, name = pending.pop(0)
        section = schema["$defs"][name]
        parts += [f"## `{path}`", section["description"], table(section)]
        pending = [*_sections_below(section, f"{path}."), *pending]
    return "\n\n".join(parts)


def _sections_below(section: Schema, prefix: str) -> Iterator[tuple[str, str]]:
    """The path and the definition of each section that the keys of one hold."""
    for key, value in section["properties"].items():
        for path, name in _references(value, f"{prefix}{key}"):
            if name != "Actions":
                yield path, name


def _references(value: Schema, path: str) -> Iterator[tuple[str, str]]:
    if "$ref" in value:
        yield path, value["$ref"].rpartition("/")[2]
    for one in value.get("anyOf", ()):
        yield from _references(one, path)
    if isinstance(value.get("additionalProperties"), dict):
        yield from _references(value["additionalProperties"], f"{path}.NAME")


def _heading(names: Sequence[str]) -> str:
    return f"#### {', '.join(f'`{name}`' for name in names)}"


PARTS = {
    "filters": _filters,
    "seeds": _seeds,
    "extracts": _extracts,
    "cinema": _cinema,
    "slices": _slices,
    "elsewhere": _elsewhere,
    "run file": _run_file,
}


def main(paths: Sequence[str]) -> None:
    """Fill the pages anew, where they are."""
    for path in map(Path, paths):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
