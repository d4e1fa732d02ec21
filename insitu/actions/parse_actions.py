"""Reading what is done: pipelines, scenes and extracts, at the top of a run file or in a trigger.

In: the entries of a list of actions. Out: scenes and extracts, each with its pipelines.
"""

from __future__ import annotations

from collections.abc import Sequence

from insitu.actions.extract_models import read_extract
from insitu.actions.model import Action
from insitu.actions.pipelines import Pipelines
from insitu.actions.reader import ActionParser, Entry, Named
from insitu.actions.scenes import read_scene
from insitu.filters.pipeline import Pipeline
from insitu.render.picture.scene import Scene


def read_pipelines(reader: ActionParser, entries: Sequence[Entry], outer: Named) -> Named:
    """The pipelines among these entries and, under other names, those from around them; None for
    those that were refused."""
    reading = Pipelines(reader, [e for e in entries if e.word == "add_pipelines"], outer)
    reader.each(entries, "add_pipelines", lambda _, entry: reading.read(entry.name))
    left_out: dict[str, Pipeline | None] = dict.fromkeys(reader.refused)
    return {**left_out, **outer, **dict.fromkeys(reading.entries), **reading.done}


def read_scenes_and_extracts(
    reader: ActionParser, entries: Sequence[Entry], pipelines: Named
) -> tuple[Action, ...]:
    """The scenes and then the extracts among these entries."""
    scenes = reader.each(
        entries, "add_scenes", lambda _, entry: read_scene(reader, entry, pipelines)
    )
    beside: dict[str, Scene | None] = dict.fromkeys(reader.refused)
    beside |= {e.name: None for e in entries if e.word == "add_scenes"}
    beside |= {scene.name: scene for scene in scenes}
    extracts = reader.each(
        entries, "add_extracts", lambda _, entry: read_extract(reader, entry, pipelines, beside)
    )
    return (*scenes, *extracts)
