"""Rasterization of surfaces and lines.

In: pieces of geometry, each with its colours, and a camera. Out: opaque pixels and their depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from insitu.core.errors import nearest
from insitu.core.geometry import Lines, Surface
from insitu.engines import drawing
from insitu.engines.options import RasterOptions
from insitu.render.camera import Camera, Rectangle
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.surface.tubes import tubes
from insitu.render.volume.march import Component, component_index

GREY = (0.72, 0.72, 0.74)

# Near plane, as a fraction of the distance from the eye to the look-at point.
NEAR = 1e-6


@dataclass(frozen=True)
class StyledGeometry:
    """A piece of geometry and its appearance. Opaque."""

    piece: Surface | Lines
    color: tuple[float, float, float] = GREY
    """RGB in 0..1; with `values`, the colour where they are not finite."""
    values: str | None = None
    """Name of the values that the transfer function maps to colours."""
    transfer_function: TransferFunction | None = None
    component: Component = None
    """Index or "magnitude"; None: the scalar, or the magnitude of a vector."""
    width: float = 3.0
    """Diameter of the tubes that lines are drawn as, in pixels or world units."""
    width_in_pixels: bool = True
    lit: bool = True
    """Whether to shade; otherwise colours are those of the colour bar."""

    def __post_init__(self) -> None:
        """Raises ValueError if the piece has no such values, or they have no transfer function."""
        if self.values is not None:
            if self.values not in self.piece.values:
                known = tuple(self.piece.values)
                raise ValueError(
                    f"values: the geometry has no '{self.values}'{nearest(self.values, known)}"
                    f" (there are: {', '.join(known) or 'none'})"
                )
            if self.transfer_function is None:
                raise ValueError(f"values: '{self.values}' require a transfer_function")
        if not self.width > 0:
            raise ValueError(f"width: {self.width} is not positive")


def rasterize(
    pieces: Sequence[StyledGeometry], camera: Camera, rectangle: Rectangle | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest geometry on the rays through the pixels' centres. Not collective.

    rectangle: (y0, y1, x0, x1) in pixels; None: the whole image. Returns premultiplied RGBA
    (h, w, 4) float32, alpha 0 or 1, and depth (h, w) float32: the distance from the eye along the
    pixel's unit ray, infinite where there is no geometry.

    Values are interpolated in the triangles and looked up in the colour table for every pixel.
    Lighting is two-sided, with the light beside the eye; surfaces without normals are flat-shaded.
    A pixel on an edge shared by two triangles belongs to exactly one of them, even if the triangles
    are on different ranks. There are therefore no gaps and no pixels drawn twice, and opaque layers
    blend to the image of the whole surface. For anti-aliased edges, draw with a camera of twice the
    size and let `composite` take the mean (`surfaces.finer`).
    """
    y0, y1, x0, x1 = rectangle or (0, camera.height, 0, camera.width)
    rgba = np.zeros((y1 - y0, x1 - x0, 4), dtype=np.float32)
    depth = np.full((y1 - y0, x1 - x0), np.inf, dtype=np.float32)
    for painted in pieces:
        surface = surface_of(painted, camera)
        function = painted.transfer_function
        options = RasterOptions(
            view=camera.view((y0, y1, x0, x1)),
            table=np.zeros((2, 4), np.float32) if function is None else function.table,
            range=(0.0, 0.0) if function is None else function.domain,
            color=painted.color,
            lit=painted.lit,
            near=NEAR * float(np.linalg.norm(np.subtract(camera.look_at, camera.position))),
        )
        drawing().rasterize(
            surface.points,
            surface.triangles,
            surface.normals,
            _scalars(painted, surface),
            options,
            rgba,
            depth,
        )
    return rgba, depth


def surface_of(painted: StyledGeometry, camera: Camera) -> Surface:
    """The triangles to draw: those of the surface, or tubes around the lines."""
    if isinstance(painted.piece, Surface):
        return painted.piece
    return tubes(painted.piece, camera, painted.width, in_pixels=painted.width_in_pixels)


def _scalars(painted: StyledGeometry, surface: Surface) -> np.ndarray | None:
    """The numbers (n,) that the colour table maps; None for one colour."""
    if painted.values is None:
        return None
    values = np.asarray(surface.values[painted.values])
    if values.ndim == 1:
        values = values[:, None]
    index = component_index(painted.component, values.shape[1])
    return np.linalg.norm(values, axis=1) if index < 0 else values[:, index]
