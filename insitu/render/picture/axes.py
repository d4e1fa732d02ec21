"""The axes of a domain on its picture: ticks with numbers, names with the unit, a triad.

In: the picture's size, the camera, the box, areas that are taken. Out: strokes and texts that
overlap nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.box import Bounds
from insitu.render.camera import Camera
from insitu.render.picture.annotations import (
    Area,
    Text,
    ink_of,
    text_size,
    tick_labels,
    ticks,
    write,
)

if TYPE_CHECKING:
    from PIL import ImageDraw

SMALLEST = 240
"""Pixels of the smaller side below which a picture has no axes."""
NAMES = "xyz"
COLORS = ((230, 80, 80), (90, 190, 90), (90, 140, 245))
"""Of x, y and z in the triad, as is usual."""
_NARROW = 4.0  # in units of the font size: an axis that looks shorter has no ticks

Point = tuple[float, float]


@dataclass(frozen=True)
class Stroke:
    """A line on the picture, pixels. color: RGB in 0..255; None: the ink of the annotations."""

    start: Point
    end: Point
    color: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Axes:
    """What is drawn."""

    strokes: tuple[Stroke, ...] = ()
    texts: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Outline:
    """An edge of the box as it is seen: its axis, ends, and the direction away from the box."""

    axis: int
    start: Floats
    end: Floats
    """(2,), pixels; where the axis has its lowest and highest value."""
    outward: Floats
    """(2,), unit length."""
    ends: Floats
    """(2, 3), world."""


def arrange(
    size: tuple[int, int],
    camera: Camera,
    bounds: Bounds,
    unit: str = "",
    taken: Sequence[Area] = (),
) -> Axes:
    """Axes of the box `bounds` in a picture of `size` (width, height); none in small pictures.

    Each axis has its ticks along the edge on the outline that lies lowest, or to the left. What
    would overlap `taken` or leave the picture is left out. unit: of length.
    """
    if min(size) < SMALLEST:
        return Axes()
    em = text_size(size)
    strokes: list[Stroke] = []
    texts: list[Text] = []
    areas = list(taken)

    def put(text: Text) -> bool:
        fits = _inside(text.area, size) and not any(_overlap(text.area, one) for one in areas)
        if fits:
            texts.append(text)
            areas.append(text.area)
        return fits

    for stroke, name in _triad(size, camera, em, taken):
        if put(name):
            strokes.append(stroke)
            areas.append(_around(stroke))
    for edge in outlines(camera, bounds):
        length = float(np.linalg.norm(edge.end - edge.start))
        if length < _NARROW * em:
            continue
        low, high = (float(v) for v in edge.ends[:, edge.axis])
        values = ticks(low, high, max(2, min(6, int(length / (4 * em)))))
        widest = 0.0
        for value, number in zip(values, tick_labels(values), strict=True):
            at = edge.ends[0].copy()
            at[edge.axis] = value
            (pixel,), _ = camera.project(at[None])
            text = _beside(pixel, edge.outward, 0.75 * em, number, 0.85 * em)
            if put(text):
                tip = pixel + 0.45 * em * edge.outward
                strokes.append(Stroke(_point(pixel), _point(tip)))
                widest = max(widest, _reach(text, pixel, edge.outward))
        label = NAMES[edge.axis] + (f" ({unit})" if unit else "")
        middle = (edge.start + edge.end) / 2
        name = _beside(middle, edge.outward, max(widest, 0.75 * em) + 0.5 * em, label, em)
        put(_moved_inside(name, size))
    return Axes(tuple(strokes), tuple(texts))


def draw(
    pen: ImageDraw.ImageDraw,
    axes: Axes,
    light: bool,
    color: tuple[float, float, float] | None = None,
) -> None:
    """Draw in a light or dark colour, or the one given; the triad in its own."""
    ink = ink_of(light, color)
    for stroke in axes.strokes:
        width = 1 if stroke.color is None else 2
        pen.line([stroke.start, stroke.end], fill=stroke.color or ink, width=width)
    write(pen, axes.texts, ink, light)


def outlines(camera: Camera, bounds: Bounds) -> list[Outline]:
    """For each axis, the edge for its ticks: of those between a face that is turned to the eye and
    one that is not, the lowest or leftmost. None for an axis without one, as from inside."""
    box = np.stack([np.asarray(b, np.float64) for b in bounds])  # (2, 3)
    eye = np.asarray(camera.position)
    (center,), _ = camera.project(box.mean(axis=0)[None])
    found = []
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        candidates: list[tuple[float, Outline]] = []
        for i, j in product((0, 1), repeat=2):
            turned = (_faces(eye, box, first, i), _faces(eye, box, second, j))
            if turned[0] == turned[1]:
                continue
            ends = box.copy()
            ends[:, first], ends[:, second] = box[i, first], box[j, second]
            pixels, depth = camera.project(ends)
            length = float(np.linalg.norm(pixels[1] - pixels[0]))
            if not (depth > 0).all() or not length > 0 or not np.isfinite(pixels).all():
                continue
            across = pixels[1] - pixels[0]
            outward = np.array([across[1], -across[0]]) / length
            middle = pixels.mean(axis=0)
            outward *= 1.0 if outward @ (middle - center) >= 0 else -1.0
            low = float(middle[1] - 0.3 * middle[0])
            candidates.append((low, Outline(axis, pixels[0], pixels[1], outward, ends)))
        if candidates:
            found.append(max(candidates, key=lambda one: one[0])[1])
    return found


def _faces(eye: Floats, box: Floats, axis: int, side: int) -> bool:
    """Whether this face of the box is turned to the eye."""
    return bool(eye[axis] < box[0, axis] if side == 0 else eye[axis] > box[1, axis])


def _triad(
    size: tuple[int, int], camera: Camera, em: float, taken: Sequence[Area]
) -> Iterator[tuple[Stroke, Text]]:
    """The directions of x, y and z, in the lower left corner above what is there; none where the
    view is along one of them, as the axes then show the other two."""
    right, up, forward = camera.basis()
    if np.abs(forward).max() > 0.999:
        return
    reach = 2.4 * em
    floor = min((top for left, top, _, bottom in taken if left < 6 * em and bottom > size[1] / 2),
                default=float(size[1]))  # fmt: skip
    center = np.array([1.4 * em + reach, floor - 1.4 * em - reach])
    for axis in np.argsort(-forward).tolist():  # the farthest first
        aside = np.array([right[axis], -up[axis]])
        tip = center + 0.75 * reach * aside
        stroke = Stroke(_point(center), _point(tip), COLORS[axis])
        at = center + (0.75 * reach + 0.55 * em) * aside / max(float(np.linalg.norm(aside)), 0.5)
        yield stroke, Text(NAMES[axis], _point(at), "mm", 0.85 * em)


def _beside(pixel: Floats, outward: Floats, gap: float, text: str, size: float) -> Text:
    """Text whose nearest side is `gap` pixels away from a pixel."""
    plain = Text(text, (0.0, 0.0), "mm", size)
    left, top, right, bottom = plain.area
    half = (abs(outward[0]) * (right - left) + abs(outward[1]) * (bottom - top)) / 2
    return Text(text, _point(pixel + (gap + half) * outward), "mm", size)


def _reach(text: Text, pixel: Floats, outward: Floats) -> float:
    """How far a text extends outward from a pixel."""
    left, top, right, bottom = text.area
    corners = np.array(list(product((left, right), (top, bottom))))
    return float(((corners - pixel) @ outward).max())


def _moved_inside(text: Text, size: tuple[int, int]) -> Text:
    """The text in the picture, if it is not wider than that."""
    left, top, right, bottom = text.area
    x = max(0.0, -left) - max(0.0, right - size[0])
    y = max(0.0, -top) - max(0.0, bottom - size[1])
    return replace(text, at=(text.at[0] + x, text.at[1] + y))


def _inside(area: Area, size: tuple[int, int]) -> bool:
    return area[0] >= 0 and area[1] >= 0 and area[2] <= size[0] and area[3] <= size[1]


def _overlap(a: Area, b: Area) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _around(stroke: Stroke) -> Area:
    (x0, y0), (x1, y1) = stroke.start, stroke.end
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _point(at: Floats) -> Point:
    return float(at[0]), float(at[1])
