"""Ascent's actions: which queries, triggers and scenes a run file asks for.

In: the `actions` of a run file as plain data, in Ascent's words.
Out: Actions, plain frozen dataclasses, every name and parameter checked before any work.

What we add to Ascent's words: `mode`, `cooldown` and `max_firings` of a trigger (see
`reactive.triggers`), and `window` of a scene, which renders past steps as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from insitu import config
from insitu.config import RunConfig
from insitu.errors import ConfigError, nearest
from insitu.reactive.expressions import Expression, ExpressionError, FieldKind
from insitu.reactive.expressions import parse as parse_expression
from insitu.reactive.triggers import MODES, Query, Trigger
from insitu.render.camera import Camera
from insitu.render.scene import View
from insitu.render.transfer_function import TransferFunction
from insitu.render.words import number
from insitu.yaml_tree import KeyPath, Places, dotted

T = TypeVar("T")

_UNIT_BOUNDS = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@dataclass(frozen=True, kw_only=True)
class VolumePlot:
    """A volume rendering of one recorded field; of a vector, its magnitude."""

    field: str
    color_table: Mapping[str, Any] | None = None
    """Ascent's color_table; see `TransferFunction.from_ascent`."""
    min_value: float | None = None
    max_value: float | None = None
    """Values at the two ends of the colour table; default: the field's range."""
    samples: int | None = None
    """Samples along the diagonal of the domain; default: one per voxel."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Pictures of a plot from one or several views, at one or several steps."""

    name: str
    plot: VolumePlot
    views: tuple[View, ...]
    window: int | Literal["all"] = 1
    """How many of the recorded steps are rendered, the newest being the first; or all."""


@dataclass(frozen=True)
class Actions:
    """All that is to be done. Scenes are rendered at every step that is due for the window."""

    queries: tuple[Query, ...] = ()
    triggers: tuple[Trigger[Scene], ...] = ()
    scenes: tuple[Scene, ...] = ()

    @property
    def expressions(self) -> list[tuple[str, Expression]]:
        """Of all queries and triggers, each with the words for whose it is."""
        found = [(f"query {q.name}", q.expression) for q in self.queries]
        return found + [
            (f"trigger {t.name}", t.condition) for t in self.triggers if t.condition is not None
        ]

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields that queries and triggers read."""
        return frozenset(name for _, expression in self.expressions for name in expression.reads)


def parse(run: RunConfig, places: Places | None = None) -> Actions:
    """Check the actions of a run file. Not collective; reads no files.

    Args:
        run: whose `actions` these are, and whose `fields` scenes can show.
        places: where they stand, as returned by `config.read`, for the messages.

    Raises: ConfigError, with all the problems found.
    """
    reader = _Reader(places or Places("run file", Path.cwd()), tuple(run.fields), run.window.steps)
    actions = reader.read(list(run.actions))
    if reader.problems:
        raise ConfigError(reader.problems)
    return actions


def load(
    source: str | Path | Mapping[str, Any], overrides: Sequence[str] = ()
) -> tuple[RunConfig, Actions]:
    """Read and check a run file with its actions; as `config.load`. Not collective."""
    run, places = config.read(source, overrides)
    return run, parse(run, places)


def check_fields(run: RunConfig, actions: Actions, published: Collection[str]) -> None:
    """Check that the simulation publishes all that is asked for. Not collective.

    Args:
        published: the names of the fields that the simulation publishes, on any rank.

    Raises: ConfigError, with all the problems found.
    """
    problems = []
    for name, field in run.fields.items():
        for component in field.components or (name,):
            if component not in published:
                hint = nearest(component, published)
                there = f" (there are {', '.join(sorted(published))})"
                text = f"the simulation publishes no field '{component}'{hint or there}"
                problems.append(f"fields.{name}: {text}")
    known = {*published, *run.fields}
    problems += _problems(actions, lambda expression: expression.check_names(known))
    if problems:
        raise ConfigError(problems)


def check_kinds(actions: Actions, kinds: Mapping[str, FieldKind]) -> None:
    """Check that expressions take each field as what it is: scalar or vector, of cells or nodes.
    Not collective.

    Args:
        kinds: what there is under each name that they read.

    Raises: ConfigError, with all the problems found.
    """
    problems = _problems(actions, lambda expression: expression.check_kinds(kinds))
    if problems:
        raise ConfigError(problems)


def _problems(actions: Actions, check: Callable[[Expression], None]) -> list[str]:
    found = []
    for owner, expression in actions.expressions:
        try:
            check(expression)
        except ExpressionError as error:
            found.append(f"{owner}: {error}")
    return found


class _Refused(Exception):
    """What stands at a path is wrong."""

    def __init__(self, path: KeyPath, text: str) -> None:
        super().__init__(text)
        self.path, self.text = path, text


class _Entry(NamedTuple):
    """A named query, trigger or scene, as it stands in a list of actions."""

    word: str  # of _WORDS
    name: str
    value: Any
    path: KeyPath


# Each action that we do, and the key under which it holds its named entries.
_WORDS = {"add_queries": "queries", "add_triggers": "triggers", "add_scenes": "scenes"}


class _Reader:
    """Reads lists of actions and collects what is wrong with them in `problems`.

    The methods that read one thing take it and the path where it stands, and raise _Refused at
    the first thing that is wrong in it.
    """

    def __init__(self, places: Places, fields: Sequence[str], steps: int) -> None:
        self.places, self.fields = places, fields
        self.past = dict.fromkeys(fields, steps)  # how many steps of each the window keeps
        self.problems: list[str] = []
        self.kinds: dict[str, str] = {}  # of the queries so far, by name
        self.prefixes: dict[str, KeyPath] = {}  # of pictures, each with what uses it

    def read(self, actions: Any) -> Actions:
        """Queries first, because triggers may name any of them: they run first as well."""
        entries = self.entries(actions, ("actions",), tuple(_WORDS))
        return Actions(
            self.each("add_queries", entries, self.query),
            self.each("add_triggers", entries, self.trigger),
            self.each("add_scenes", entries, self.scene),
        )

    @contextmanager
    def collecting(self) -> Iterator[None]:
        try:
            yield
        except _Refused as refused:
            self.problems.append(self.places.problem(refused.path, refused.text))

    def entries(self, actions: Any, path: KeyPath, words: Sequence[str]) -> list[_Entry]:
        """The entries of a list of actions, of which only `words` may occur."""
        found: list[_Entry] = []
        with self.collecting():
            if not isinstance(actions, list):
                raise _Refused(path, f"expected a list of actions, found {_shown(actions)}")
            for i, action in enumerate(actions):
                with self.collecting():
                    found += self.entries_of(action, (*path, i), words)
        return found

    def entries_of(self, action: Any, path: KeyPath, words: Sequence[str]) -> list[_Entry]:
        if not isinstance(action, Mapping) or "action" not in action:
            raise _Refused(path, f"expected `action:` and what it needs, found {_shown(action)}")
        word = action["action"]
        if word not in words:
            if word in _WORDS:
                text = f"{word} has no place in a trigger's actions; {', '.join(words)} has"
                raise _Refused((*path, "action"), text)
            hint = nearest(str(word), words) or f"; insitu does {', '.join(words)}"
            raise _Refused((*path, "action"), f"unknown action {word!r}{hint}")
        key = _WORDS[word]
        _keys(action, path, ("action", key), required=(key,))
        named = action[key]
        if not isinstance(named, Mapping):
            raise _Refused((*path, key), f"expected {key} by name, found {_shown(named)}")
        return [_Entry(word, name, value, (*path, key, name)) for name, value in named.items()]

    def each(
        self, word: str, entries: Sequence[_Entry], read: Callable[[_Entry], T]
    ) -> tuple[T, ...]:
        """What `read` makes of all entries of a kind; those that are wrong are left out."""
        found, names = [], set()
        for entry in entries:
            if entry.word != word:
                continue
            with self.collecting():
                found.append(read(entry))
                if entry.name in names:
                    raise _Refused(entry.path, f"there is another of this name in {_WORDS[word]}")
                names.add(entry.name)
        return tuple(found)

    def query(self, entry: _Entry) -> Query:
        params, path = _params(entry)
        _keys(params, path, ("expression", "name"), required=("expression", "name"))
        name = params["name"]
        if not isinstance(name, str) or not name:
            raise _Refused((*path, "name"), f"expected a name, found {_shown(name)}")
        if name in self.kinds:
            raise _Refused((*path, "name"), f"another query is called {name!r} already")
        expression = self.expression(params["expression"], (*path, "expression"))
        self.kinds[name] = expression.kind
        return Query(name=name, expression=expression)

    def expression(self, text: Any, path: KeyPath) -> Expression:
        """An expression; a number, as YAML reads `expression: 5`, is one as well."""
        if not isinstance(text, str | int | float) or isinstance(text, bool):
            raise _Refused(path, f"expected an expression, found {_shown(text)}")
        try:
            expression = parse_expression(str(text), self.kinds)
            expression.check_past(self.past)
            return expression
        except ExpressionError as error:
            raise _Refused(path, str(error)) from None

    def trigger(self, entry: _Entry) -> Trigger[Scene]:
        params, path = _params(entry)
        known = ("condition", "callback", "mode", "cooldown", "max_firings", "actions")
        _keys(params, path, (*known, "actions_file"))
        callback, condition = params.get("callback"), None
        if callback is not None and (not isinstance(callback, str) or not callback.strip()):
            text = f"expected module:function, or a name for session.on, found {_shown(callback)}"
            raise _Refused((*path, "callback"), text)
        if "condition" in params:
            condition = self.expression(params["condition"], (*path, "condition"))
        elif callback is None:
            raise _Refused((*path, "condition"), "is required, or a callback")
        if "actions" not in params and (callback is None or condition is None):
            raise _Refused((*path, "actions"), "is required or actions_file")
        mode = params.get("mode", "level")
        if mode not in MODES:
            hint = nearest(str(mode), MODES)
            raise _Refused((*path, "mode"), f"{mode!r} is not one of {', '.join(MODES)}{hint}")
        limits: dict[str, Any] = {}
        with _inside(path):
            for key, least in (("cooldown", 0), ("max_firings", 1)):
                if key in params:
                    limits[key] = _count(params[key], key, 10**9, least)
        inner = self.entries(params.get("actions", []), (*path, "actions"), ("add_scenes",))
        scenes = self.each("add_scenes", inner, self.scene)
        try:
            return Trigger(
                name=entry.name,
                condition=condition,
                callback=callback,
                actions=scenes,
                mode=mode,
                **limits,
            )
        except ExpressionError as error:
            raise _Refused((*path, "condition"), str(error)) from None

    def scene(self, entry: _Entry) -> Scene:
        scene, path = entry.value, entry.path
        _keys(scene, path, ("plots", "renders", "image_prefix", "window"), required=("plots",))
        plots = scene["plots"]
        if not isinstance(plots, Mapping) or len(plots) != 1:
            raise _Refused((*path, "plots"), f"expected one plot by name, found {_shown(plots)}")
        ((plot_name, plot),) = plots.items()
        return Scene(
            name=entry.name,
            plot=self.plot(plot, (*path, "plots", plot_name)),
            views=self.views(scene, entry.name, path),
            window=_window(scene.get("window", 1), (*path, "window")),
        )

    def plot(self, plot: Any, path: KeyPath) -> VolumePlot:
        known = ("type", "field", "color_table", "min_value", "max_value", "samples")
        _keys(plot, path, known, required=("type", "field"))
        if plot["type"] != "volume":
            raise _Refused((*path, "type"), f"{plot['type']!r} is not done yet; there is volume")
        field = plot["field"]
        if field not in self.fields:
            hint = nearest(str(field), self.fields)
            there = f" (there are {', '.join(self.fields) or 'none'})"
            text = f"{field!r} is not among the fields that this run records{hint or there}"
            raise _Refused((*path, "field"), text)
        with _inside(path):
            TransferFunction.from_ascent(plot.get("color_table"), (0.0, 1.0))
            low, high = (
                None if plot.get(key) is None else number(plot[key], key)
                for key in ("min_value", "max_value")
            )
            if low is not None and high is not None and low >= high:
                raise ValueError(f"min_value: {low:g} is not below max_value, {high:g}")
            return VolumePlot(
                field=field,
                color_table=plot.get("color_table"),
                min_value=low,
                max_value=high,
                samples=_count(plot["samples"], "samples", 100_000) if "samples" in plot else None,
            )

    def views(self, scene: Mapping[str, Any], name: str, path: KeyPath) -> tuple[View, ...]:
        """The renders of a scene, by default one."""
        if "renders" not in scene:
            prefix = scene.get("image_prefix", name)
            return (View(image_prefix=self.prefix(prefix, (*path, "image_prefix"))),)
        if "image_prefix" in scene:
            text = "given together with renders, which have their own"
            raise _Refused((*path, "image_prefix"), text)
        renders, path = scene["renders"], (*path, "renders")
        if not isinstance(renders, Mapping) or not renders:
            raise _Refused(path, f"expected renders by name, found {_shown(renders)}")
        return tuple(self.view(render, (*path, key)) for key, render in renders.items())

    def view(self, render: Any, path: KeyPath) -> View:
        sizes = ("image_width", "image_height")
        known = ("image_prefix", *sizes, "camera", "bg_color", "annotations")
        _keys(render, path, known, required=("image_prefix",))
        given: dict[str, Any] = {"camera": render.get("camera")}
        with _inside(path):
            Camera.from_ascent(given["camera"], _UNIT_BOUNDS)
            for key in sizes:
                if key in render:
                    given[key] = _count(render[key], key, 16384)
            if "bg_color" in render:
                given["bg_color"] = _color(render["bg_color"], "bg_color")
            if "annotations" in render:
                given["annotations"] = _flag(render["annotations"], "annotations")
        prefix = self.prefix(render["image_prefix"], (*path, "image_prefix"))
        return View(image_prefix=prefix, **given)

    def prefix(self, prefix: Any, path: KeyPath) -> str:
        """A prefix of picture files: its only % is of a pattern for the cycle, as in %04d."""
        if not isinstance(prefix, str) or not prefix or prefix.endswith("/"):
            raise _Refused(path, f"expected the beginning of a file name, found {_shown(prefix)}")
        if "%" in re.sub(r"%0?\d*d", "", prefix, count=1):
            raise _Refused(path, f"{prefix!r}: the only pattern is one like %04d, for the cycle")
        if prefix in self.prefixes:
            other = dotted(self.prefixes[prefix])
            raise _Refused(path, f"{prefix!r} would overwrite the pictures of {other}")
        self.prefixes[prefix] = path
        return prefix


def _params(entry: _Entry) -> tuple[Mapping[str, Any], KeyPath]:
    """The `params` of a query or trigger, and their path."""
    _keys(entry.value, entry.path, ("params",), required=("params",))
    return entry.value["params"], (*entry.path, "params")


def _keys(mapping: Any, path: KeyPath, known: Sequence[str], required: Sequence[str] = ()) -> None:
    """Refuse what is not a mapping, has unknown keys, or lacks required ones."""
    if not isinstance(mapping, Mapping):
        raise _Refused(path, f"expected keys and values, found {_shown(mapping)}")
    for key in mapping:
        if key not in known:
            hint = nearest(str(key), known) or f"; known are {', '.join(known)}"
            raise _Refused((*path, key), f"unknown key{hint}")
    for key in required:
        if key not in mapping:
            raise _Refused((*path, key), "is required")


@contextmanager
def _inside(path: KeyPath) -> Iterator[None]:
    """Refuse what makes the block raise "key/key: text", keys being relative to `path`."""
    try:
        yield
    except ValueError as error:
        where, _, text = str(error).partition(": ")
        raise _Refused((*path, *where.split("/")), text) from None


def _window(value: Any, path: KeyPath) -> int | Literal["all"]:
    if value == "all":
        return "all"
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _Refused(path, f"{_shown(value)} is neither a number of steps nor all")
    return value


def _count(value: Any, where: str, most: int, least: int = 1) -> int:
    count = number(value, where, least, most)
    if count != int(count):
        raise ValueError(f"{where}: {value!r} is not a whole number")
    return int(count)


def _color(value: Any, where: str) -> tuple[float, float, float]:
    if not isinstance(value, list | tuple) or len(value) not in (3, 4):
        raise ValueError(f"{where}: expected red, green and blue in 0..1, found {_shown(value)}")
    red, green, blue = (number(v, where, 0, 1) for v in value[:3])  # the fourth is Ascent's alpha
    return red, green, blue


def _flag(value: Any, where: str) -> bool:
    """Ascent writes its flags as the texts "true" and "false"."""
    if str(value).lower() not in ("true", "false"):
        raise ValueError(f"{where}: {value!r} is neither true nor false")
    return str(value).lower() == "true"


def _shown(value: Any) -> str:
    """A value as a message shows it."""
    if isinstance(value, Mapping):
        return f"the keys {', '.join(map(str, value))}" if value else "nothing"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "nothing" if value is None else repr(value)
