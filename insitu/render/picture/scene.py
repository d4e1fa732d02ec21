"""A scene: pictures of one or more plots at one or more steps, with the same colours at all steps.

In: recorded steps, the options of plots and renders. Out: PNG files, written by rank 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.box import Bounds
from insitu.core.geometry import Lines
from insitu.core.parallel import together
from insitu.engines.options import Vector
from insitu.filters.pipeline import Data, Names, Results
from insitu.filters.schema import DataSchema
from insitu.queries.expressions import FieldKind
from insitu.render.camera import Camera
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.picture.cinema import Cinema
from insitu.render.picture.doubts import doubts
from insitu.render.picture.image import write_png
from insitu.render.picture.plots import Plot, colors, on_scale
from insitu.render.picture.scene_composer import compose
from insitu.render.picture.view import View
from insitu.render.surface.arrows import directed
from insitu.render.surface.planes import between_planes
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI


SHORTEST = 0.002
"""Of the domain's diagonal: pathlines that are shorter would be dots, and are not drawn."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Pictures of plots from one or more views, at one or more steps."""

    name: str
    what: str = "scene"
    """ "extract" if it comes from an extract (a Cinema database)."""
    plots: tuple[Plot, ...]
    views: tuple[View, ...] = ()
    cinemas: tuple[Cinema, ...] = ()
    window: Span = 1
    """Number of most recent recorded steps to render, or all."""

    @property
    def reads(self) -> Names:
        """The recorded fields needed to show a step."""
        return frozenset().union(*(p.pipeline.reads(frozenset({p.field})) for p in self.plots))

    @property
    def past(self) -> Names:
        """The recorded fields of which earlier steps are needed."""
        lines = frozenset().union(*(plot.pipeline.past for plot in self.plots))
        return lines if self.window == 1 else lines | self.reads

    def check_kinds(self, kinds: Mapping[str, FieldKind]) -> None:
        """Raises ValueError if a plot or filter does not support the kind of its field."""
        moved = any(plot.pipeline.moves for plot in self.plots)
        if moved and len(self.plots) > 1 and any(plot.type == "volume" for plot in self.plots):
            raise ValueError("plots: a volume cannot be shown together with what a filter moves")
        for plot in self.plots:
            plot.check(DataSchema({name: kind.n_components for name, kind in kinds.items()}))

    def doubts(self, step: TimeStep) -> list[str]:
        """Plots that would show a field's error instead of the field (`doubts`). Not collective."""
        return doubts(self.plots, step)

    def run(self, comm: MPI.Comm, steps: Sequence[TimeStep], folder: Path) -> list[Path]:
        """Write the pictures of these steps -> the paths, on all ranks. Collective.

        Raises the same on every rank: RemoteError, or ValueError for invalid options.
        """
        files = []
        shown = PreparedScene.at(comm, self.plots, steps)
        for view in self.views:
            for moment in shown:
                path = folder / f"{view.file_stem(moment.step.cycle)}.png"
                moment.picture(view, path)
                files.append(path)
        for cinema in self.cinemas:
            times = [moment.step.cycle for moment in shown]
            for moment in shown:
                for view, path in cinema.views(folder, moment.step.cycle, moment.bounds):
                    moment.picture(view, path)
            files.append(cinema.write_index(comm, folder, times))
        return files


@dataclass(frozen=True)
class PreparedScene:
    """The plots of a scene at one step, ready to be rendered from any view."""

    comm: MPI.Comm
    step: TimeStep
    bounds: Bounds
    boxes: tuple[Bounds, ...]
    """Bounds of this rank's blocks."""
    plots: tuple[tuple[Plot, Data, TransferFunction], ...]

    @staticmethod
    def at(comm: MPI.Comm, plots: Sequence[Plot], steps: Sequence[TimeStep]) -> list[PreparedScene]:
        """One for each step, with the same colours at all steps. Collective."""
        if not steps:
            return []
        results = [Results(comm, step) for step in steps]
        wanted = _wanted(plots)
        data = [[shape(r, plot, wanted) for r in results] for plot in plots]
        scaled, tables = [], []
        for plot, each in zip(plots, data, strict=True):
            values, domain = on_scale(comm, plot, each)
            scaled.append(values)
            tables.append(colors(comm, plot, values, domain))
        return [
            PreparedScene(
                comm, step, _around(plots, r), r.boxes, tuple(zip(plots, each, tables, strict=True))
            )
            for step, r, *each in zip(steps, results, *scaled, strict=True)
        ]

    @property
    def plane(self) -> Vector | None:
        """The normal of the planes that are all that is shown, if they are parallel."""
        normals = [plot.plane for plot, _, _ in self.plots]
        first = normals[0] if normals else None
        if first is None:
            return None
        alike = all(n is not None and not np.any(np.cross(n, first)) for n in normals)
        return first if alike else None

    def image(self, camera: Camera) -> np.ndarray | None:
        """Premultiplied RGBA (h, w, 4) float32 on rank 0, None elsewhere. Collective."""
        plots = self.plots
        if camera.near > 0 or camera.far < np.inf:
            plots = tuple(
                (plot, between_planes(self.comm, data, camera, self.bounds), table)
                for plot, data, table in plots
            )
        return compose(self.comm, plots, camera, self.bounds, self.boxes)

    def pixels(self, view: View) -> np.ndarray | None:
        """8-bit RGB(A) with annotations on rank 0, None elsewhere. Collective."""
        camera = view.camera_for(self.bounds, self.plane)
        image = self.image(camera)
        pixels = None
        with together(self.comm, f"picture of cycle {self.step.cycle}"):
            if image is not None:
                caption = view.caption(self.step.cycle, self.step.time)
                bars = [(p.label or p.field, table) for p, _, table in self.plots if p.color_bar]
                pixels = view.pixels(image, camera, self.bounds, caption, bars)
        return pixels

    def picture(self, view: View, path: Path) -> None:
        """Write a PNG file on rank 0. Collective."""
        pixels = self.pixels(view)
        with together(self.comm, f"picture {path}"):
            if pixels is not None:
                write_png(path, pixels)


def shape(results: Results, plot: Plot, wanted: Mapping[object, Names]) -> Data:
    """The data that a plot draws: its pipeline's result, or the surface of it. Collective."""
    found = plot.drawn(results.comm, results.of(plot.pipeline, wanted[plot.pipeline.filters]))
    if plot.arrows and isinstance(found, Lines):
        assert results.bounds is not None
        diagonal = float(np.linalg.norm(np.subtract(results.bounds[1], results.bounds[0])))
        found = directed(results.comm, found, SHORTEST * diagonal)
    return found


def _around(plots: Sequence[Plot], results: Results) -> Bounds:
    """The box around what the plots show: the domain, unless filters move it."""
    assert results.bounds is not None
    boxes = [plot.pipeline.bounds(results.bounds) for plot in plots]
    low, high = (np.array([box[end] for box in boxes]) for end in (0, 1))
    return low.min(axis=0), high.max(axis=0)


def _wanted(plots: Sequence[Plot]) -> Mapping[object, Names]:
    """The fields that the plots need from each pipeline, keyed by the pipeline's filters."""
    found: dict[object, Names] = {}
    for plot in plots:
        key = plot.pipeline.filters
        found[key] = found.get(key, frozenset()) | {plot.field}
    return found
