"""Renders all plots of a scene into one picture, opaque geometry and a semi-transparent volume.

In: each rank's data, transfer functions, a camera. Out: the composited picture on rank 0.

A block's geometry lies within its box. It is therefore correct to render one layer per block (the
volume in front of the geometry) and to blend the layers in the visibility order of the boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.box import Bounds
from insitu.core.geometry import Lines, Surface
from insitu.core.parallel import together
from insitu.filters.pipeline import Data, VolumeData
from insitu.render.camera import Camera
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.compositing import composite
from insitu.render.compositing.by_depth import nearest
from insitu.render.picture.plots import SAMPLES_PER_VOXEL, Plot, blocks
from insitu.render.surface.raster import StyledGeometry
from insitu.render.surface.split_by_block import split_by_block
from insitu.render.surface.surfaces import SUPERSAMPLING, behind, nearest_depth, surface_layer
from insitu.render.surface.surfaces import draw as draw_surfaces
from insitu.render.volume.march import RenderBlock, march
from insitu.render.volume.volume import MAX_SAMPLES, render_volume

if TYPE_CHECKING:
    from mpi4py import MPI

Drawn = tuple[Plot, Data, TransferFunction]


def compose(
    comm: MPI.Comm,
    plots: Sequence[Drawn],
    camera: Camera,
    bounds: Bounds,
    boxes: Sequence[Bounds],
) -> np.ndarray | None:
    """Premultiplied RGBA (height, width, 4) float32 on rank 0, None elsewhere. Collective.

    plots: at most one volume plot, any number of pseudocolor plots (surfaces and lines).
    bounds: of the domain. boxes: of this rank's blocks, in the order of their fields.

    Raises RemoteError on every rank if one fails; ValueError if blocks overlap.
    """
    volumes = [(p, data, colors) for p, data, colors in plots if isinstance(data, VolumeData)]
    geometry = [(p, data, colors) for p, data, colors in plots if not isinstance(data, VolumeData)]
    diagonal = float(np.linalg.norm(np.subtract(bounds[1], bounds[0])))
    spacing = next((diagonal / p.samples for p, _, _ in volumes if p.samples), None)
    marched: list[RenderBlock] = []
    for plot, volume, colors in volumes:
        marched = blocks(comm, volume, plot.field)
        if not geometry:
            return render_volume(
                comm,
                marched,
                camera,
                colors,
                samples_per_voxel=1 if spacing else SAMPLES_PER_VOXEL,
                spacing=spacing,
                shading=plot.shading,
                jitter=0 if plot.jitter else None,
            )
    if not volumes and any(plot.pipeline.moves for plot, _, _ in geometry):
        return _by_depth(comm, geometry, camera)
    step = 0.0
    if volumes:
        spacing = spacing or _smallest(comm, marched) / SAMPLES_PER_VOXEL
        step = max(spacing, diagonal / MAX_SAMPLES)
    with together(comm, "drawing of a scene"):
        painted = _painted(geometry, boxes)
        if not volumes:
            layers = [surface_layer(*pair, camera) for pair in zip(boxes, painted, strict=True)]
        else:
            layers = []
            for block, pieces in zip(marched, painted, strict=True):
                rgba, depth, _ = draw_surfaces(pieces, camera, camera.rectangle(block.bounds))
                ends = nearest_depth(depth)
                front = march(
                    block,
                    camera,
                    volumes[0][2],
                    bounds=bounds,
                    step=step,
                    shading=volumes[0][0].shading,
                    jitter=0 if volumes[0][0].jitter else None,
                    surface=(np.zeros((*ends.shape, 4), np.float32), ends),
                )
                layers.append(behind(front, rgba))
    size = (camera.width, camera.height)
    return composite(comm, layers, camera.position, *size, supersampling=SUPERSAMPLING)


def _by_depth(comm: MPI.Comm, plots: Sequence[Drawn], camera: Camera) -> np.ndarray | None:
    """As `compose`, of geometry that may be anywhere. Collective."""
    s = SUPERSAMPLING
    with together(comm, "drawing of a scene"):
        pieces = [piece for drawn in plots for piece in _styled(drawn, [drawn[1]])]
        rgba, depth, (y0, y1, x0, x1) = draw_surfaces(pieces, camera)
    size = (camera.width * s, camera.height * s)
    found = nearest(comm, rgba, depth, (y0 * s, y1 * s, x0 * s, x1 * s), size)
    if found is None:
        return None
    return found.reshape(camera.height, s, camera.width, s, 4).mean(axis=(1, 3))


def _smallest(comm: MPI.Comm, marched: Sequence[RenderBlock]) -> float:
    """The smallest distance between two nodes on any rank. Collective."""
    from mpi4py import MPI

    mine = min((block.spacing for block in marched), default=np.inf)
    return float(comm.allreduce(mine, op=MPI.MIN))


def _painted(plots: Sequence[Drawn], boxes: Sequence[Bounds]) -> list[list[StyledGeometry]]:
    """For each of this rank's blocks, the geometry inside it. Not collective."""
    found: list[list[StyledGeometry]] = [[] for _ in boxes]
    for drawn in plots:
        data = drawn[1]
        assert isinstance(data, Surface | Lines)
        if not len(data.points):
            continue
        parts = _styled(drawn, split_by_block(data, boxes))
        for pieces, part in zip(found, parts, strict=True):
            pieces.append(part)
    return found


def _styled(drawn: Drawn, parts: Sequence[Data]) -> list[StyledGeometry]:
    """Parts of a plot's geometry as it shows them."""
    plot, _, colors = drawn
    found = []
    for part in parts:
        assert isinstance(part, Surface | Lines)
        found.append(
            StyledGeometry(
                part,
                values=plot.field,
                transfer_function=colors,
                width=plot.width,
                width_in_pixels=plot.width_in_pixels,
                lit=not plot.flat,
            )
        )
    return found
