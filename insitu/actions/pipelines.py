"""Reading pipelines: filters by name, in the order in which they stand.

In: the entries of add_pipelines. Out: Pipelines by name, or InvalidAction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from insitu.actions.base import ActionModel, Check, read
from insitu.actions.errors import DependentError, InvalidAction, among, named, shown
from insitu.actions.filter_types import ELSEWHERE, FILTERS
from insitu.actions.parameters import filter_of
from insitu.actions.reader import ActionParser, Entry, Named
from insitu.core.errors import nearest
from insitu.core.yaml_tree import KeyPath
from insitu.filters.pipeline import UNFILTERED, Carried, Filter, Pipeline
from insitu.filters.schema import UnknownField


def _type(given: Any) -> str:
    if among(given, ELSEWHERE):
        raise ValueError(f"insitu has no filter {given!r}; {ELSEWHERE[given]}")
    if not among(given, FILTERS):
        hint = nearest(str(given), FILTERS) or f"; insitu does {', '.join(FILTERS)}"
        raise ValueError(f"unknown filter {given!r}{hint}")
    return str(given)


def _params(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise ValueError(f"expected keys and values, found {shown(given)}")
    return given


class FilterEntry(ActionModel):
    """A filter of a pipeline."""

    type: Annotated[str, Check(_type)] = Field(description="One of the types below.")
    params: Annotated[Mapping[str, Any], Check(_params)] = Field({}, description="As below.")


class Pipelines:
    """Pipelines that may name each other as their input, in any order."""

    def __init__(self, reader: ActionParser, entries: Sequence[Entry], outer: Named) -> None:
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
            raise DependentError(self.entries[name].path, "was refused")
        entry = self.entries[name]
        path = entry.path
        self._refused.add(name)  # unless it comes to its end
        given = named(entry.value, path, "filters")
        if "type" in given:
            text = "a filter stands under a name of its own: f1: {type: ..., params: ...}"
            raise InvalidAction((*path, "type"), text)
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
            raise InvalidAction((*path, "pipeline"), f"{name!r} has this pipeline as its input")
        if among(name, self.entries):
            return self.read(name)
        known: dict[str, Pipeline | None] = dict.fromkeys((*self.reader.refused, *self.entries))
        return pipeline_named(name, path, {**known, **self.outer})

    def _filter(self, value: Any, path: KeyPath, before: Sequence[Filter]) -> Filter:
        entry = read(FilterEntry, value, path)
        params = (*path, "params")
        name = "/".join(str(key) for key in path[-2:])
        found = filter_of(self.reader, entry.type, entry.params, params, name)
        given = Pipeline("", tuple(before)).outline(self.reader.outline)
        if isinstance(found, Carried):
            found = found.on(given)
        try:
            found.outline(given)
        except ValueError as error:
            where, _, text = str(error).partition(": ")
            place = (*path, "type") if where == "type" else (*params, *where.split("/"))
            unknown = isinstance(error, UnknownField)
            raise InvalidAction(place, text, unknown_field=unknown) from None
        return found


def pipeline_named(name: Any, path: KeyPath, pipelines: Named) -> Pipeline:
    """The pipeline that what stands at `path` names; without one, all fields as they are."""
    if name is None:
        return UNFILTERED
    if not among(name, pipelines):
        hint = nearest(str(name), pipelines)
        there = f" (there are {', '.join(pipelines) or 'none'})"
        raise InvalidAction((*path, "pipeline"), f"there is no pipeline {name!r}{hint or there}")
    found = pipelines[name]
    if found is None:
        raise DependentError((*path, "pipeline"), "was refused")
    return found
