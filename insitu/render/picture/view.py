"""A view of a scene: a picture's size, camera, background and annotations.

In: the options of a render; the composited picture. Out: 8-bit pixels, file names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from insitu.core.box import Bounds
from insitu.engines.options import Vector
from insitu.render.camera import Camera, CameraSettings
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.picture.image import DARK, annotate, flatten

DEFAULT_SIZE = 768


@dataclass(frozen=True, kw_only=True)
class View:
    """One render of a scene."""

    name: str = ""
    """Its name in the scene, if it has one."""
    image_prefix: str = ""
    """File name without extension; the cycle replaces a %d pattern, otherwise it is appended."""
    image_name: str = ""
    """Alternative: the full file name without extension, the same at every step."""
    image_width: int = DEFAULT_SIZE
    image_height: int = DEFAULT_SIZE
    camera: CameraSettings | None = None
    """None: the default camera, which shows the whole domain."""
    bg_color: tuple[float, float, float] = DARK
    fg_color: tuple[float, float, float] | None = None
    """Of annotations; None: light or dark, as the background requires."""
    render_bg: bool = True
    """False: the background stays transparent."""
    world_annotations: bool = True
    """Whether to draw the edges of the domain, and ticks and numbers along x, y and z."""
    screen_annotations: bool = True
    """Whether to draw the title, cycle and time, and colour bars."""
    dataset_bounds: tuple[float, ...] | None = None
    """x0, x1, y0, y1, z0, z1 of the box whose edges are drawn; default: the domain."""
    title: str = ""
    time_unit: str | None = ""
    """Follows the time in the caption; None: no caption, for steps without cycle and time."""
    length_unit: str = ""
    """Follows the names of the axes."""

    def camera_for(self, bounds: Bounds, normal: Vector | None = None) -> Camera:
        """The camera for a domain with these bounds, joined with `dataset_bounds`, as in Ascent.
        normal: of a plane that is all that is shown, which the default camera faces.
        ValueError for invalid camera options."""
        if self.dataset_bounds is not None:
            low, high = np.array(self.dataset_bounds).reshape(3, 2).T
            bounds = (np.minimum(bounds[0], low), np.maximum(bounds[1], high))
        if self.camera is None and normal is not None:
            return Camera.facing(bounds, normal, self.image_width, self.image_height)
        if self.camera is None:
            return Camera.default(bounds, self.image_width, self.image_height)
        return self.camera.camera(bounds, self.image_width, self.image_height)

    def file_stem(self, cycle: int) -> str:
        """The file name of a step's picture, without extension."""
        return self.image_name or file_stem(self.image_prefix, cycle)

    def caption(self, cycle: int, time: float) -> str:
        """The caption at the bottom of a picture."""
        if self.time_unit is None:
            return ""
        return f"cycle {cycle}   time {time:.4g} {self.time_unit}".rstrip()

    def pixels(
        self,
        image: np.ndarray,
        camera: Camera,
        bounds: Bounds,
        caption: str,
        bars: Sequence[tuple[str, TransferFunction]],
    ) -> np.ndarray:
        """Premultiplied RGBA (h, w, 4) as 8-bit RGB (h, w, 3), or RGBA without a background.

        bars: label and transfer function of each colour bar. caption: cycle and time.
        """
        box: Bounds | None = bounds
        if self.dataset_bounds is not None:
            corners = np.array(self.dataset_bounds).reshape(3, 2)
            box = (corners[:, 0], corners[:, 1])
        box = box if self.world_annotations else None
        pixels = flatten(image, self.bg_color, camera=camera, bounds=box, ink=self.fg_color)
        screen = self.screen_annotations
        pixels = annotate(
            pixels,
            title=self.title if screen else "",
            caption=caption if screen else "",
            bars=bars if screen else (),
            ink=self.fg_color,
            camera=camera,
            bounds=box,
            unit=self.length_unit,
        )
        if self.render_bg:
            return pixels
        return np.dstack((pixels, (np.clip(image[..., 3], 0, 1) * 255 + 0.5).astype(np.uint8)))


def file_stem(prefix: str, cycle: int) -> str:
    """`prefix` with its %d pattern (as in "density_%04d") replaced by the cycle, else appended."""
    if re.search(r"%0?\d*d", prefix):
        return re.sub(r"%0?\d*d", lambda pattern: pattern.group() % cycle, prefix, count=1)
    return f"{prefix}_{cycle:06d}"
