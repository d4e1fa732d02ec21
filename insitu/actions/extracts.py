"""Reading extracts, by their types and parameters.

In: an entry of add_extracts. Out: a Relay, a Script, a Scene or a Movie; or Refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from insitu.actions.model import Action
from insitu.actions.pipelines import pipeline_named
from insitu.actions.reader import Entry, Named, Reader, params
from insitu.actions.refusal import Follows, Refused, inside, keys, shown, text, window
from insitu.actions.renders import CINEMA, LOOK, read_cinema
from insitu.actions.scenes import read_plots
from insitu.errors import nearest
from insitu.extracts.movie import Movie
from insitu.extracts.relay import PROTOCOLS, Relay
from insitu.extracts.script import Script
from insitu.history.steps import Span
from insitu.render.movie import FRAMES_PER_SECOND, SUFFIXES, has_ffmpeg
from insitu.render.scene import Scene
from insitu.render.words import number
from insitu.yaml_tree import KeyPath

Params = Mapping[str, Any]


_KEYS = ("type", "params", "pipeline", "window")


def read_extract(
    reader: Reader, entry: Entry, pipelines: Named, scenes: Mapping[str, Scene | None]
) -> Action:
    """scenes: those beside it, which a movie may be of; None for those that were refused."""
    keys(entry.value, entry.path, _KEYS, required=("type", "params"))
    kind = entry.value["type"]
    if kind not in TYPES:
        hint = nearest(str(kind), TYPES) or f"; insitu does {', '.join(TYPES)}"
        raise Refused((*entry.path, "type"), f"unknown extract {kind!r}{hint}")
    if kind == "movie":
        return _movie(reader, entry, scenes)
    span = window(entry.value.get("window", 1), (*entry.path, "window"))
    return _OF_FIELDS[kind](reader, entry, pipelines, span)


def _relay(reader: Reader, entry: Entry, pipelines: Named, span: Span) -> Relay:
    pipeline = pipeline_named(entry.value, entry.path, pipelines)
    given, path = params(entry, _KEYS)
    keys(given, path, ("path", "protocol", "fields", "topologies"), required=("path",))
    if "topologies" in given:
        raise Refused((*path, "topologies"), "a run has one topology; choose fields instead")
    protocol = given.get("protocol", "vtk")
    if protocol not in PROTOCOLS:
        there = f"{protocol!r} is not done; there are {', '.join(PROTOCOLS)}"
        raise Refused((*path, "protocol"), there)
    target = text(given["path"], (*path, "path"), "a file name")
    with inside(path):
        everything = pipeline.outline(reader.outline).fields
        fields = _fields(given, path) or tuple(everything)
        relay = Relay(
            name=entry.name,
            path=reader.output(target, (*path, "path")),
            protocol=protocol,
            fields=fields,
            pipeline=pipeline,
            window=span,
        )
        relay.check(reader.outline)
    return relay


def _script(reader: Reader, entry: Entry, pipelines: Named, span: Span) -> Script:
    pipeline = pipeline_named(entry.value, entry.path, pipelines)
    given, path = params(entry, _KEYS)
    keys(given, path, ("source", "file", "fields"))
    if ("source" in given) == ("file" in given):
        raise Refused((*path, "source"), "give either this, the script itself, or a file")
    file = ""
    if "file" in given:
        name = text(given["file"], (*path, "file"), "the name of a file")
        place = reader.places.folder / name
        try:
            source, file = place.read_text(encoding="utf-8"), str(place)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise Refused((*path, "file"), f"{place}: {reason}") from None
    else:
        source = text(given["source"], (*path, "source"), "a script")
    fields = _fields(given, path)
    with inside(path):
        known = pipeline.outline(reader.outline)
        for field in fields or ():
            known.field(field, "fields")
    if fields is None and pipeline.filters:
        fields = tuple(known.fields)
    script = Script(
        name=entry.name, source=source, file=file, pipeline=pipeline, fields=fields, window=span
    )
    try:
        script.compiled()
    except SyntaxError as error:
        key = "file" if file else "source"
        raise Refused((*path, key), f"line {error.lineno}: {error.msg}") from None
    return script


def _cinema(reader: Reader, entry: Entry, pipelines: Named, span: Span) -> Scene:
    """A scene's render of type cinema, as an extract of its own."""
    given, path = params(entry, _KEYS)
    if "pipeline" in entry.value:
        raise Refused((*entry.path, "pipeline"), "the plots of a cinema extract name theirs")
    keys(given, path, ("plots", *CINEMA, *LOOK), required=("plots",))
    return Scene(
        what="extract",
        name=entry.name,
        plots=read_plots(reader, given["plots"], (*path, "plots"), pipelines),
        cinemas=(read_cinema(reader, given, path),),
        window=span,
    )


def _movie(reader: Reader, entry: Entry, scenes: Mapping[str, Scene | None]) -> Movie:
    """A movie of a scene beside it, as one of its renders shows it."""
    given, path = params(entry, ("type", "params", "window"))
    keys(given, path, ("scene", "render", "path", "fps"), required=("scene", "path"))
    name = given["scene"]
    if name not in scenes:
        hint = nearest(str(name), scenes) or f" (there are {', '.join(scenes) or 'none'})"
        raise Refused((*path, "scene"), f"there is no scene {name!r} beside it{hint}")
    scene = scenes[name]
    if scene is None:
        raise Follows((*path, "scene"), "was refused")
    views = {view.name: view for view in scene.views}
    chosen = given.get("render", next(iter(views), None))
    if chosen not in views:
        there = f" (there are {', '.join(views)})" if views else "; it has none but databases"
        raise Refused((*path, "render"), f"{name} has no render {chosen!r}{there}")
    target = text(given["path"], (*path, "path"), "a file name")
    suffix = Path(target).suffix.lower()
    if suffix not in ("", *SUFFIXES):
        raise Refused((*path, "path"), f"{target!r}: movies are {' and '.join(SUFFIXES)}")
    if suffix == ".mp4" and not has_ffmpeg():
        reason = ".mp4 needs imageio and its ffmpeg: pip install 'insitu-inr[movie]'; or write .gif"
        raise Refused((*path, "path"), reason)
    with inside(path):
        fps = number(given.get("fps", FRAMES_PER_SECOND), "fps", 0.1, 240)
    return Movie(
        name=entry.name,
        path=reader.output(target, (*path, "path")),
        scene=scene,
        view=views[chosen],
        fps=fps,
        window=window(entry.value.get("window", "all"), (*entry.path, "window")),
    )


def _fields(given: Params, path: KeyPath) -> tuple[str, ...] | None:
    """The names in a list `fields`, if there is one."""
    if "fields" not in given:
        return None
    names = given["fields"]
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise Refused((*path, "fields"), f"expected a list of names, found {shown(names)}")
    return tuple(dict.fromkeys(names))


_OF_FIELDS: dict[str, Callable[[Reader, Entry, Named, Span], Action]] = {
    "relay": _relay,
    "python": _script,
    "cinema": _cinema,
}
TYPES = (*_OF_FIELDS, "movie")
