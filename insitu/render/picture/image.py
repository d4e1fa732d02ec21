"""Final pictures: background, domain edges, annotations, PNG files.

In: premultiplied RGBA from the compositor. Out: 8-bit RGB, and a file that is written atomically.
Pillow is imported only where it is used.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from insitu.core.atomic_file import atomic_file
from insitu.core.box import Bounds
from insitu.render.camera import Camera
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.picture import axes
from insitu.render.picture.annotations import arrange, draw

Color = tuple[float, float, float]  # RGB in 0..1
Segments = list[tuple[tuple[float, ...], tuple[float, ...]]]  # ends of lines, pixels (x, y)

WHITE: Color = (1.0, 1.0, 1.0)
DARK: Color = (0.055, 0.065, 0.085)


def flatten(
    image: np.ndarray,
    background: Color = WHITE,
    *,
    camera: Camera | None = None,
    bounds: Bounds | None = None,
    ink: Color | None = None,
) -> np.ndarray:
    """Blend premultiplied RGBA (h, w, 4) over a background -> RGB (h, w, 3) uint8.

    If the camera and the bounds of the domain are given, the domain's edges are drawn as thin
    lines, the far edges behind the volume and the near edges in front of it. ink: their colour;
    default: white or black, whichever the background is not.
    """
    backdrop = np.broadcast_to(np.asarray(background, dtype=np.float32), (*image.shape[:2], 3))
    if camera is None or bounds is None:
        rgb = image[..., :3] + (1 - image[..., 3:]) * backdrop
    else:
        grey = 1.0 if _luminance(backdrop[0, 0]) < 0.5 else 0.0
        paint = np.array((grey, grey, grey) if ink is None else ink, np.float32)
        behind, before = _edges(camera, bounds)
        backdrop = _drawn(backdrop, behind, paint, 0.30)
        rgb = _drawn(image[..., :3] + (1 - image[..., 3:]) * backdrop, before, paint, 0.30)
    return (np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8)


def write_png(path: str | os.PathLike[str], pixels: np.ndarray) -> Path:
    """Write RGB (h, w, 3) or RGBA (h, w, 4) uint8 and return the path. Not collective.

    The file is written atomically: readers never see a partial picture. Creates missing folders.
    """
    from PIL import Image

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as tmp:
        Image.fromarray(np.ascontiguousarray(pixels, dtype=np.uint8)).save(tmp, format="PNG")
    return path


def annotate(
    pixels: np.ndarray,
    *,
    title: str = "",
    caption: str = "",
    transfer_function: TransferFunction | None = None,
    label: str = "",
    bars: Sequence[tuple[str, TransferFunction]] = (),
    ink: Color | None = None,
    camera: Camera | None = None,
    bounds: Bounds | None = None,
    unit: str = "",
) -> np.ndarray:
    """A copy of RGB (h, w, 3) uint8 with text, colour bars and axes drawn on it.

    title: top left. caption: bottom left, such as cycle and time. bars: label (such as the field
    name) and transfer function of each plot; colour bars are stacked at the right, as many as fit.
    transfer_function, label: one more bar, placed first. ink: of the text; default: light or dark,
    as the picture's border requires. camera, bounds: of a box whose axes are drawn, if both are
    given, with ticks in this unit of length.

    Font sizes follow the smaller side of the image. Text that is too long is set smaller, then
    truncated, so that nothing overlaps. Images smaller than 96 pixels are returned unchanged, as
    text on them would be illegible.
    """
    from PIL import Image, ImageDraw

    height, width = pixels.shape[:2]
    if min(height, width) < 96:
        return pixels.copy()
    if transfer_function is not None:
        bars = [(label, transfer_function), *bars]
    image = Image.fromarray(np.ascontiguousarray(pixels))
    border = np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))
    light = float(np.median(_luminance(border))) < 128  # light text on a dark background
    found = arrange((width, height), title, caption, bars)
    if ink is not None:
        light = float(_luminance(np.asarray(ink))) >= 0.5
    pen = ImageDraw.Draw(image, "RGBA")
    if camera is not None and bounds is not None:
        axes.draw(pen, axes.arrange((width, height), camera, bounds, unit, found.areas), light, ink)
    draw(pen, found, light, ink)
    return np.asarray(image).copy()


def _luminance(rgb: np.ndarray) -> np.ndarray:
    """Luma of RGB (..., 3), in the scale of the input (Rec. 601)."""
    return rgb @ np.array([0.299, 0.587, 0.114])


def _edges(camera: Camera, bounds: Bounds) -> tuple[Segments, Segments]:
    """The far and the near edges of a box, without those that reach behind the eye.

    An edge is near if one of its two faces is front-facing.
    """
    box = np.stack([np.asarray(b, dtype=np.float64) for b in bounds])  # (2, 3)
    eye = camera.position
    facing = [(eye[a] < box[0, a], eye[a] > box[1, a]) for a in range(3)]
    behind: Segments = []
    before: Segments = []
    for along, first, second in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        for i, j in product((0, 1), repeat=2):
            ends = np.empty((2, 3))
            ends[:, along], ends[:, first], ends[:, second] = (
                box[:, along],
                box[i, first],
                box[j, second],
            )
            pixels, depth = camera.project(ends)
            if (depth > 1e-6 * np.linalg.norm(box[1] - box[0])).all():
                segment = (tuple(pixels[0].tolist()), tuple(pixels[1].tolist()))
                (before if facing[first][i] or facing[second][j] else behind).append(segment)
    return behind, before


def _drawn(rgb: np.ndarray, segments: Segments, ink: np.ndarray, strength: float) -> np.ndarray:
    """RGB (h, w, 3) with anti-aliased lines of one colour drawn on it."""
    from PIL import Image, ImageDraw

    height, width = rgb.shape[:2]
    finer = 3  # supersampling factor per axis
    cover = Image.new("L", (width * finer, height * finer))
    draw = ImageDraw.Draw(cover)
    thick = max(finer, round(finer * min(width, height) / 900))
    for start, end in segments:
        draw.line([tuple(finer * v for v in start), tuple(finer * v for v in end)], 255, thick)
    share = np.asarray(cover.reduce(finer), dtype=np.float32)[..., None] * (strength / 255)
    return rgb * (1 - share) + ink * share
