"""The filter project_2d: the values that a camera sees, as a field on the picture's pixels.

In: a volume, whose outer faces are seen, or a surface. Out: a plane of pixels, each a cell, with
the values of the nearest face behind it, and how far that is along the view (`depth`); NaN where
there is none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.box import Bounds
from insitu.core.geometry import Surface
from insitu.core.parallel import together
from insitu.fields.raw_block import RawBlock
from insitu.filters.pipeline import Data, Names, VolumeData
from insitu.filters.ranges import data_range
from insitu.filters.schema import SURFACE, VOLUME, DataSchema
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.render.camera import CameraSettings
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.compositing.by_depth import nearest
from insitu.render.surface.raster import StyledGeometry
from insitu.render.surface.surfaces import draw
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI

DEPTH = "depth"
_LINE = np.array([[0, 0, 0, 1], [1, 0, 0, 1]], np.float32)
"""The share of the range, in red."""
_NOT_FINITE = (0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Project2D:
    """Projects what a camera sees onto its pixels; of vectors, the magnitude."""

    size: tuple[int, int]
    """Width and height, pixels."""
    fields: tuple[str, ...] = ()
    """Those to project; none: all."""
    camera: CameraSettings = dataclasses.field(default_factory=CameraSettings)
    type: str = "project_2d"

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: DataSchema) -> DataSchema:
        if given.kind not in (VOLUME, SURFACE):
            raise ValueError(f"type: {self.type} needs a volume or a surface, not {given.kind}")
        for name in self.fields:
            given.field(name, "fields")
        seen = {**dict.fromkeys(self.fields or given.fields, 1), DEPTH: 1}
        return replace(
            given.became(VOLUME, self.type),
            fields=seen,
            computed=frozenset(seen),
            cut_by=(*given.cut_by, self.type),
        )

    def reads(self, wanted: Names) -> Names:
        return (wanted - {DEPTH}) or frozenset(self.fields[:1])

    def on(self, given: DataSchema) -> Project2D:
        """With a field of the input, of which the depth is."""
        return self if self.fields else replace(self, fields=tuple(given.fields))

    @property
    def moves(self) -> bool:
        return True

    def bounds(self, before: Bounds) -> Bounds:
        """The picture, in pixels."""
        return np.zeros(3), np.array([*self.size, 1.0])

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        surface = data.surface(comm) if isinstance(data, VolumeData) else data
        assert isinstance(surface, Surface)
        box = data.bounds if isinstance(data, VolumeData) else _bounds(comm, surface)
        camera = self.camera.camera(box, *self.size)
        fields: dict[str, list[RawBlock]] = {}
        for name in sorted(wanted, key=lambda name: (name == DEPTH, name)):
            if name == DEPTH:
                surface = replace(surface, values={DEPTH: camera.project(surface.points)[1]})
            low, high = data_range(comm, surface, name)
            rgba, depth = np.empty((0, 0, 4), np.float32), np.empty((0, 0), np.float32)
            rectangle = (0, 0, 0, 0)
            with together(comm, self.type):
                ramp = TransferFunction((low, high), _LINE)
                piece = StyledGeometry(
                    surface, _NOT_FINITE, values=name, transfer_function=ramp, lit=False
                )
                rgba, depth, rectangle = draw([piece], camera, supersampling=1)
            image = nearest(comm, rgba, depth, rectangle, self.size)
            fields[name] = [] if image is None else [self._pixels(name, image, low, high, step)]
        return VolumeData(fields, self.bounds(box))

    def _pixels(
        self, name: str, image: np.ndarray, low: float, high: float, step: TimeStep
    ) -> RawBlock:
        """The picture as cells, the lowest row first."""
        values = low + (high - low) * image[::-1, :, 0].astype(np.float64)
        values[(image[::-1, :, 3] == 0) | (image[::-1, :, 1] > 0)] = np.nan
        width, height = self.size
        lines = (np.arange(width + 1.0), np.arange(height + 1.0), np.arange(2.0))
        part = Partition(name, "element", (values[None],), NO_LAYERS, lines, 0, dimension=2)
        return RawBlock(part, step.cycle, step.time)


def _bounds(comm: MPI.Comm, surface: Surface) -> Bounds:
    """The box of all ranks' pieces, not flat. Collective."""
    from mpi4py import MPI

    mine = np.full(6, -np.inf)
    if len(surface.points):
        mine = np.concatenate([-surface.points.min(axis=0), surface.points.max(axis=0)])
    every = np.empty_like(mine)
    comm.Allreduce(mine, every, op=MPI.MAX)
    low, high = -every[:3], every[3:]
    if not np.isfinite(every).all():
        low, high = np.zeros(3), np.ones(3)
    thin = 1e-6 * max(float((high - low).max()), 1e-30)
    return low - thin * (high <= low), high + thin * (high <= low)
