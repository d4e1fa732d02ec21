"""Filters that move what they are given: scale, transform, dray_reflect.

In: a volume, a surface or lines. Out: the same elsewhere; of reflect, together with what came in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.box import Bounds
from insitu.core.geometry import Lines, Surface
from insitu.core.parallel import together
from insitu.filters.geometry.join import join
from insitu.filters.geometry.mapped_block import MappedBlock
from insitu.filters.pipeline import Data, Names, VolumeData
from insitu.filters.schema import SURFACE, VOLUME, DataSchema
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI

Rows = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Transform:
    """An affine map. Volumes can only be moved along the axes: their blocks stay boxes."""

    type: str
    rows: Rows
    """Three rows of a 4 x 4 matrix: (x', y', z') = rows (x, y, z, 1)."""
    both: bool = False
    """Whether to keep what came in as well; of surfaces only."""

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    @property
    def matrix(self) -> Floats:
        """(3, 3)"""
        return np.array(self.rows)[:, :3]

    @property
    def offset(self) -> Floats:
        """(3,)"""
        return np.array(self.rows)[:, 3]

    def outline(self, given: DataSchema) -> DataSchema:
        if self.both and given.kind not in (SURFACE, VOLUME):
            raise ValueError(f"type: {self.type} needs a surface or a volume, not {given.kind}")
        if self.both and given.kind == VOLUME:
            return replace(given.became(SURFACE, self.type), cut_by=())
        along_axes = np.count_nonzero(self.matrix) == 3 and np.diag(self.matrix).all()
        if given.kind == VOLUME and not along_axes:
            raise ValueError(
                f"type: {self.type} moves volumes along the axes only; put it after contour or "
                "slice to turn them"
            )
        if given.kind == VOLUME:
            for name, components in given.fields.items():
                given = given.plus(name, components)
        return given

    def reads(self, wanted: Names) -> Names:
        return wanted

    @property
    def moves(self) -> bool:
        return True

    def bounds(self, before: Bounds) -> Bounds:
        """The box around what is in a box."""
        corners = np.stack(np.meshgrid(*np.transpose(before), indexing="ij"), axis=-1)
        after = self._points(corners.reshape(-1, 3))
        if self.both:
            after = np.concatenate([after, np.asarray(before)])
        return after.min(axis=0), after.max(axis=0)

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        if self.both and isinstance(data, VolumeData):
            data = data.surface(comm)
        found = data
        with together(comm, self.type):
            if isinstance(data, VolumeData):
                found = self._volume(data)
            elif isinstance(data, Surface):
                moved = self.of_surface(data)
                found = join([data, moved]) if self.both else moved
            else:
                found = Lines(self._points(data.points), data.offsets, data.values)
        return found

    def _points(self, points: Floats) -> Floats:
        return points @ self.matrix.T + self.offset

    def _volume(self, data: VolumeData) -> VolumeData:
        a, b = np.diag(self.matrix).tolist(), self.offset.tolist()
        fields = {
            name: [
                MappedBlock(block.name, block, (a[0], a[1], a[2]), (b[0], b[1], b[2]))
                for block in blocks
            ]
            for name, blocks in data.fields.items()
        }
        around = None if data.around is None else _Around(self, data.around)
        return VolumeData(fields, self.bounds(data.bounds), around)

    def of_surface(self, surface: Surface) -> Surface:
        """A surface elsewhere, its normals still outward."""
        normals = surface.normals
        if normals is not None:
            turned = normals @ np.linalg.inv(self.matrix)
            length = np.linalg.norm(turned, axis=1, keepdims=True)
            normals = turned / np.where(length > 0, length, 1.0)
        mirrored = np.linalg.det(self.matrix) < 0
        triangles = surface.triangles[:, ::-1] if mirrored else surface.triangles
        return Surface(self._points(surface.points), triangles, surface.values, normals)


@dataclass(frozen=True)
class _Around:
    """The surface of a part of a volume, moved with it."""

    filter: Transform
    before: Callable[[MPI.Comm], Surface]

    def __call__(self, comm: MPI.Comm) -> Surface:
        return self.filter.of_surface(self.before(comm))
