"""Reading pipelines: filters by name, in the order in which they stand.

In: the entries of add_pipelines. Out: Pipelines by name, or Refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from insitu.actions.filters import READERS
from insitu.actions.reader import Entry, Named, Reader
from insitu.actions.refusal import Follows, Refused, keys, named, shown
from insitu.errors import nearest
from insitu.pipelines.outline import UnknownField
from insitu.pipelines.pipeline import UNFILTERED, Filter, Pipeline
from insitu.yaml_tree import KeyPath


class Pipelines:
    """Pipelines that may name each other as their input, in any order."""

    def __init__(self, reader: Reader, entries: Sequence[Entry], outer: Named) -> None:
        """outer: those from around these, which these may name as well."""
        self.reader, self.outer = reader, outer
        self.entries = {entry.name: entry for entry in entries}
        self.done: dict[str, Pipeline] = {}
        self._begun: list[str] = []
        self._refused: set[str] = set()

    def read(self, name: str) -> Pipeline:
        """One of them, with the filters of its input in front."""
        if name in self.done:
            return self.done[name]
        if name in self._refused:
            raise Follows(self.entries[name].path, "was refused")
        entry = self.entries[name]
        path = entry.path
        self._refused.add(name)  # unless it comes to its end
        given = named(entry.value, path, "filters")
        if "type" in given:
            text = "a filter stands under a name of its own: f1: {type: ..., params: ...}"
            raise Refused((*path, "type"), text)
        self._begun.append(name)
        try:
            filters = self._input(given, path).filters
            for key, value in given.items():
                if key != "pipeline":
                    filters = (*filters, self._filter(value, (*path, key), filters))
        finally:
            self._begun.remove(name)
        self._refused.remove(name)
        self.done[name] = Pipeline(name, filters)
        return self.done[name]

    def _input(self, given: Mapping[str, Any], path: KeyPath) -> Pipeline:
        name = given.get("pipeline")
        if name in self._begun:
            raise Refused((*path, "pipeline"), f"{name!r} has this one for its input")
        if name in self.entries:
            return self.read(name)
        return pipeline_named(given, path, {**self.outer, **dict.fromkeys(self.entries)})

    def _filter(self, value: Any, path: KeyPath, before: Sequence[Filter]) -> Filter:
        keys(value, path, ("type", "params"), required=("type",))
        kind = value["type"]
        if kind not in READERS:
            hint = nearest(str(kind), READERS) or f"; insitu does {', '.join(READERS)}"
            raise Refused((*path, "type"), f"unknown filter {kind!r}{hint}")
        params = value.get("params", {})
        if not isinstance(params, Mapping):
            raise Refused((*path, "params"), f"expected keys and values, found {shown(params)}")
        found = READERS[kind](kind, params, (*path, "params"), self.reader.steps)
        given = Pipeline("", tuple(before)).outline(self.reader.outline)
        try:
            found.outline(given)
        except ValueError as error:
            where, _, text = str(error).partition(": ")
            place = (*path, "type") if where == "type" else (*path, "params", *where.split("/"))
            unknown = isinstance(error, UnknownField)
            raise Refused(place, text, unknown_field=unknown) from None
        return found


def pipeline_named(given: Mapping[str, Any], path: KeyPath, pipelines: Named) -> Pipeline:
    """The pipeline that a plot or an extract names; without one, all fields as they are."""
    name = given.get("pipeline")
    if name is None:
        return UNFILTERED
    if name not in pipelines:
        hint = nearest(str(name), pipelines)
        there = f" (there are {', '.join(pipelines) or 'none'})"
        raise Refused((*path, "pipeline"), f"there is no pipeline {name!r}{hint or there}")
    found = pipelines[name]
    if found is None:
        raise Follows((*path, "pipeline"), "was refused")
    return found
