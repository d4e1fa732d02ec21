"""Lists of actions: which words there are, what stands under them, and what is wrong with them.

In: plain data in Ascent's words. Out: entries by name; all problems, each with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias, TypeVar

from insitu.actions.errors import DependentError, InvalidAction, among, keys, shown
from insitu.core.errors import nearest
from insitu.core.yaml_tree import KeyPath, Places, dotted
from insitu.filters.pipeline import Pipeline
from insitu.filters.schema import DataSchema
from insitu.queries.triggers import Query
from insitu.store.manifest import Units

T = TypeVar("T")
Named: TypeAlias = "Mapping[str, Pipeline | None]"
"""Pipelines that may be named; None for those that were refused."""


class Entry(NamedTuple):
    """A named query, trigger, pipeline, scene or extract, as it stands in a list of actions."""

    word: str  # of ACTION_KEYS
    name: str
    value: Any
    path: KeyPath


ACTION_KEYS = {
    "add_queries": "queries",
    "add_triggers": "triggers",
    "add_pipelines": "pipelines",
    "add_scenes": "scenes",
    "add_extracts": "extracts",
}
"""Each action that we do, and the key under which it holds its named entries."""
OF_TRIGGERS = ("add_pipelines", "add_scenes", "add_extracts")
"""Those that may stand in a trigger."""


@dataclass
class ActionParser:
    """What is known while actions are read. What reads one entry takes this and the entry, and
    raises InvalidAction at the first error in it."""

    places: Places
    outline: DataSchema
    """The fields that the run records."""
    steps: int
    """How many steps of each the window keeps."""
    units: Units = field(default_factory=Units)
    """Of fields, lengths and time, for the labels of pictures."""
    periodic: str = ""
    """Axes along which the domain continues at its other side, as in "xz"."""
    of_record: bool = False
    """Whether they are for a record, which may lack what a run had: then what names a field that is
    not there is left out, and expressions are checked when all of them are known."""
    left_out: list[str] = field(default_factory=list)
    """What names a field that the record lacks, each with its place."""
    problems: list[str] = field(default_factory=list)
    refusals: list[InvalidAction] = field(default_factory=list)
    """What is behind them, and what depends on something refused, with paths from the root."""
    refused: set[str] = field(default_factory=set)
    """Names of pipelines and scenes that were left out before."""
    kinds: dict[str, str] = field(default_factory=dict)
    """Of the queries so far, by name."""
    parameters: list[Query] = field(default_factory=list)
    """Queries whose results are parameters of filters, by names of ours."""
    outputs: dict[str, KeyPath] = field(default_factory=dict)
    """Names of files, each with what writes it."""

    @contextmanager
    def collecting(self) -> Iterator[None]:
        try:
            yield
        except DependentError as refused:
            self.refusals.append(refused)
        except InvalidAction as refused:
            for one in (refused, *refused.also):
                left_out = self.of_record and one.unknown_field
                problem = self.places.problem(one.path, one.text)
                (self.left_out if left_out else self.problems).append(problem)
                self.refusals.append(one)

    def entries(self, actions: Any, path: KeyPath, allowed: Sequence[str]) -> list[Entry]:
        """The entries of a list of actions, all of them among `allowed`."""
        found: list[Entry] = []
        with self.collecting():
            if not isinstance(actions, list):
                raise InvalidAction(path, f"expected a list of actions, found {shown(actions)}")
            for i, action in enumerate(actions):
                with self.collecting():
                    found += _entries_of(action, (*path, i), allowed)
        return found

    def each(
        self, entries: Sequence[Entry], word: str, read: Callable[[ActionParser, Entry], T]
    ) -> tuple[T, ...]:
        """What `read` makes of all entries of a kind; those that are wrong are left out."""
        found, names = [], set()
        for entry in entries:
            if entry.word != word:
                continue
            with self.collecting():
                found.append(read(self, entry))
                if entry.name in names:
                    raise InvalidAction(
                        entry.path, f"there is another of this name in {ACTION_KEYS[word]}"
                    )
                names.add(entry.name)
        return tuple(found)

    def output(self, name: str, path: KeyPath) -> str:
        """A file name that nothing else in the run file writes to."""
        if name in self.outputs:
            other = dotted(self.outputs[name])
            raise InvalidAction(path, f"{name!r} would overwrite what {other} writes")
        self.outputs[name] = path
        return name


def _entries_of(action: Any, path: KeyPath, allowed: Sequence[str]) -> list[Entry]:
    if not isinstance(action, Mapping) or "action" not in action:
        raise InvalidAction(path, f"expected `action:` and what it needs, found {shown(action)}")
    word = action["action"]
    if word not in allowed:
        if among(word, ACTION_KEYS):
            text = f"{word} has no place in a trigger's actions; {', '.join(allowed)} have"
            raise InvalidAction((*path, "action"), text)
        if word == "save_session":
            text = "insitu writes the session file at every step, with all queries; leave it out"
            raise InvalidAction((*path, "action"), text)
        hint = nearest(str(word), allowed) or f"; insitu does {', '.join(allowed)}"
        raise InvalidAction((*path, "action"), f"unknown action {word!r}{hint}")
    key = ACTION_KEYS[word]
    keys(action, path, ("action", key), required=(key,))
    entries = action[key]
    if not isinstance(entries, Mapping):
        raise InvalidAction((*path, key), f"expected {key} by name, found {shown(entries)}")
    return [Entry(word, name, value, (*path, key, name)) for name, value in entries.items()]


def params(entry: Entry, known: Sequence[str] = ("params",)) -> tuple[Mapping[str, Any], KeyPath]:
    """The `params` of an entry whose keys may be the known ones, and their path."""
    keys(entry.value, entry.path, known, required=("params",))
    return entry.value["params"], (*entry.path, "params")
