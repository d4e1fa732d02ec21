"""Extracts, by their types and parameters.

In: an entry of add_extracts. Out: a Relay, a Script, a Scene or a Movie; or InvalidAction.

To add an extract, add a model of its params and an entry in EXTRACTS.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pydantic
from pydantic import Field

from insitu.actions.base import ActionModel, Check, exactly_one, read
from insitu.actions.errors import DependentError, InvalidAction, among, inside
from insitu.actions.extracts.movie import Movie
from insitu.actions.extracts.relay import PROTOCOLS, Relay
from insitu.actions.extracts.script import Script
from insitu.actions.model import Action
from insitu.actions.pipelines import pipeline_named
from insitu.actions.reader import ActionParser, Entry, Named
from insitu.actions.renders import DatabaseParams, LookParams
from insitu.actions.scenes import Plots, made_plots
from insitu.actions.values import ignored, names, number, refused, span, text
from insitu.core.code import refusal
from insitu.core.errors import nearest
from insitu.core.yaml_tree import KeyPath
from insitu.filters.pipeline import Pipeline
from insitu.render.picture.movie import FRAMES_PER_SECOND, SUFFIXES, has_ffmpeg
from insitu.render.picture.scene import Scene
from insitu.store.timestep import Span


@dataclass(frozen=True)
class Place:
    """The position of an extract, and what it may name there."""

    reader: ActionParser
    name: str
    path: KeyPath
    """Of its params."""
    pipeline: Pipeline
    window: Span
    pipelines: Named
    scenes: Mapping[str, Scene | None]
    """Those beside it, which a movie may be of; None for those that were refused."""


class ExtractParams(ActionModel):
    """The params of an extract."""

    window: ClassVar[Literal[1, "all"]] = 1
    """For how many steps it is done where its entry does not say so."""
    no_pipeline: ClassVar[str] = ""
    """Why its entry cannot name a pipeline, if it cannot."""

    @abstractmethod
    def make(self, place: Place) -> Action:
        """Raises InvalidAction, with the whole path."""


def _protocol(given: Any) -> str:
    if given not in PROTOCOLS:
        raise ValueError(f"{given!r} is not supported; expected one of {', '.join(PROTOCOLS)}")
    return str(given)


_Names = Annotated[tuple[str, ...] | None, names()]


class RelayParams(ExtractParams):
    """Saves fields, or the result of a pipeline, to files."""

    path: Annotated[str, text("a file name")] = Field(
        description="File name without extension, in `output`; a pattern such as `%04d` is "
        "replaced by the cycle, which is otherwise appended."
    )
    protocol: Annotated[str, Check(_protocol, {"enum": list(PROTOCOLS)})] = Field(
        "vtk", description="File format; see below."
    )
    fields: _Names = Field(None, description="Fields to save; default: all.")
    topologies: Annotated[None, refused("a run has one topology; choose fields instead")] = None

    def make(self, place: Place) -> Action:
        with inside(place.path):
            everything = place.pipeline.outline(place.reader.outline).fields
            relay = Relay(
                name=place.name,
                path=place.reader.output(self.path, (*place.path, "path")),
                protocol=self.protocol,
                fields=self.fields or tuple(everything),
                pipeline=place.pipeline,
                window=place.window,
            )
            relay.check(place.reader.outline)
        return relay


class ScriptParams(ExtractParams):
    """Runs a Python script on all ranks. Give exactly one of `source` and `file`."""

    model_config = exactly_one("source", "file")

    source: Annotated[str | None, text("a script")] = Field(None, description="The script.")
    file: Annotated[str | None, text("the name of a file")] = Field(
        None, description="File with the script; its path is relative to the run file."
    )
    fields: _Names = Field(
        None,
        description="Fields that the script reads, and that are therefore trained; default: all.",
    )

    @pydantic.model_validator(mode="after")
    def _one_of_two(self) -> ScriptParams:
        if (self.source is None) == (self.file is None):
            raise InvalidAction(("source",), "give either this, the script itself, or a file")
        if refused := refusal("a script"):
            raise InvalidAction(("source" if self.file is None else "file",), refused)
        return self

    def make(self, place: Place) -> Action:
        path, pipeline, fields = place.path, place.pipeline, self.fields
        source, file = self.source or "", ""
        if self.file is not None:
            source, file = _script_file(place.reader.places.folder / self.file, (*path, "file"))
        with inside(path):
            known = pipeline.outline(place.reader.outline)
            for field in fields or ():
                known.field(field, "fields")
        if fields is None and pipeline.filters:
            fields = tuple(known.fields)
        script = Script(
            name=place.name,
            source=source,
            file=file,
            pipeline=pipeline,
            fields=fields,
            window=place.window,
        )
        try:
            script.compiled()
        except SyntaxError as error:
            key = "file" if file else "source"
            raise InvalidAction((*path, key), f"line {error.lineno}: {error.msg}") from None
        return script


def _script_file(file: Path, path: KeyPath) -> tuple[str, str]:
    """Text and name of a file."""
    try:
        return file.read_text(encoding="utf-8"), str(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidAction(path, f"{file}: {reason}") from None


class _PlotParams(ExtractParams):
    plots: Plots = Field(description="Plots, as in a scene.")


class CinemaExtractParams(LookParams, DatabaseParams, _PlotParams):
    """A Cinema database with its own plots."""

    no_pipeline: ClassVar[str] = "the plots of a cinema extract name theirs"

    def make(self, place: Place) -> Action:
        plots = made_plots(place.reader, self.plots, (*place.path, "plots"), place.pipelines)
        return Scene(
            what="extract",
            name=place.name,
            plots=plots,
            cinemas=(self.cinema(place.reader, place.path, self.look()),),
            window=place.window,
        )


class MovieParams(ExtractParams):
    """A movie of a scene from the same list of actions (insitu extension)."""

    window: ClassVar[Literal[1, "all"]] = "all"
    no_pipeline: ClassVar[str] = "the plots of its scene name theirs"

    scene: Annotated[Any, ignored({"type": "string"})] = Field(
        description="Name of a scene in the same list of actions."
    )
    render: Annotated[Any, ignored({"type": "string"})] = Field(
        None, description="Render whose view is used; default: the first."
    )
    path: Annotated[str, text("a file name")] = Field(
        description="File name in `output`. Its extension is the format: `.mp4` (extra `movie`) or "
        "`.gif`; without one, `.mp4` if that is available. A pattern such as `%04d` is replaced by "
        "the cycle of the last step."
    )
    fps: Annotated[float, number(0.1, 240, "pictures per second")] = Field(
        FRAMES_PER_SECOND, description="Frame rate."
    )

    @pydantic.field_validator("path")
    @classmethod
    def _format(cls, path: str) -> str:
        suffix = Path(path).suffix.lower()
        if suffix not in ("", *SUFFIXES):
            raise ValueError(f"{path!r}: unknown format; expected {' or '.join(SUFFIXES)}")
        if suffix == ".mp4" and not has_ffmpeg():
            raise ValueError(
                ".mp4 requires imageio with ffmpeg: pip install 'insitu-inr[movie]'; or write .gif"
            )
        return path

    def make(self, place: Place) -> Action:
        name, path, scenes = self.scene, place.path, place.scenes
        if not among(name, scenes):
            hint = nearest(str(name), scenes) or f" (there are {', '.join(scenes) or 'none'})"
            raise InvalidAction((*path, "scene"), f"there is no scene {name!r} beside it{hint}")
        scene = scenes[name]
        if scene is None:
            raise DependentError((*path, "scene"), "was refused")
        views = {view.name: view for view in scene.views}
        given = "render" in self.model_fields_set
        chosen = self.render if given else next(iter(views), None)
        if not among(chosen, views):
            there = f" (there are {', '.join(views)})" if views else "; it has none but databases"
            raise InvalidAction((*path, "render"), f"{name} has no render {chosen!r}{there}")
        return Movie(
            name=place.name,
            path=place.reader.output(self.path, (*path, "path")),
            scene=scene,
            view=views[chosen],
            fps=self.fps,
            window=place.window,
        )


EXTRACTS: dict[str, type[ExtractParams]] = {
    "relay": RelayParams,
    "python": ScriptParams,
    "cinema": CinemaExtractParams,
    "movie": MovieParams,
}


def _type(given: Any) -> str:
    if not among(given, EXTRACTS):
        hint = nearest(str(given), EXTRACTS) or f"; insitu does {', '.join(EXTRACTS)}"
        raise ValueError(f"unknown extract {given!r}{hint}")
    return str(given)


class ExtractEntry(ActionModel):
    """An extract."""

    type: Annotated[str, Check(_type)] = Field(description="One of the types below.")
    params: Annotated[Any, ignored({"type": "object"})] = Field(
        description="Parameters; see below."
    )
    pipeline: Annotated[Any, ignored({"type": ["string", "null"]})] = Field(
        None,
        description="Pipeline whose result is used; default: the fields as they are.",
    )
    window: Annotated[Span | None, span()] = Field(
        None,
        description="Number of recorded steps to run it for, counted back from the newest; "
        "default: 1, for a movie `all` (insitu extension).",
    )


def read_extract(
    reader: ActionParser, entry: Entry, pipelines: Named, scenes: Mapping[str, Scene | None]
) -> Action:
    """scenes: those beside it, which a movie may be of; None for those that were refused."""
    extract = read(ExtractEntry, entry.value, entry.path)
    model = EXTRACTS[extract.type]
    if model.no_pipeline and "pipeline" in extract.model_fields_set:
        raise InvalidAction((*entry.path, "pipeline"), model.no_pipeline)
    path = (*entry.path, "params")
    place = Place(
        reader=reader,
        name=entry.name,
        path=path,
        pipeline=pipeline_named(extract.pipeline, entry.path, pipelines),
        window=model.window if extract.window is None else extract.window,
        pipelines=pipelines,
        scenes=scenes,
    )
    return read(model, extract.params, path).make(place)
