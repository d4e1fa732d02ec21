"""How a scene is looked at: one picture's size, camera, background and annotations.

In: a render of a scene, in Ascent's words; the blended picture. Out: 8-bit pixels, names of files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from insitu.core.box import Bounds
from insitu.render.camera import Camera, CameraSettings
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.picture.image import DARK, annotate, flatten

DEFAULT_SIZE = 768


@dataclass(frozen=True, kw_only=True)
class View:
    """One render of a scene."""

    name: str = ""
    """In the scene, if it has one."""
    image_prefix: str = ""
    """File name without ending; a %d pattern takes the cycle, which else is appended."""
    image_name: str = ""
    """Instead: the whole file name without ending, the same at every step."""
    image_width: int = DEFAULT_SIZE
    image_height: int = DEFAULT_SIZE
    camera: CameraSettings | None = None
    """None: the whole domain in view."""
    bg_color: tuple[float, float, float] = DARK
    render_bg: bool = True
    """False: what is empty stays transparent."""
    world_annotations: bool = True
    """The edges of the domain."""
    screen_annotations: bool = True
    """Title, cycle and time, colour bars."""
    dataset_bounds: tuple[float, ...] | None = None
    """x0, x1, y0, y1, z0, z1 of the box whose edges are drawn; default: the domain."""
    title: str = ""
    time_unit: str | None = ""
    """Behind the time in the caption; None: no caption, where steps have neither cycle nor time."""

    def camera_for(self, bounds: Bounds) -> Camera:
        """ValueError where its words do not make a camera."""
        if self.camera is None:
            return Camera.default(bounds, self.image_width, self.image_height)
        return self.camera.camera(bounds, self.image_width, self.image_height)

    def file_stem(self, cycle: int) -> str:
        """The name of the picture of a step, without its ending."""
        return self.image_name or file_stem(self.image_prefix, cycle)

    def caption(self, cycle: int, time: float) -> str:
        """The line below a picture."""
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

        bars: labels and colours of the colour bars; caption: cycle and time.
        """
        box: Bounds | None = bounds
        if self.dataset_bounds is not None:
            corners = np.array(self.dataset_bounds).reshape(3, 2)
            box = (corners[:, 0], corners[:, 1])
        box = box if self.world_annotations else None
        pixels = flatten(image, self.bg_color, camera=camera, bounds=box)
        if self.screen_annotations:
            pixels = annotate(pixels, title=self.title, caption=caption, bars=bars)
        if self.render_bg:
            return pixels
        return np.dstack((pixels, (np.clip(image[..., 3], 0, 1) * 255 + 0.5).astype(np.uint8)))


def file_stem(prefix: str, cycle: int) -> str:
    """`prefix` with the cycle in place of its %d pattern (as in "density_%04d"), else appended."""
    if re.search(r"%0?\d*d", prefix):
        return re.sub(r"%0?\d*d", lambda pattern: pattern.group() % cycle, prefix, count=1)
    return f"{prefix}_{cycle:06d}"
