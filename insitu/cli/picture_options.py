"""The command-line options of what a picture shows, as plots of a scene.

In: options, the recorded fields. Out: plots, steps, the size of the picture.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from insitu.cli import record_source
from insitu.core.errors import ConfigError, nearest
from insitu.store.manifest import Units

if TYPE_CHECKING:
    from insitu.filters.pipeline import Filter
    from insitu.filters.seeds import Seeds
    from insitu.filters.surface_filters import Vector
    from insitu.io.array_series import ArraySeries
    from insitu.render.color_map import ColorTable
    from insitu.render.picture.plots import Plot
    from insitu.store.record import Record
    from insitu.store.shared_series import SharedSeries
    from insitu.store.timestep import TimeStep

_SEEDS = 200
_GRAY = "Gray"  # of a volume around something coloured


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shown = parser.add_argument_group("what to show", "default: the volume")
    shown.add_argument(
        "--volume", action="store_true", help="the volume, in grey if other things are shown too"
    )
    shown.add_argument(
        "--slice",
        action="append",
        default=[],
        metavar="PLANE",
        help="the field on a plane: x, y or z (through the centre), z=2, or a point and a normal, "
        "PX,PY,PZ,NX,NY,NZ; may be repeated",
    )
    shown.add_argument(
        "--isosurface",
        type=float,
        action="append",
        default=[],
        metavar="V",
        help="isosurface of the field at value V; may be repeated",
    )
    shown.add_argument(
        "--pathlines",
        metavar="VELOCITY",
        help="pathlines of this vector field through all steps up to the one shown",
    )
    shown.add_argument(
        "--seeds",
        metavar="N|FIELD=V:N",
        help=f"end points of pathlines: N random points, or N on an isosurface; default: {_SEEDS}",
    )
    shown.add_argument(
        "--color-by",
        metavar="NAME",
        help="for isosurfaces, a field (default: --field); for pathlines, time, speed, line or "
        "step (default: time)",
    )


@dataclass(frozen=True)
class Request:
    """What to show, checked."""

    field: str
    indices: Sequence[int]
    """Of the steps of the field."""
    steps: Sequence[TimeStep]
    plots: tuple[Plot, ...]
    size: tuple[int, int]
    units: Units | None
    """None: the steps have neither cycle nor time, and lengths no unit."""


def read(series: SharedSeries, source: Record | ArraySeries, words: argparse.Namespace) -> Request:
    """Raises ConfigError naming the option that is wrong. Not collective.

    source: what `series` shares, for its units.
    """
    from insitu.store.timestep import TimeStep

    field = _field(series.names, words.field)
    indices = record_source.chosen_steps(words.step, len(series.entries(field)), "--step", field)
    moments = [series.entries(field)[i].summary for i in indices]
    units = record_source.units(source)
    cycles = {at.cycle for at in moments}
    options = _Options(series, words, field, cycles, units or Units())
    plots = options.plots()
    for name in sorted(set().union(*(p.pipeline.reads(frozenset({p.field})) for p in plots))):
        there = {entry.summary.cycle for entry in series.entries(name)}
        for at in moments:
            if at.cycle not in there:
                raise ConfigError([f"--step: {name} is not recorded at cycle {at.cycle}"])
    return Request(
        field=field,
        indices=indices,
        steps=[TimeStep(series, at.cycle, at.time) for at in moments],
        plots=plots,
        size=_size(words.size),
        units=units,
    )


@dataclass(frozen=True)
class _Options:
    series: SharedSeries
    words: argparse.Namespace
    field: str
    cycles: Collection[int]
    """Of the steps that are shown."""
    units: Units

    def plots(self) -> tuple[Plot, ...]:
        """In the order of the options' help."""
        from insitu.filters.particle_filters import VALUES, Pathlines
        from insitu.filters.surface_filters import Contour, Slice

        words = self.words
        found: list[Plot] = []
        if words.color_by and not (words.isosurface or words.pathlines):
            raise ConfigError(["--color-by: requires --isosurface or --pathlines"])
        if words.seeds and not words.pathlines:
            raise ConfigError(["--seeds: requires --pathlines"])
        for text in words.slice:
            point, normal = _plane(text, *self.series.entries(self.field)[-1].summary.bounds)
            found.append(self._plot(self.field, Slice(normal=normal, point=point)))
        by_values = bool(words.pathlines) and words.color_by in (None, *VALUES)
        if words.isosurface:
            by = (
                self.field if by_values else self._named("--color-by", words.color_by or self.field)
            )
            values = tuple(dict.fromkeys(words.isosurface))
            found.append(self._plot(by, Contour(field=self.field, iso_values=values)))
        if words.pathlines:
            if not by_values and not words.isosurface:
                hint = f"{words.color_by!r} is not one of {', '.join(VALUES)}"
                raise ConfigError([f"--color-by: {hint}, the values on pathlines"])
            velocity = self._named("--pathlines", words.pathlines)
            n = self.series.kinds[velocity][1]
            if n != 3:
                raise ConfigError([f"--pathlines: {velocity} has {n} components, expected 3"])
            lines = Pathlines(field=velocity, seeds=self._seeds(words.seeds or str(_SEEDS)))
            found.append(self._plot((words.color_by if by_values else None) or "time", lines))
        if words.volume or not found:
            found.append(self._plot(self.field, None, gray=bool(found)))
        for i, plot in enumerate(found):  # plots in the same colours have one bar
            alike = any(
                (p.field, p.color_table) == (plot.field, plot.color_table) for p in found[:i]
            )
            found[i] = replace(plot, color_bar=not alike)
        return tuple(found)

    def _plot(self, field: str, shaped: Filter | None, gray: bool = False) -> Plot:
        """A plot of a field, on what a filter gives, in the colours that the options say."""
        from insitu.filters.pipeline import UNFILTERED, Pipeline
        from insitu.render.color_map import ColorTable
        from insitu.render.picture.plots import Plot

        words = self.words
        low, high = self._range(field)
        low = None if words.log and low is not None and low <= 0 else low
        if not gray:
            low = low if words.min is None else words.min
            high = high if words.max is None else words.max
        if low is not None and high is not None and not low <= high:
            raise ConfigError([f"--min {low:g} is above --max {high:g}"])
        if words.log and not all(end is None or end > 0 for end in (low, high)):
            raise ConfigError([f"--log: values from {low} to {high}; expected them above 0"])
        return Plot(
            field=field,
            type="volume" if shaped is None else "pseudocolor",
            pipeline=UNFILTERED if shaped is None else Pipeline(shaped.type, (shaped,)),
            color_table=ColorTable(_GRAY) if gray else colors_named(words.color_table),
            log_scale=words.log and field in self.series.names,
            min_value=low,
            max_value=high,
            label=self.units.labelled(field),
        )

    def _range(self, field: str) -> tuple[float | None, float | None]:
        """The range of a field over all steps; None for values of lines, which know their own."""
        if field not in self.series.names:
            return None, None
        steps = [entry.summary for entry in self.series.entries(field)]
        ranges = np.array([at.range for at in steps if at.cycle in self.cycles])
        if not len(ranges):
            return None, None
        # (steps, components, 2)
        ranges = np.where(np.isfinite(ranges), ranges, 0.0)  # where nothing is finite
        if ranges.shape[1] > 1:  # the magnitude is at most that of the largest components together
            return 0.0, float(np.linalg.norm(np.abs(ranges).max(axis=(0, 2))))
        return float(ranges[..., 0].min()), float(ranges[..., 1].max())

    def _seeds(self, text: str) -> Seeds:
        from insitu.filters.seeds import Box, OnIsosurface

        place, _, number = text.rpartition(":")
        if not number.isdecimal() or int(number) < 1:
            raise ConfigError([f"--seeds: {text!r} is neither a number nor FIELD=V:N"])
        if not place:
            return Box(random=int(number))
        name, _, value = place.partition("=")
        return OnIsosurface(
            self._named("--seeds", name), _numbers("--seeds", text, value, 1)[0], int(number)
        )

    def _named(self, option: str, name: str) -> str:
        return _known(option, name, self.series.names)


def colors_named(name: str | None) -> ColorTable:
    """A colour table, or one that ParaView exported as JSON. Raises ConfigError."""
    from insitu.render.color_map import ColorTable, control_points
    from insitu.render.colors.color_tables import DEFAULT, color_table
    from insitu.render.colors.paraview_map import control_points as paraview_points

    try:
        if name is not None and name.lower().endswith(".json"):
            rgb, alpha = control_points(paraview_points(Path(name).read_text("utf-8"), None))
            return ColorTable(None, rgb=rgb, alpha=alpha)
        color_table(name or DEFAULT)
    except OSError as error:
        raise ConfigError([f"--color-table: {name}: {error.strerror or error}"]) from None
    except ValueError as error:
        text = str(error).replace("color_table/name: ", "")
        raise ConfigError([f"--color-table: {text}"]) from None
    return ColorTable(name)


def _field(names: Sequence[str], name: str | None) -> str:
    if name is None and len(names) == 1:
        return names[0]
    if name is None:
        raise ConfigError([f"--field is required; choose one of {', '.join(names)}"])
    return _known("--field", name, names)


def _known(option: str, name: str, names: Sequence[str]) -> str:
    if name not in names:
        hint = nearest(name, names)
        raise ConfigError([f"{option}: no field '{name}'{hint} (there are: {', '.join(names)})"])
    return name


def _plane(text: str, low: Any, high: Any) -> tuple[Vector, Vector]:
    """ "x", "z=2" or six numbers -> a point and a normal, both x y z. low, high: of the domain."""
    axis, equals, value = text.strip().partition("=")
    if axis in ("x", "y", "z"):
        point, i = [float(middle) for middle in (low + high) / 2], "xyz".index(axis)
        if equals:
            [point[i]] = _numbers("--slice", text, value, 1)
            if not low[i] <= point[i] <= high[i]:
                ends = f"{low[i]:g} to {high[i]:g}"
                raise ConfigError([f"--slice: {text}: the domain goes from {axis} = {ends}"])
        return (point[0], point[1], point[2]), (float(i == 0), float(i == 1), float(i == 2))
    px, py, pz, nx, ny, nz = _numbers("--slice", text, text, 6)
    if nx == ny == nz == 0:
        raise ConfigError([f"--slice: {text}: the normal is zero"])
    return (px, py, pz), (nx, ny, nz)


def _numbers(option: str, given: str, text: str, count: int) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count or not np.isfinite(numbers).all():
        forms = {"--slice": "x, z=2, or PX,PY,PZ,NX,NY,NZ", "--seeds": "N or FIELD=V:N"}
        raise ConfigError([f"{option}: {given!r} is not of the form {forms[option]}"])
    return numbers


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and 0 < int(part) <= 16384 for part in parts):
        raise ConfigError(
            [f"--size: {text!r} is not of the form WxH, as in 1024x768 (16384 at most)"]
        )
    return int(parts[0]), int(parts[1])
