"""Pictures for people: background, annotations, PNG files.

In: premultiplied RGBA from the compositor. Out: 8-bit RGB, and a file that is whole or not there.
Pillow is imported where it is used.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from insitu.render.camera import Bounds, Camera
from insitu.render.transfer_function import TransferFunction

if TYPE_CHECKING:
    from PIL import ImageDraw

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
) -> np.ndarray:
    """Premultiplied RGBA (h, w, 4) over a background, as RGB (h, w, 3) uint8.

    With the camera and the bounds of the domain, the domain's edges are drawn as thin lines:
    those behind it are veiled by the volume, those in front are not.
    """
    backdrop = np.broadcast_to(np.asarray(background, dtype=np.float32), (*image.shape[:2], 3))
    if camera is None or bounds is None:
        rgb = image[..., :3] + (1 - image[..., 3:]) * backdrop
    else:
        ink = 1.0 if _luminance(backdrop[0, 0]) < 0.5 else 0.0
        behind, before = _edges(camera, bounds)
        backdrop = _drawn(backdrop, behind, ink, 0.30)
        rgb = _drawn(image[..., :3] + (1 - image[..., 3:]) * backdrop, before, ink, 0.30)
    return (np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8)


def write_png(path: str | os.PathLike[str], pixels: np.ndarray) -> Path:
    """Write RGB (h, w, 3) or RGBA (h, w, 4) uint8 and return the path. Not collective.

    The file is written aside and then renamed: a reader, or a crash, never sees half a picture.
    Missing folders are made.
    """
    from PIL import Image

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        Image.fromarray(np.ascontiguousarray(pixels, dtype=np.uint8)).save(aside, format="PNG")
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    return path


def annotate(
    pixels: np.ndarray,
    *,
    title: str = "",
    caption: str = "",
    transfer_function: TransferFunction | None = None,
    label: str = "",
) -> np.ndarray:
    """RGB (h, w, 3) uint8 with words and a colour bar on it; a new array.

    title: top left. caption: bottom left, such as cycle and time. transfer_function: its colours
    and the values they stand for become a colour bar at the right; label: the bar's heading, such
    as the field's name. Sizes follow the smaller side of the image. An image smaller than 96
    pixels is returned as it is: nothing on it could be read.
    """
    from PIL import Image, ImageDraw

    height, width = pixels.shape[:2]
    if min(height, width) < 96:
        return pixels.copy()
    image = Image.fromarray(np.ascontiguousarray(pixels))
    draw = ImageDraw.Draw(image, "RGBA")
    size = max(11.0, min(height, width) / 42)
    pen = _Pen(draw, size, _ink(pixels))
    margin = round(1.4 * size)
    if title:
        pen.text((margin, margin), title, "la", scale=1.25)
    if caption:
        pen.text((margin, height - margin), caption, "ld")
    if transfer_function is not None:
        _color_bar(image.size, pen, transfer_function, label, margin)
    return np.asarray(image).copy()


def ticks(lo: float, hi: float, at_most: int = 6) -> list[float]:
    """Round values (1, 2 or 5 times a power of ten apart) within lo..hi; at least the two ends."""
    span = hi - lo
    if not span > 0 or not math.isfinite(span):
        return [lo]
    power = 10.0 ** math.floor(math.log10(span / at_most))
    step = next(m * power for m in (1, 2, 5, 10, 20) if span / (m * power) <= at_most)
    first = math.ceil(lo / step - 1e-9)
    values = [i * step for i in range(first, math.floor(hi / step + 1e-9) + 1)]
    return values if len(values) >= 2 else [lo, hi]


def tick_labels(values: Sequence[float]) -> list[str]:
    """Short labels that tell neighbouring ticks apart."""
    gaps = [abs(b - a) for a, b in pairwise(values)]
    largest = max((abs(v) for v in values), default=0.0)
    digits = 4
    if gaps and min(gaps) > 0 and largest > 0:
        digits = max(1, math.ceil(math.log10(largest / min(gaps)) - 1e-9) + 1)
    return [f"{v if abs(v) > 1e-12 * largest else 0.0:.{min(digits, 12)}g}" for v in values]


def _luminance(rgb: np.ndarray) -> np.ndarray:
    """How bright RGB (..., 3) looks, in its own scale (Rec. 601)."""
    return rgb @ np.array([0.299, 0.587, 0.114])


def _edges(camera: Camera, bounds: Bounds) -> tuple[Segments, Segments]:
    """The edges of a box behind its volume and before it; none that reach behind the eye.

    An edge lies before the volume when one of the two faces it joins is turned to the eye.
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


def _drawn(rgb: np.ndarray, segments: Segments, ink: float, strength: float) -> np.ndarray:
    """RGB (h, w, 3) with anti-aliased lines of one grey on it."""
    from PIL import Image, ImageDraw

    height, width = rgb.shape[:2]
    finer = 3  # drawn larger, then averaged
    cover = Image.new("L", (width * finer, height * finer))
    draw = ImageDraw.Draw(cover)
    thick = max(finer, round(finer * min(width, height) / 900))
    for start, end in segments:
        draw.line([tuple(finer * v for v in start), tuple(finer * v for v in end)], 255, thick)
    share = np.asarray(cover.reduce(finer), dtype=np.float32)[..., None] * (strength / 255)
    return rgb * (1 - share) + ink * share


class _Pen:
    """Draws text in one ink with a thin edge of the opposite, legible on any picture."""

    def __init__(self, draw: ImageDraw.ImageDraw, size: float, light: bool) -> None:
        self.draw = draw
        self.size = size
        self.ink = (240, 242, 245, 255) if light else (25, 28, 33, 255)
        self.edge = (10, 12, 15, 160) if light else (255, 255, 255, 190)

    def text(self, at: tuple[float, float], text: str, anchor: str, scale: float = 1.0) -> None:
        from PIL import ImageFont

        font = ImageFont.load_default(self.size * scale)
        stroke = max(1, round(self.size / 14))
        self.draw.text(at, text, self.ink, font, anchor, stroke_width=stroke, stroke_fill=self.edge)
        self.draw.text(at, text, self.ink, font, anchor)


def _ink(pixels: np.ndarray) -> bool:
    """Whether light ink reads better: the border of the picture is dark."""
    border = np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))
    return float(np.median(_luminance(border))) < 128


def _color_bar(
    size: tuple[int, int], pen: _Pen, function: TransferFunction, label: str, margin: int
) -> None:
    """A vertical bar at the right edge, lowest value at the bottom, with ticks to its left."""
    width, height = size
    thick = round(0.9 * pen.size)
    x1, x0 = width - margin, width - margin - thick
    length = round(0.42 * height)
    y0 = (height - length) // 2
    lo, hi = function.domain
    colors = function(np.linspace(hi, lo, length))[:, :3]  # (length, 3), top to bottom
    for row, color in enumerate((colors * 255 + 0.5).astype(int).tolist()):
        pen.draw.line([(x0, y0 + row), (x1, y0 + row)], fill=(*color, 255))
    pen.draw.rectangle([x0 - 1, y0 - 1, x1 + 1, y0 + length], outline=pen.ink)
    values = ticks(lo, hi)
    for value, text in zip(values, tick_labels(values), strict=True):
        y = y0 + (length - 1) * (1 - ((value - lo) / (hi - lo) if hi > lo else 0.0))
        pen.draw.line([(x0 - 0.35 * pen.size, y), (x0 - 1, y)], fill=pen.ink)
        pen.text((x0 - 0.6 * pen.size, y), text, "rm", scale=0.85)
    if label:
        pen.text((x1, y0 - 0.8 * pen.size), label, "rd")
