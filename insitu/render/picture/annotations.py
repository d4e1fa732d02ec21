"""Text and colour bars on a picture: layout and drawing.

In: the picture's size, texts and colour bars. Out: positions that do not overlap; the drawing.
Pillow, which draws anti-aliased text, is imported only where it is used.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from insitu.render.colors.transfer_function import TransferFunction

if TYPE_CHECKING:
    from PIL import ImageDraw

Area = tuple[float, float, float, float]  # left, top, right, bottom, pixels
Ink = tuple[int, int, int, int]  # RGBA, 0..255


@dataclass(frozen=True)
class Text:
    """One line of text. anchor: Pillow's two-letter code for the point that is placed at `at`."""

    text: str
    at: tuple[float, float]
    anchor: str
    size: float

    @property
    def area(self) -> Area:
        """The area that it covers, including the outline."""
        from PIL import ImageFont

        font = ImageFont.load_default(self.size)
        left, top, right, bottom = font.getbbox(
            self.text, anchor=self.anchor, stroke_width=_stroke(self.size)
        )
        x, y = self.at
        return x + left, y + top, x + right, y + bottom


@dataclass(frozen=True)
class Bar:
    """A colour bar, with the lowest value at the bottom."""

    area: Area
    function: TransferFunction


@dataclass(frozen=True)
class Annotations:
    """All annotations of a picture. marks: y of each tick, and its colour bar."""

    texts: tuple[Text, ...]
    bars: tuple[Bar, ...]
    marks: tuple[tuple[float, Bar], ...]

    @property
    def areas(self) -> list[Area]:
        """What is covered."""
        return [*(text.area for text in self.texts), *(bar.area for bar in self.bars)]


def arrange(
    size: tuple[int, int],
    title: str,
    caption: str,
    bars: Sequence[tuple[str, TransferFunction]],
) -> Annotations:
    """Non-overlapping layout for a picture of `size` (width, height), pixels.

    Bars share the height between title and caption; those that do not fit are left out.
    """
    width, height = size
    em = text_size(size)
    margin = round(1.4 * em)
    texts: list[Text] = []
    top, bottom = float(margin), float(height - margin)
    if title:
        text, fitted = _fit(title, 1.25 * em, width - 2 * margin)
        texts.append(Text(text, (margin, margin), "la", fitted))
        top += 2.2 * em
    if caption:
        text, fitted = _fit(caption, em, width - 2 * margin)
        texts.append(Text(text, (margin, height - margin), "ld", fitted))
        bottom -= 2.0 * em
    head, gap, shortest = 2.2 * em, 1.2 * em, 4.0 * em
    n = min(len(bars), int((bottom - top + gap) // (head + shortest + gap)))
    placed: list[Bar] = []
    marks: list[tuple[float, Bar]] = []
    if n:
        length = min(0.42 * height, (bottom - top + gap) / n - head - gap)
        y0 = (top + bottom - n * (head + length + gap) + gap) / 2 + head
        for label, function in bars[:n]:
            bar = Bar((width - margin - round(0.9 * em), y0, width - margin, y0 + length), function)
            placed.append(bar)
            _label(bar, label, em, width, texts)
            _ticks(bar, em, width, texts, marks)
            y0 += length + gap + head
    return Annotations(tuple(texts), tuple(placed), tuple(marks))


def text_size(size: tuple[int, int]) -> float:
    """Pixels of normal text on a picture of `size` (width, height)."""
    return max(11.0, min(size) / 42)


def ink_of(light: bool, color: tuple[float, float, float] | None = None) -> Ink:
    """RGBA in 0..255 of a light or a dark ink, or of the colour given (channels in 0..1)."""
    if color is not None:
        red, green, blue = (round(255 * channel) for channel in color)
        return red, green, blue, 255
    return (240, 242, 245, 255) if light else (25, 28, 33, 255)


def draw(
    pen: ImageDraw.ImageDraw,
    annotations: Annotations,
    light: bool,
    color: tuple[float, float, float] | None = None,
) -> None:
    """Draw in a light or dark colour, or the one given, with a contrasting outline."""
    ink = ink_of(light, color)
    for bar in annotations.bars:
        x0, y0, x1, y1 = (round(v) for v in bar.area)
        lo, hi = bar.function.domain
        colors = bar.function(np.linspace(hi, lo, max(2, y1 - y0)))[:, :3]
        for row, color in enumerate((colors * 255 + 0.5).astype(int).tolist()):
            pen.line([(x0, y0 + row), (x1, y0 + row)], fill=(*color, 255))
        pen.rectangle([x0 - 1, y0 - 1, x1 + 1, y1], outline=ink)
    for y, bar in annotations.marks:
        x = round(bar.area[0])
        pen.line([(x - 1 - (bar.area[2] - x) * 0.35, y), (x - 1, y)], fill=ink)
    write(pen, annotations.texts, ink, light)


def write(pen: ImageDraw.ImageDraw, texts: Sequence[Text], ink: Ink, light: bool) -> None:
    """Draw texts in an ink with an outline that contrasts with it."""
    from PIL import ImageFont

    edge = (10, 12, 15, 160) if light else (255, 255, 255, 190)
    for text in texts:
        font = ImageFont.load_default(text.size)
        stroke = _stroke(text.size)
        pen.text(text.at, text.text, ink, font, text.anchor, stroke_width=stroke, stroke_fill=edge)
        pen.text(text.at, text.text, ink, font, text.anchor)


def ticks(lo: float, hi: float, at_most: int = 6) -> list[float]:
    """Round values (1, 2 or 5 times a power of ten apart) within lo..hi.

    The two ends if fewer than two round values fit; only lo if the range is empty.
    """
    span = hi - lo
    if not span > sys.float_info.min or not math.isfinite(span):  # effectively a single value
        return [lo]
    power = 10.0 ** math.floor(math.log10(span / at_most))
    step = next(m * power for m in (1, 2, 5, 10, 20) if span / (m * power) <= at_most)
    first = math.ceil(lo / step - 1e-9)
    values = [i * step for i in range(first, math.floor(hi / step + 1e-9) + 1)]
    return values if len(values) >= 2 else [lo, hi]


def decades(lo: float, hi: float, at_most: int = 6) -> list[float]:
    """Decimal logarithms, within lo..hi, of powers of ten, or of their 1, 2 and 5 times where these
    are few; the two ends if fewer than two fit."""
    first, last = math.ceil(lo - 1e-9), math.floor(hi + 1e-9)
    every = max(1, math.ceil((last - first + 1) / at_most))
    powers = [float(e) for e in range(first, last + 1, every)]
    if len(powers) >= 3:
        return powers
    finer = [e + math.log10(m) for e in range(first - 1, last + 1) for m in (1, 2, 5)]
    finer = [v for v in finer if lo - 1e-9 <= v <= hi + 1e-9]
    if 2 <= len(finer) <= at_most:
        return finer
    if len(powers) >= 2:
        return powers
    return [lo, hi] if hi > lo else [lo]


def tick_labels(values: Sequence[float]) -> list[str]:
    """Labels with just enough digits to distinguish neighbouring ticks."""
    gaps = [abs(b - a) for a, b in pairwise(values)]
    largest = max((abs(v) for v in values), default=0.0)
    digits = 4
    if gaps and min(gaps) > 0 and largest > 0:
        digits = max(1, math.ceil(math.log10(largest / min(gaps)) - 1e-9) + 1)
    return [f"{v if abs(v) > 1e-12 * largest else 0.0:.{min(digits, 12)}g}" for v in values]


def _label(bar: Bar, label: str, em: float, width: int, texts: list[Text]) -> None:
    if label:
        text, size = _fit(label, em, 0.45 * width)
        texts.append(Text(text, (bar.area[2], bar.area[1] - 0.8 * em), "rd", size))


def _ticks(
    bar: Bar, em: float, width: int, texts: list[Text], marks: list[tuple[float, Bar]]
) -> None:
    """Add as many ticks as fit the height, and at least two."""
    x0, y0, _, y1 = bar.area
    lo, hi = bar.function.domain
    n = max(2, min(6, int((y1 - y0) / (1.8 * em))))
    values = decades(lo, hi, n) if bar.function.log else ticks(lo, hi, n)
    labels = [f"{10**v:.4g}" for v in values] if bar.function.log else tick_labels(values)
    for value, text in zip(values, labels, strict=True):
        y = y0 + (y1 - y0 - 1) * (1 - ((value - lo) / (hi - lo) if hi > lo else 0.0))
        marks.append((y, bar))
        fitted, size = _fit(text, 0.85 * em, 0.4 * width)
        texts.append(Text(fitted, (x0 - 0.6 * em, y), "rm", size))


def _fit(text: str, size: float, room: float) -> tuple[str, float]:
    """Text and font size such that it is no wider than `room`: shrunk first, then truncated."""
    from PIL import ImageFont

    def width(line: str, at: float) -> float:
        return ImageFont.load_default(at).getlength(line) + 2 * _stroke(at)

    smallest = max(9.0, 0.7 * size)
    if width(text, size) > room:
        size = max(smallest, size * room / width(text, size))
    if width(text, size) <= room:
        return text, size
    kept = text
    while kept and width(kept + "...", size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "...", size


def _stroke(size: float) -> int:
    return max(1, round(size / 14))
