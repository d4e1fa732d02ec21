"""Reading scenes and their plots.

In: an entry of add_scenes. Out: a Scene, or Refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from insitu.actions.pipelines import pipeline_named
from insitu.actions.reader import Entry, Named, Reader
from insitu.actions.refusal import Refused, count, flag, inside, keys, named, text, window
from insitu.actions.renders import read_renders
from insitu.errors import nearest
from insitu.render.paraview_map import control_points
from insitu.render.plots import TYPES, Plot
from insitu.render.scene import Scene
from insitu.render.transfer_function import TransferFunction
from insitu.render.words import number
from insitu.yaml_tree import KeyPath

RENDERS = ("renders", "image_prefix", "image_name")


def read_scene(reader: Reader, entry: Entry, pipelines: Named) -> Scene:
    scene, path = entry.value, entry.path
    keys(scene, path, ("plots", *RENDERS, "window"), required=("plots",))
    views, cinemas = read_renders(reader, scene, path, entry.name)
    return Scene(
        name=entry.name,
        plots=read_plots(reader, scene["plots"], (*path, "plots"), pipelines),
        views=views,
        cinemas=cinemas,
        window=window(scene.get("window", 1), (*path, "window")),
    )


def read_plots(reader: Reader, plots: Any, path: KeyPath, pipelines: Named) -> tuple[Plot, ...]:
    found: list[Plot] = []
    for name, given in named(plots, path, "plots").items():
        plot = _plot(reader, given, (*path, name), pipelines)
        if plot.type == "volume" and any(other.type == "volume" for other in found):
            raise Refused((*path, name), "a scene can have only one volume plot, as in Ascent")
        found.append(plot)
    return tuple(found)


def _plot(reader: Reader, given: Any, path: KeyPath, pipelines: Named) -> Plot:
    keys(given, path, _KNOWN, required=("type", "field"))
    kind = given["type"]
    if kind not in TYPES:
        hint = nearest(str(kind), TYPES) or f"; there are {' and '.join(TYPES)}"
        raise Refused((*path, "type"), f"a plot of type {kind!r} is not done{hint}")
    words, options = _color_table(reader, given.get("color_table"), (*path, "color_table"))
    with inside(path):
        TransferFunction.from_ascent(words, (0.0, 1.0))
        low, high = (
            None if given.get(key) is None else number(given[key], key)
            for key in ("min_value", "max_value")
        )
        if low is not None and high is not None and low >= high:
            raise ValueError(f"min_value: {low:g} is not below max_value, {high:g}")
        if "samples" in given:
            options["samples"] = count(given["samples"], "samples", 100_000)
        if "shading" in given:
            options["shading"] = flag(given["shading"], "shading")
        plot = Plot(
            field=text(given["field"], (*path, "field"), "the name of a field"),
            type=kind,
            pipeline=pipeline_named(given, path, pipelines),
            color_table=words,
            min_value=low,
            max_value=high,
            **options,
        )
        plot.check(reader.outline)
        return plot


_KNOWN = (
    "type", "field", "pipeline", "topology", "color_table", "min_value", "max_value", "samples",
    "shading",
)  # fmt: skip


def _color_table(
    reader: Reader, given: Any, path: KeyPath
) -> tuple[Mapping[str, Any] | None, dict[str, Any]]:
    """Ascent's words for colours with ParaView's files read, and what else they say of the plot.

    `file:` names a JSON file of ParaView; so does a name that ends in .json, and a text alone.
    """
    if given is None:
        return None, {}
    words = {"name": given} if isinstance(given, str) else given
    if not isinstance(words, Mapping):
        return words, {}  # to be refused with the rest
    words, options = dict(words), {}
    with inside(path):
        if "annotation" in words:
            options["color_bar"] = flag(words.pop("annotation"), "annotation")
    key = "file" if "file" in words else "name"
    if key == "file" or str(words.get("name", "")).lower().endswith(".json"):
        place = (*path, key) if isinstance(given, Mapping) else path
        file = reader.places.folder / text(words.pop(key), place, "the name of a file")
        if "control_points" in words:
            raise Refused((*path, "control_points"), "given together with a file of colours")
        map_name = words.pop("name", None)
        try:
            words["control_points"] = control_points(file.read_text(encoding="utf-8"), map_name)
        except OSError as error:
            raise Refused(place, f"{file}: {error.strerror or error}") from None
        except ValueError as error:
            raise Refused(place, f"{file}: {error}") from None
    return words, options
