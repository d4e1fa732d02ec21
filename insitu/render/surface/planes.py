"""What is between the near and the far plane of a camera.

In: what plots draw, a camera with planes. Out: the same, cut off at the planes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from insitu.core.box import Bounds
from insitu.core.geometry import Lines, Surface
from insitu.core.parallel import together
from insitu.filters.geometry.clip import clip
from insitu.filters.geometry.shapes import Plane
from insitu.filters.geometry.tetrahedra import clip_triangles, inside
from insitu.filters.pipeline import Data, VolumeData
from insitu.render.camera import Camera

if TYPE_CHECKING:
    from mpi4py import MPI


def between_planes(comm: MPI.Comm, data: Data, camera: Camera, bounds: Bounds) -> Data:
    """The part of the data that a camera shows. Collective. bounds: of what is shown.

    Triangles are cut exactly, lines at their points, volumes as by the filter clip.
    """
    corners = np.stack(np.meshgrid(*np.transpose(bounds), indexing="ij"), axis=-1).reshape(-1, 3)
    depths = _depths(camera, corners)
    if depths.min() >= camera.near and depths.max() <= camera.far:
        return data
    if isinstance(data, VolumeData):
        return _volume(comm, data, camera, (float(depths.min()), float(depths.max())))
    found = data
    with together(comm, "near and far plane"):
        found = _surface(data, camera) if isinstance(data, Surface) else _lines(data, camera)
    return found


def _depths(camera: Camera, points: np.ndarray) -> np.ndarray:
    """Distances (n,) from the eye along the view."""
    return np.asarray((points - np.array(camera.position)) @ camera.basis()[2])


def _volume(
    comm: MPI.Comm, data: VolumeData, camera: Camera, reach: tuple[float, float]
) -> VolumeData:
    forward = camera.basis()[2]
    for depth, side, cuts in (
        (camera.near, 1.0, reach[0] < camera.near),
        (camera.far, -1.0, reach[1] > camera.far),
    ):
        if cuts:
            x, y, z = (np.array(camera.position) + depth * forward).tolist()
            nx, ny, nz = (side * forward).tolist()
            left = clip(comm, data.fields, Plane((x, y, z), (nx, ny, nz)))
            data = VolumeData(left.fields, data.bounds, left.surface)
    return data


def _surface(surface: Surface, camera: Camera) -> Surface:
    depths = inside(_depths(camera, surface.points), camera.near, camera.far)
    ends, t, triangles = clip_triangles(
        surface.triangles.astype(np.int64), depths, camera.near, camera.far
    ).welded()

    def at(values: np.ndarray) -> np.ndarray:
        first, second = values[ends[:, 0]], values[ends[:, 1]]
        return first + t.reshape(-1, *[1] * (values.ndim - 1)) * (second - first)

    return Surface(
        at(surface.points),
        triangles,
        {name: at(values) for name, values in surface.values.items()},
        None if surface.normals is None else at(surface.normals),
    )


def _lines(lines: Lines, camera: Camera) -> Lines:
    """The pieces of lines whose points are between the planes."""
    depths = _depths(camera, lines.points)
    kept = (depths > camera.near) & (depths < camera.far)
    begins = np.zeros(len(kept) + 1, bool)
    begins[lines.offsets] = True
    begins[1:] |= ~np.append(kept, False)[:-1] if len(kept) else False
    chosen = np.flatnonzero(kept)
    first = begins[:-1][chosen]
    offsets = np.append(np.flatnonzero(first), len(chosen)) if len(chosen) else np.zeros(1, int)
    values = {name: array[chosen] for name, array in lines.values.items()}
    return Lines(lines.points[chosen], offsets, values)
