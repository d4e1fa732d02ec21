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
from insitu.actions.extracts.flatten import Flatten
from insitu.actions.extracts.movie import Movie
from insitu.actions.extracts.relay import PROTOCOLS, Relay
from insitu.actions.extracts.script import Script
from insitu.actions.extracts.summary import Summary
from insitu.actions.extracts.xray import Xray
from insitu.actions.model import Action
from insitu.actions.pipelines import pipeline_named
from insitu.actions.reader import ActionParser, Entry, Named
from insitu.actions.renders import CameraParams, DatabaseParams, LookParams
from insitu.actions.scenes import PlotParams, Plots, made_plots
from insitu.actions.values import (
    color,
    count,
    field_name,
    flag,
    ignored,
    names,
    nullable,
    number,
    one_of,
    positive,
    refused,
    span,
    text,
)
from insitu.core.code import refusal
from insitu.core.errors import nearest
from insitu.core.yaml_tree import KeyPath
from insitu.filters.pipeline import Filter, Pipeline
from insitu.filters.surface_filters import ThreeSlice
from insitu.render.picture.movie import FRAMES_PER_SECOND, SUFFIXES, has_ffmpeg
from insitu.render.picture.scene import Scene
from insitu.render.picture.view import View
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


class VtkParams(ExtractParams):
    """Saves all fields, or the result of a pipeline, for VTK: as `relay` with protocol `vtk`."""

    path: Annotated[str, text("a file name")] = Field(
        description="File name without extension, in `output`, as of `relay`."
    )
    topology: Annotated[str, text("the name of a topology")] = Field(
        "", description="Accepted and ignored: a run has one mesh."
    )

    def make(self, place: Place) -> Action:
        return read(RelayParams, {"path": self.path}, place.path).make(place)


class FlattenParams(ExtractParams):
    """Saves fields as CSV tables, a row for each vertex or cell with its place."""

    path: Annotated[str, text("a file name")] = Field(
        description="Name of the folder of tables without its ending `.csv`, in `output`; a "
        "pattern such as `%04d` is replaced by the cycle, which is otherwise appended."
    )
    protocol: Annotated[str, one_of(("csv",))] = Field("csv", description="Only `csv`.")
    fields: _Names = Field(None, description="Fields to save; default: all.")

    def make(self, place: Place) -> Action:
        with inside(place.path):
            everything = place.pipeline.outline(place.reader.outline).fields
            found = Flatten(
                name=place.name,
                path=place.reader.output(self.path, (*place.path, "path")),
                fields=self.fields or tuple(everything),
                pipeline=place.pipeline,
                window=place.window,
            )
            found.check(place.reader.outline)
        return found


class StatisticsParams(ExtractParams):
    """Writes count, extrema, mean, variance, skewness and kurtosis of a field to a JSON file named
    after the extract."""

    field: Annotated[str, field_name()] = Field(
        description="Name of a field; for a vector, its magnitude."
    )

    def make(self, place: Place) -> Action:
        return self._summary(place, 0)

    def _summary(self, place: Place, bins: int) -> Action:
        with inside(place.path):
            found = Summary(
                name=place.name,
                fields=(self.field,),
                pipeline=place.pipeline,
                window=place.window,
                bins=bins,
            )
            found.check(place.reader.outline)
            place.reader.output(f"{place.name}_%06d.json", place.path)
        return found


class HistogramParams(StatisticsParams):
    """Writes the histogram of a field to a JSON file named after the extract."""

    bins: Annotated[int, count(65536)] = Field(
        256, description="Bins of equal width, from the least to the greatest value."
    )

    def make(self, place: Place) -> Action:
        return self._summary(place, self.bins)


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
            cinemas=(self.cinema(place.reader, place.path, self.look(place.reader.units)),),
            window=place.window,
        )


class _OnePlotParams(ExtractParams):
    """What extracts have in common that draw one plot."""

    field: Annotated[str, field_name()] = Field(
        description="Field to show; for a vector, its magnitude."
    )
    min_value: Annotated[float | None, nullable(number())] = Field(
        None, description="Value of the first colour; default: the smallest."
    )
    max_value: Annotated[float | None, nullable(number())] = Field(
        None, description="Value of the last colour; default: the greatest."
    )
    camera: CameraParams | None = Field(None, description="Camera, as of a render.")

    def scene(
        self,
        place: Place,
        file: str,
        look: Mapping[str, Any],
        plots: Mapping[str, Mapping[str, Any]],
        filters: tuple[Filter, ...] = (),
    ) -> Action:
        """The extract as a scene of plots, after these filters. file: the key of its name."""
        whole = Pipeline(place.name, (*place.pipeline.filters, *filters))
        values = {"min_value": self.min_value, "max_value": self.max_value}
        given: dict[str, PlotParams] = {}
        for kind, more in plots.items():
            plot = {"type": kind, "field": self.field, "pipeline": place.name, **values, **more}
            given[kind] = read(PlotParams, plot, place.path)
        found = made_plots(place.reader, given, place.path, {**place.pipelines, place.name: whole})
        prefix = place.reader.output(getattr(self, file), (*place.path, file))
        camera = self.camera.settings() if self.camera else None
        return Scene(
            what="extract",
            name=place.name,
            plots=found,
            views=(View(image_prefix=prefix, camera=camera, **look),),
            window=place.window,
        )


class VolumeParams(LookParams, _OnePlotParams):
    """A picture of a volume: a scene with one plot."""

    filename: Annotated[str, text("a file name")] = Field(
        description="File name without extension, as `image_prefix` of a render."
    )
    precision: Annotated[str, one_of(("single", "double"))] = Field(
        "single", description="Accepted and ignored: the engine of the run decides."
    )
    emission: Annotated[str, field_name()] = Field(
        "", description="Accepted and ignored, as by Ascent: a volume shows one field."
    )

    def make(self, place: Place) -> Action:
        return self.scene(place, "filename", self.look(place.reader.units), {"volume": {}})


class GreysParams(ActionModel):
    """The greys of a radiograph."""

    min_value: Annotated[float, number()] = Field(description="Intensity of black.")
    max_value: Annotated[float, number()] = Field(description="Intensity of white.")
    log_scale: Annotated[bool, flag()] = Field(
        False, description="Whether greys follow the logarithm of the intensity."
    )

    @pydantic.model_validator(mode="after")
    def _increasing(self) -> GreysParams:
        if not self.min_value < self.max_value:
            raise InvalidAction(("max_value",), f"is not above min_value {self.min_value:g}")
        if self.log_scale and self.min_value <= 0:
            raise InvalidAction(("min_value",), "a logarithmic scale begins above 0")
        return self


class XrayParams(ExtractParams):
    """A radiograph: light from behind the volume that is not absorbed in it, or that it emits. The
    picture is in greys; the intensities of its pixels stand in a file `.npz` beside it."""

    absorption: Annotated[str, field_name()] = Field(
        description="Scalar field: the share of light that is absorbed, per world length."
    )
    emission: Annotated[str | None, nullable(field_name())] = Field(
        None,
        description="Scalar field: light that is emitted, per world length. Without it, light of "
        "intensity 1 comes from behind.",
    )
    filename: Annotated[str, text("a file name")] = Field(
        description="File name without extension, as `image_prefix` of a render."
    )
    unit_scalar: Annotated[float, positive()] = Field(
        1.0, description="Factor of the absorption, as between units of length."
    )
    image_params: GreysParams | None = Field(
        None,
        description="`{min_value, max_value, log_scale}`; default: from the picture's least to "
        "its greatest intensity.",
    )
    image_width: Annotated[int, count(16384, unit="pixels")] = Field(1024, description="Width.")
    image_height: Annotated[int, count(16384, unit="pixels")] = Field(1024, description="Height.")
    camera: CameraParams | None = Field(None, description="Camera, as of a render.")
    precision: Annotated[str, one_of(("single", "double"))] = Field(
        "double", description="Accepted and ignored: sums are in double precision."
    )

    def make(self, place: Place) -> Action:
        greys = self.image_params
        with inside(place.path):
            known = place.pipeline.outline(place.reader.outline)
            known.scalar(self.absorption, "absorption")
            if self.emission is not None:
                known.scalar(self.emission, "emission")
            found = Xray(
                name=place.name,
                path=place.reader.output(self.filename, (*place.path, "filename")),
                fields=tuple(filter(None, (self.absorption, self.emission))),
                pipeline=place.pipeline,
                window=place.window,
                camera=self.camera.settings() if self.camera else None,
                size=(self.image_width, self.image_height),
                unit=self.unit_scalar,
                ends=(greys.min_value, greys.max_value) if greys else None,
                log_scale=greys is not None and greys.log_scale,
            )
            found.check(place.reader.outline)
        return found


class _DrayPictureParams(LookParams, _OnePlotParams):
    image_prefix: Annotated[str, text("a file name")] = Field(
        description="File name without extension, as of a render."
    )
    log_scale: Annotated[bool, flag()] = Field(
        False, description="Only `false`; for `true`, use the filter log10."
    )

    @pydantic.field_validator("log_scale")
    @classmethod
    def _linear(cls, given: bool) -> bool:
        if given:
            raise ValueError("true is not supported; use a pipeline with log10")
        return given


class DrayVolumeParams(_DrayPictureParams):
    """The same, in the words of Ascent's Devil Ray."""

    samples: Annotated[int | None, count(100_000)] = Field(None, description="As of a plot.")

    def make(self, place: Place) -> Action:
        plots = {"volume": {} if self.samples is None else {"samples": self.samples}}
        return self.scene(place, "image_prefix", self.look(place.reader.units), plots)


class DrayParams(_DrayPictureParams):
    """A picture of surfaces: a scene with one plot, and perhaps the mesh on it."""

    draw_mesh: Annotated[bool, flag()] = Field(
        False, description="Draw the edges of cells, or of a surface's triangles, as well."
    )
    line_color: Annotated[tuple[float, float, float], color()] = Field(
        (0.0, 0.0, 0.0), description="Their colour."
    )
    line_thickness: Annotated[float | None, positive("world length")] = Field(
        None, description="Diameter of the lines; default: one pixel."
    )

    def make(self, place: Place) -> Action:
        return self._drawn(place, ())

    def _drawn(self, place: Place, filters: tuple[Filter, ...]) -> Action:
        plots: dict[str, dict[str, Any]] = {"pseudocolor": {}}
        if self.draw_mesh:
            ends = [{"type": "rgb", "position": p, "color": [*self.line_color]} for p in (0, 1)]
            plots["mesh"] = {
                "line_thickness": self.line_thickness,
                "color_table": {"control_points": ends, "annotation": False},
            }
        return self.scene(place, "image_prefix", self.look(place.reader.units), plots, filters)


class DraySliceParams(DrayParams):
    """A picture of three slices, one normal to each axis."""

    x_offset: Annotated[float, number(-1, 1)] = Field(
        0.0,
        description="As of the filter `3slice`: -1 is the lower end of the domain, 1 the upper.",
    )
    y_offset: Annotated[float, number(-1, 1)] = Field(0.0, description="The same for y.")
    z_offset: Annotated[float, number(-1, 1)] = Field(0.0, description="The same for z.")

    def make(self, place: Place) -> Action:
        return self._drawn(place, (ThreeSlice(self.x_offset, self.y_offset, self.z_offset),))


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
    "vtk": VtkParams,
    "flatten": FlattenParams,
    "statistics": StatisticsParams,
    "histogram": HistogramParams,
    "cinema": CinemaExtractParams,
    "movie": MovieParams,
    "volume": VolumeParams,
    "xray": XrayParams,
    "dray_volume": DrayVolumeParams,
    "dray_pseudocolor": DrayParams,
    "dray_3slice": DraySliceParams,
}

ELSEWHERE = {
    "jupyter": "use python, or open the record in a notebook: insitu.open_record",
    "conduit": "use relay, or python",
    "htg": "use relay with protocol vtk",
    "adios2": "use relay",
    "learn": "use python",
}
"""Extracts of Ascent that there are not, and what to use instead."""


def _type(given: Any) -> str:
    if among(given, ELSEWHERE):
        raise ValueError(f"insitu has no extract {given!r}; {ELSEWHERE[given]}")
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
