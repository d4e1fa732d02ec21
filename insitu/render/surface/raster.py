"""Geometry to pixels: surfaces and lines as the eye sees them.

In: pieces of geometry, each with its colours, and a camera. Out: opaque pixels and how far each is.
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

# Of the distance from the eye to what it looks at: what is nearer to the eye is not drawn.
NEAR = 1e-6


@dataclass(frozen=True)
class StyledGeometry:
    """A piece of geometry and how it is to look. Opaque."""

    piece: Surface | Lines
    color: tuple[float, float, float] = GREY
    """RGB in 0..1: of all, or, with `values`, of those that are not finite."""
    values: str | None = None
    """The values of the piece that give its colours, through the transfer function."""
    transfer_function: TransferFunction | None = None
    component: Component = None
    """Index, "magnitude", or None for a scalar, or the magnitude of a vector."""
    width: float = 3.0
    """Of lines, which are drawn as tubes: pixels, or world length."""
    width_in_pixels: bool = True
    lit: bool = True
    """Or colours as they are, to be compared with a colour bar."""

    def __post_init__(self) -> None:
        """Raises ValueError for values that the piece has not, or that have no colours."""
        if self.values is not None:
            if self.values not in self.piece.values:
                known = tuple(self.piece.values)
                raise ValueError(
                    f"values: '{self.values}' are not of the geometry{nearest(self.values, known)}"
                    f" (there are: {', '.join(known) or 'none'})"
                )
            if self.transfer_function is None:
                raise ValueError(f"values: '{self.values}' need a transfer_function for colours")
        if not self.width > 0:
            raise ValueError(f"width: {self.width} is not positive")


def rasterize(
    pieces: Sequence[StyledGeometry], camera: Camera, rectangle: Rectangle | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """What the rays through the pixels' centres meet first. Not collective.

    rectangle: (y0, y1, x0, x1) in pixels; the whole image if None. Returns premultiplied RGBA
    (h, w, 4) float32, alpha 0 or 1, and depth (h, w) float32: the distance from the eye along the
    pixel's unit ray, infinite where nothing is.

    Values are interpolated in the triangles and looked up in the colour table pixel by pixel.
    What is lit has its light beside the eye and looks alike from both sides; without normals it is
    flat. A pixel on an edge that two triangles share belongs to one of them, also where these are
    pieces of a surface on different ranks, so that there are no gaps and no pixel is drawn twice:
    opaque layers blend to the picture of the whole. For smooth edges, draw with a camera of twice
    the size and let `composite` take the mean (`surfaces.finer`).
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
    """The triangles that are drawn: of the surface itself, or of tubes around lines."""
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
