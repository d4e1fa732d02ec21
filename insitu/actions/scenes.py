"""Scenes and their plots.

In: an entry of add_scenes. Out: a Scene, or InvalidAction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import pydantic
from pydantic import Field

from insitu.actions.base import REFERENCE, ActionModel, Check, keyed, not_together, read
from insitu.actions.errors import InvalidAction, among, inside, named
from insitu.actions.pipelines import pipeline_named
from insitu.actions.reader import ActionParser, Entry, Named
from insitu.actions.renders import (
    CinemaParams,
    ImageName,
    ImagePrefix,
    Render,
    output_names,
    own_prefix,
)
from insitu.actions.values import (
    FLAG,
    count,
    flag,
    ignored,
    nullable,
    number,
    positive,
    span,
    text,
)
from insitu.core.errors import nearest
from insitu.core.yaml_tree import KeyPath
from insitu.render.color_map import DEFAULT_TABLE, ColorTable, control_points, is_true
from insitu.render.colors.color_tables import COLOR_TABLES, color_table
from insitu.render.colors.paraview_map import control_points as paraview_points
from insitu.render.picture.cinema import Cinema
from insitu.render.picture.plots import PLOTS, Plot
from insitu.render.picture.scene import Scene
from insitu.render.picture.view import View
from insitu.store.timestep import Span

_POSITION = {"type": "number", "minimum": 0, "maximum": 1}
_CHANNEL = {"type": "number", "minimum": 0, "maximum": 255}
_POINTS = {
    "anyOf": [
        {
            "type": "array",
            "items": {
                "anyOf": [
                    {
                        "type": "object",
                        "properties": {
                            "type": {"const": "rgb"},
                            "position": _POSITION,
                            "color": {
                                "type": "array",
                                "items": _CHANNEL,
                                "minItems": 3,
                                "maxItems": 3,
                            },
                        },
                        "required": ["type", "position", "color"],
                        "additionalProperties": False,
                    },
                    {
                        "type": "object",
                        "properties": {
                            "type": {"const": "alpha"},
                            "position": _POSITION,
                            "alpha": _POSITION,
                        },
                        "required": ["type", "position", "alpha"],
                        "additionalProperties": False,
                    },
                ]
            },
        },
        {
            "type": "object",
            "properties": {
                **{key: {"type": "array", "items": _CHANNEL} for key in "rgb"},
                **{key: {"type": "array", "items": _POSITION} for key in ("position", "a")},
            },
            "required": ["position", "r", "g", "b"],
            "additionalProperties": False,
        },
    ],
    "title": "a list, or arrays",
}
_CONTROL_POINTS = Check(keyed(control_points), _POINTS)


class ColorTableParams(ActionModel):
    """Colours and opacities of a plot."""

    name: Annotated[str | None, text("the name of a colour table")] = Field(
        None,
        description="Name of a colour table, in upper or lower case; or of a ParaView file, if it "
        "ends in `.json`; or of the colour map in `file`. Default: Viridis.",
        json_schema_extra={"examples": list(COLOR_TABLES)},
    )
    reverse: Annotated[bool, Check(keyed(lambda value, _: is_true(value)), FLAG)] = Field(
        False, description="Reverse the colours, but not the opacities."
    )
    discrete: Annotated[bool, flag()] = Field(
        False, description="The table's own colours in steps of equal width, without blending."
    )
    control_points: Annotated[tuple[Any, Any] | None, _CONTROL_POINTS] = Field(
        None,
        description="`{type: rgb, position, color: [red, green, blue]}` and `{type: alpha, "
        "position, alpha}`; positions and opacities in 0..1, colours in 0..1 or 0..255. Or "
        "`{position, r, g, b, a}`, one array each. Colours are added to those of `name`, or "
        "replace the default table.",
    )
    annotation: Annotated[bool, flag()] = Field(True, description="Draw a colour bar.")
    file: Annotated[str | None, text("the name of a file")] = Field(
        None,
        description="Colour map exported from ParaView as JSON; its path is relative to the run "
        "file (insitu extension).",
    )

    @property
    def _file_key(self) -> str | None:
        """Under which key a file is named, if one is."""
        if self.file is not None:
            return "file"
        return "name" if str(self.name).lower().endswith(".json") else None

    @pydantic.model_validator(mode="after")
    def _known_name(self) -> ColorTableParams:
        if self.name is not None and self._file_key is None:
            try:
                color_table(self.name)
            except ValueError as error:
                raise InvalidAction(("name",), str(error).partition(": ")[2]) from None
        return self

    def table(self, reader: ActionParser) -> ColorTable:
        """Reads the file, if one is named. Raises InvalidAction, its path relative to this."""
        key = self._file_key
        if key is None:
            rgb, alpha = self.control_points or ((), ())
            return ColorTable(self.name, self.reverse, rgb, alpha, self.discrete)
        if self.control_points is not None:
            raise InvalidAction(("control_points",), "given together with a file of colours")
        file = reader.places.folder / str(self.file or self.name)
        try:
            content = file.read_text(encoding="utf-8")
            rgb, alpha = control_points(paraview_points(content, self.name if self.file else None))
        except OSError as error:
            raise InvalidAction((key,), f"{file}: {error.strerror or error}") from None
        except ValueError as error:
            raise InvalidAction((key,), f"{file}: {error}") from None
        return ColorTable(None, self.reverse, rgb, alpha, self.discrete)


def _read_color_table(given: Any) -> str | ColorTableParams | None:
    if given is None or isinstance(given, str):
        return given
    if not isinstance(given, Mapping):
        raise ValueError(f"expected a mapping, got {given!r}")
    return ColorTableParams.model_validate(given)


WHITE = ColorTable(rgb=((0.0, 1.0, 1.0, 1.0), (1.0, 1.0, 1.0, 1.0)))
"""Of a mesh's lines."""


def _type(given: Any) -> str:
    if not among(given, PLOTS):
        hint = nearest(str(given), PLOTS) or f"; there are {', '.join(PLOTS)}"
        raise ValueError(f"a plot of type {given!r} is not supported{hint}")
    return str(given)


_TABLE = {
    "anyOf": [{"type": "string"}, {"type": "null"}, {REFERENCE: "ColorTableParams"}],
    "title": "a name, or a mapping",
}


class PointParams(ActionModel):
    """How points are drawn: as spheres."""

    radius: Annotated[float | None, positive("world length")] = Field(
        None, description="Default: a quarter of the mean distance between points."
    )
    radius_delta: Annotated[float, number(0)] = Field(
        0.0,
        description="By what share of the radius it grows towards the greatest value, and shrinks "
        "towards the least.",
    )


class PlotParams(ActionModel):
    """One plot of a scene."""

    model_config = pydantic.ConfigDict(
        json_schema_extra={
            "if": {"properties": {"type": {"const": "mesh"}}},
            "else": {"required": ["field"]},
        }
    )

    type: Annotated[str, Check(_type, {"enum": list(PLOTS)})] = Field(
        description="`volume`, at most one per scene; `pseudocolor`: colours on surfaces, on lines "
        "and on the faces of a volume; `mesh`: the edges of cells on these faces, or those of a "
        "surface's triangles, white unless there is a `color_table`."
    )
    field: Annotated[str, text("the name of a field")] = Field(
        "",
        description="Field to show; for a vector, its magnitude. Required, except for a `mesh` in "
        "one colour.",
    )
    pipeline: Annotated[Any, ignored({"type": ["string", "null"]})] = Field(
        None, description="Pipeline whose result is shown; default: the fields as they are."
    )
    topology: Annotated[str, text("the name of a topology")] = Field(
        "", description="Accepted and ignored: a run has one mesh."
    )
    color_table: Annotated[str | ColorTableParams | None, Check(_read_color_table, _TABLE)] = Field(
        None, description="Colours and opacities; see below."
    )
    min_value: Annotated[float | None, nullable(number())] = Field(
        None,
        description="Value of the first colour, in the field's unit; default of both ends: the "
        "range over all steps shown.",
    )
    max_value: Annotated[float | None, nullable(number())] = Field(
        None, description="Value of the last colour."
    )
    samples: Annotated[int | None, count(100_000)] = Field(
        None,
        description="For a volume: samples along the domain's diagonal; default: four per voxel.",
    )
    jitter: Annotated[bool, flag()] = Field(
        False,
        description="For a volume: shift the samples of each pixel by a random part of their "
        "distance: grain instead of rings where `samples` are few (insitu extension).",
    )
    log_scale: Annotated[bool, flag()] = Field(
        False,
        description="Colours and opacities follow the logarithm of the values. Those below "
        "`min_value` have its colour; default: the smallest, but at least a millionth of the "
        "largest (insitu extension).",
    )
    line_thickness: Annotated[float | None, nullable(positive("world length"))] = Field(
        None,
        description="For a mesh: diameter of its lines; default: one pixel (insitu extension).",
    )
    points: PointParams | None = Field(
        None, description="How points are drawn: `{radius, radius_delta}`; see below."
    )
    shading: Annotated[bool, flag()] = Field(
        False, description="For a volume: shading by its gradient (insitu extension)."
    )

    @pydantic.model_validator(mode="after")
    def _has_a_field(self) -> PlotParams:
        if not self.field and self.type != "mesh":
            raise InvalidAction(("field",), "is required")
        return self

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> PlotParams:
        low, high = self.min_value, self.max_value
        if low is not None and high is not None and low >= high:
            raise InvalidAction(("min_value",), f"{low:g} is not below max_value, {high:g}")
        for key in ("min_value", "max_value"):
            value = getattr(self, key)
            if self.log_scale and value is not None and value <= 0:
                raise InvalidAction((key,), f"{value:g} is not positive, as log_scale requires")
        return self

    def plot(self, reader: ActionParser, path: KeyPath, pipelines: Named) -> Plot:
        """Raises InvalidAction, with the whole path."""
        table, color_bar = self._colors(reader, (*path, "color_table"))
        pipeline = pipeline_named(self.pipeline, path, pipelines)
        found = Plot(
            field=self.field or next(iter(pipeline.outline(reader.outline).fields), ""),
            type=self.type,
            pipeline=pipeline,
            color_table=table,
            min_value=self.min_value,
            max_value=self.max_value,
            samples=self.samples,
            jitter=self.jitter,
            log_scale=self.log_scale,
            shading=self.shading,
            line_thickness=self.line_thickness,
            radius=self.points.radius if self.points else None,
            radius_delta=self.points.radius_delta if self.points else 0.0,
            color_bar=color_bar,
            label=reader.units.labelled(self.field) if self.field in reader.units.fields else "",
        )
        with inside(path):
            found.check(reader.outline)
        return found

    def _colors(self, reader: ActionParser, path: KeyPath) -> tuple[ColorTable, bool]:
        given = self.color_table
        if given is None:
            return (WHITE, False) if self.type == "mesh" else (DEFAULT_TABLE, True)
        alone = isinstance(given, str)
        params = read(ColorTableParams, {"name": given}, path) if alone else given
        assert isinstance(params, ColorTableParams)
        try:
            return params.table(reader), params.annotation
        except InvalidAction as refused:
            raise InvalidAction(path if alone else (*path, *refused.path), refused.text) from None


def _by_name(what: str) -> pydantic.BeforeValidator:
    return pydantic.BeforeValidator(lambda given: named(given, (), what))


Plots = Annotated[dict[str, PlotParams], _by_name("plots")]


class SceneParams(ActionModel):
    """Pictures of one or several plots."""

    model_config = not_together("image_prefix", "image_name")

    plots: Plots = Field(description="Plots, by names of your own; see below.")
    renders: Annotated[dict[str, Render], _by_name("renders")] | None = Field(
        None,
        description="Pictures and Cinema databases, by names of your own; see below. Default: one "
        "picture from the default view.",
    )
    image_prefix: ImagePrefix = Field(
        None,
        description="File name for renders without one; default if there are no `renders`: the "
        "scene's name.",
    )
    image_name: ImageName = Field(None, description="The same, without the cycle.")
    window: Annotated[Span, span()] = Field(
        1,
        description="Number of recorded steps to show, counted back from the newest "
        "(insitu extension).",
    )

    def pictures(
        self, reader: ActionParser, path: KeyPath, name: str
    ) -> tuple[tuple[View, ...], tuple[Cinema, ...]]:
        """The renders of the scene `name`."""
        if self.renders is None:
            names = output_names(reader, self, path)
            if not names:
                names = {"image_prefix": reader.output(own_prefix(name, path), path)}
            units = reader.units
            return (View(time_unit=units.time, length_unit=units.length, **names),), ()
        views: list[View] = []
        cinemas: list[Cinema] = []
        for key, render in self.renders.items():
            place = (*path, "renders", key)
            if isinstance(render, CinemaParams):
                cinemas.append(render.cinema(reader, place, render.look(reader.units)))
            else:
                names = output_names(reader, render, place) or output_names(reader, self, path)
                views.append(render.view(key, place, names, reader.units))
        return tuple(views), tuple(cinemas)


def read_scene(reader: ActionParser, entry: Entry, pipelines: Named) -> Scene:
    scene, path = read(SceneParams, entry.value, entry.path), entry.path
    views, cinemas = scene.pictures(reader, path, entry.name)
    return Scene(
        name=entry.name,
        plots=made_plots(reader, scene.plots, (*path, "plots"), pipelines),
        views=views,
        cinemas=cinemas,
        window=scene.window,
    )


def made_plots(
    reader: ActionParser, plots: Mapping[str, PlotParams], path: KeyPath, pipelines: Named
) -> tuple[Plot, ...]:
    found: list[Plot] = []
    for name, params in plots.items():
        plot = params.plot(reader, (*path, name), pipelines)
        if plot.type == "volume" and any(other.type == "volume" for other in found):
            raise InvalidAction(
                (*path, name), "a scene can have only one volume plot, as in Ascent"
            )
        found.append(plot)
    return tuple(found)
