"""Fragments, the non-empty pixels of a range of a picture: blending and message encoding.

In: layers, or bytes from another rank. Out: fragments; bytes.

A picture's pixels are numbered (`Canvas`), and only active ones are stored, sent and blended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from insitu.core.errors import nearest
from insitu.render.volume.march import Layer

# float16 has 11 significant bits, so a value in 0..1 is rounded by at most 1/4096 per round. With
# log2(ranks) rounds the error of a picture stays below 1/255 up to thousands of ranks.
PRECISIONS: dict[str, np.dtype[Any]] = {
    "float16": np.dtype(np.float16),
    "float32": np.dtype(np.float32),
}
_COUNT = np.dtype(np.uint32)


@dataclass(frozen=True)
class Fragment:
    """Active pixels. index: their numbers (n,) int64, increasing. rgba: premultiplied (n, 4)."""

    index: np.ndarray
    rgba: np.ndarray

    @staticmethod
    def empty() -> Fragment:
        return Fragment(np.empty(0, np.int64), np.empty((0, 4), np.float32))

    def __len__(self) -> int:
        return len(self.index)

    def within(self, begin: int, end: int) -> Fragment:
        """The pixels numbered [begin, end); views."""
        first, last = np.searchsorted(self.index, (begin, end))
        return Fragment(self.index[first:last], self.rgba[first:last])


def over(front: np.ndarray, back: np.ndarray) -> None:
    """Blend `back` (..., 4) behind `front` (..., 4), in place; both premultiplied."""
    front += (1 - front[..., 3:]) * back


def blend(fragments: Sequence[Fragment], begin: int, end: int) -> Fragment:
    """Blend fragments of the pixels [begin, end), given front to back, into one."""
    fragments = [fragment for fragment in fragments if len(fragment)]
    if len(fragments) < 2:
        return fragments[0] if fragments else Fragment.empty()
    active = np.zeros(end - begin, dtype=bool)
    for fragment in fragments:
        active[fragment.index - begin] = True
    index = np.flatnonzero(active) + begin
    rgba = np.zeros((len(index), 4), dtype=np.float32)
    for fragment in fragments:
        if len(fragment) == len(index):
            over(rgba, fragment.rgba)
            continue
        at = np.searchsorted(index, fragment.index)
        front = _taken(rgba, at)
        over(front, fragment.rgba)
        rgba[at] = front
    return Fragment(index, rgba)


def precision_of(name: str) -> np.dtype[Any]:
    """The dtype with that name; ValueError listing the valid names."""
    if name not in PRECISIONS:
        raise ValueError(
            f"compositing: precision '{name}' is unknown{nearest(name, PRECISIONS)}"
            f" (known: {', '.join(PRECISIONS)})"
        )
    return PRECISIONS[name]


def encode(fragments: Sequence[Fragment], begin: int, precision: np.dtype) -> np.ndarray:
    """Encode fragments of pixels from `begin` on as uint8 (n,).

    For each fragment: the number of runs; for each run the number of pixels skipped before it and
    its length, all uint32; then the RGBA of the pixels.
    """
    parts: list[np.ndarray] = []
    for fragment in fragments:
        starts, lengths = _runs(fragment.index)
        ends = np.concatenate(([begin], starts[:-1] + lengths[:-1])) if len(starts) else starts
        runs = np.stack((starts - ends, lengths), axis=1).astype(_COUNT)
        parts.append(np.array([len(runs)], _COUNT).view(np.uint8))
        parts.append(runs.ravel().view(np.uint8))
        parts.append(fragment.rgba.astype(precision).ravel().view(np.uint8))
    return np.concatenate(parts) if parts else np.empty(0, np.uint8)


def decode(message: np.ndarray, begin: int, count: int, precision: np.dtype) -> list[Fragment]:
    """Decode the `count` fragments of a message made by `encode`."""
    fragments = []
    at = 0
    for _ in range(count):
        n_runs = int(np.frombuffer(message, _COUNT, 1, at)[0])
        at += _COUNT.itemsize
        runs = np.frombuffer(message, _COUNT, 2 * n_runs, at).reshape(-1, 2).astype(np.int64)
        at += 2 * n_runs * _COUNT.itemsize
        gaps, lengths = runs[:, 0], runs[:, 1]
        n = int(lengths.sum())
        index = np.arange(n) + np.repeat(begin + np.cumsum(gaps), lengths)
        rgba = np.frombuffer(message, precision, 4 * n, at).reshape(n, 4).astype(np.float32)
        at += 4 * n * precision.itemsize
        fragments.append(Fragment(index, rgba))
    return fragments


def _taken(rgba: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Pixels (n, 4) at flat positions; taken as complex128 (16 bytes), three times as fast."""
    pixels = np.ascontiguousarray(rgba, dtype=np.float32).reshape(-1, 4).view(np.complex128)
    return pixels[:, 0].take(at).view(np.float32).reshape(-1, 4)


def _runs(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First number and length of each run of consecutive numbers."""
    if not len(index):
        return index, index
    first = np.concatenate(([0], np.flatnonzero(np.diff(index) != 1) + 1))
    return index[first], np.diff(np.append(first, len(index)))


class Canvas:
    """The numbering of a picture's pixels and of their samples.

    Rows are numbered in bit-reversed order, so that any range of numbers has rows from all over
    the picture, which balances the load between ranks for any content. The `supersampling`^2
    samples of a pixel have consecutive numbers, and ranges never split a pixel.
    """

    def __init__(self, width: int, height: int, supersampling: int = 1) -> None:
        self.width, self.height, self.supersampling = width, height, supersampling
        bits = max(1, (height - 1).bit_length())
        rows = np.arange(height)
        reverse = sum(((rows >> i) & 1) << (bits - 1 - i) for i in range(bits))
        self.rows = np.argsort(reverse)  # in the order of their numbers
        self.place = np.empty(height, np.int64)
        self.place[self.rows] = rows

    @property
    def n_pixels(self) -> int:
        return self.width * self.height

    @property
    def samples(self) -> int:
        """Number of samples per pixel."""
        return self.supersampling**2

    def fragment(self, layer: Layer) -> Fragment:
        """The active pixels of a layer, which are the samples of the picture."""
        s = self.supersampling
        y0, y1, x0, x1 = layer.rectangle
        top, left = y0 // s, x0 // s  # in pixels
        rows, columns = -(-y1 // s) - top, -(-x1 // s) - left
        active = layer.rgba[..., 3] > 0
        if s > 1:  # pad to whole pixels, and make the samples of each pixel consecutive
            padding = (
                (y0 - top * s, (top + rows) * s - y1),
                (x0 - left * s, (left + columns) * s - x1),
            )
            active = np.pad(active, padding).reshape(rows, s, columns, s)
            active = active.transpose(0, 2, 1, 3).reshape(rows, columns * s * s)
        order = np.argsort(self.place[top : top + rows])
        row, column = np.divmod(np.flatnonzero(active[order]), active.shape[1])
        index = (self.place[top + order[row]] * self.width + left) * s * s + column
        y = order[row] * s + column % (s * s) // s + top * s - y0
        x = column // (s * s) * s + column % s + left * s - x0
        return Fragment(index, _taken(layer.rgba, y * (x1 - x0) + x))

    def pixels(self, fragment: Fragment) -> Fragment:
        """Average the samples of each pixel that has an active sample."""
        if self.samples == 1 or not len(fragment):
            return fragment
        pixel = fragment.index // self.samples
        first = np.flatnonzero(np.diff(pixel, prepend=-1))
        total = np.add.reduceat(fragment.rgba, first, axis=0)
        return Fragment(pixel[first], total / np.float32(self.samples))

    def draw(self, fragment: Fragment, image: np.ndarray) -> None:
        """Write the pixels to a picture (height, width, 4)."""
        image[self.rows[fragment.index // self.width], fragment.index % self.width] = fragment.rgba
