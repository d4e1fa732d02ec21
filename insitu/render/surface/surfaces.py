"""Rendering of geometry that is distributed over the ranks, with anti-aliased edges.

In: each rank's pieces, per block. Out: supersampled layers, and the image on rank 0.

Coverage stored as alpha would show seams between pieces: two blocks that each cover half of a pixel
would let a quarter of the background through. Geometry is therefore drawn and composited with
several samples per pixel, each covered or not, and averaged after compositing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from mpi4py import MPI

from insitu.core.box import Bounds
from insitu.core.geometry import Lines
from insitu.core.parallel import together
from insitu.render.camera import Camera, Rectangle
from insitu.render.compositing import composite
from insitu.render.surface.raster import StyledGeometry, rasterize, surface_of
from insitu.render.volume.march import Layer

SUPERSAMPLING = 2  # samples per pixel along each side


def render_surfaces(
    comm: MPI.Comm,
    blocks: Sequence[tuple[Bounds, Sequence[StyledGeometry]]],
    camera: Camera,
    *,
    supersampling: int = SUPERSAMPLING,
) -> np.ndarray | None:
    """Premultiplied RGBA (height, width, 4) float32 on rank 0, None elsewhere. Collective.

    blocks: any number per rank; the bounds of a block, and the pieces of geometry in it. Bounds
    must be disjoint over all ranks.

    Raises RemoteError on every rank if one fails; ValueError if boxes overlap.
    """
    with together(comm, "drawing of surfaces"):
        layers = [
            surface_layer(bounds, pieces, camera, supersampling=supersampling)
            for bounds, pieces in blocks
        ]
    return composite(
        comm, layers, camera.position, camera.width, camera.height, supersampling=supersampling
    )


def finer(camera: Camera, supersampling: int = SUPERSAMPLING) -> Camera:
    """The same view with `supersampling` times as many pixels along each side."""
    return replace(camera, width=camera.width * supersampling, height=camera.height * supersampling)


def surface_layer(
    bounds: Bounds,
    pieces: Sequence[StyledGeometry],
    camera: Camera,
    *,
    supersampling: int = SUPERSAMPLING,
) -> Layer:
    """A block's geometry, drawn as a layer of `finer(camera)`. Not collective."""
    rgba, _, rectangle = draw(pieces, camera, supersampling=supersampling)
    s = supersampling
    y0, y1, x0, x1 = rectangle
    return Layer(rgba, (y0 * s, y1 * s, x0 * s, x1 * s), bounds)


def draw(
    pieces: Sequence[StyledGeometry],
    camera: Camera,
    rectangle: Rectangle | None = None,
    *,
    supersampling: int = SUPERSAMPLING,
) -> tuple[np.ndarray, np.ndarray, Rectangle]:
    """Draw geometry in a rectangle of the camera's pixels, supersampled. Not collective.

    rectangle: None: the smallest around the geometry. Returns RGBA (h s, w s, 4) and depth
    (h s, w s) as `rasterize` does, and the rectangle (y0, y1, x0, x1) in the camera's pixels.
    """
    s = supersampling
    y0, y1, x0, x1 = extent(pieces, camera) if rectangle is None else rectangle
    scaled = [
        replace(painted, width=painted.width * s)
        if isinstance(painted.piece, Lines) and painted.width_in_pixels
        else painted
        for painted in pieces
    ]
    rgba, depth = rasterize(scaled, finer(camera, s), (y0 * s, y1 * s, x0 * s, x1 * s))
    return rgba, depth, (y0, y1, x0, x1)


def extent(pieces: Sequence[StyledGeometry], camera: Camera) -> Rectangle:
    """The pixels that the pieces can cover; all pixels if a piece extends behind the eye.

    Tubes may extend beyond their block, so this can exceed the block's rectangle.
    """
    points = [surface_of(painted, camera).points for painted in pieces]
    found = np.concatenate(points) if points else np.empty((0, 3))
    found = found[np.isfinite(found).all(axis=1)]
    if not len(found):
        return (0, 0, 0, 0)
    lo, hi = found.min(axis=0), found.max(axis=0)
    thin = 1e-6 * max(float((hi - lo).max()), 1e-30) * (hi <= lo)  # a box must have some size
    return camera.rectangle((lo - thin, hi + thin))


def nearest_depth(depth: np.ndarray, supersampling: int = SUPERSAMPLING) -> np.ndarray:
    """Depth of samples (h s, w s) -> (h, w): where the ray of a pixel must end at the latest."""
    s = supersampling
    height, width = depth.shape
    return depth.reshape(height // s, s, width // s, s).min(axis=(1, 3))


def behind(volume: Layer, rgba: np.ndarray, supersampling: int = SUPERSAMPLING) -> Layer:
    """A block's volume in front of its geometry, as one layer of `finer(camera)`.

    volume: marched with the camera to `nearest_depth` of the geometry. rgba: (h s, w s, 4), the
    geometry in the volume's rectangle. Where geometry covers part of a pixel, the volume behind it
    is omitted in the whole pixel, which affects edges one pixel wide.
    """
    s = supersampling
    front = np.repeat(np.repeat(volume.rgba, s, axis=0), s, axis=1)
    y0, y1, x0, x1 = volume.rectangle
    return Layer(
        front + (1 - front[..., 3:]) * rgba, (y0 * s, y1 * s, x0 * s, x1 * s), volume.bounds
    )
