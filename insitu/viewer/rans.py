"""Entropy coding of integers near zero for the page: asymmetric numeral systems.

In: arrays of integers, in order. Out: bytes, which `page/rans.js` reads.

A range variant of asymmetric numeral systems (Duda 2013, arXiv:1311.2540) with a state of 32 bits.
Arrays of like mean magnitude share a distribution: a two-sided geometric one at first, then that of
the numbers seen. Low bits of large numbers are coded uniformly. All numbers in a distribution come
from operations that IEEE 754 rounds exactly, so that Python and JavaScript agree.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_BITS = 14  # resolution of probabilities
_LEAST = 1 << 16  # of the state
_WORD = 16  # bits that are written at once
_PRIOR = 32.0  # weight of the first distribution, in numbers seen
_FIRST = 32  # numbers until a distribution is renewed the first time
_MOST_MEAN = 12.0
_GROWTH = 1.25
_MEANS = [0.03125]
while _MEANS[-1] < _MOST_MEAN:
    _MEANS.append(_GROWTH * _MEANS[-1])
ZERO = 31  # instead of a class: all numbers are 0
LARGEST = 2**23 - 1
"""Largest magnitude that can be coded."""


class _Distribution:
    """Of the numbers in arrays of one class: -radius..radius, and 2 radius + 1 for all others."""

    def __init__(self, kind: int) -> None:
        mean = _MEANS[kind]
        self.radius = int(9 * mean) + 4
        falling = np.full(self.radius + 1, mean / (1 + mean))
        falling[0] = 1.0
        side = np.multiply.accumulate(falling)
        weights = np.concatenate([side[:0:-1], side, side[-1:]])
        self._weights = weights * (_PRIOR / _sum(weights))
        self._seen, self._next = 0, _FIRST
        self._renew()

    def _renew(self) -> None:
        n = len(self._weights)
        scale = ((1 << _BITS) - n) / _sum(self._weights)
        self.widths = 1 + np.floor(self._weights * scale).astype(np.int64)
        self.widths[self.radius] += (1 << _BITS) - self.widths.sum()
        self.starts = np.cumsum(self.widths) - self.widths

    def code(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Starts and widths of symbols in the distribution, which learns them."""
        starts, widths = np.empty_like(symbols), np.empty_like(symbols)
        at = 0
        while at < len(symbols):
            part = slice(at, min(len(symbols), at + self._next - self._seen))
            chosen = symbols[part]
            starts[part], widths[part] = self.starts[chosen], self.widths[chosen]
            self._weights += np.bincount(chosen, minlength=len(self._weights))
            self._seen += len(chosen)
            at = part.stop
            if self._seen == self._next:
                self._next += self._next >> 1
                self._renew()
        return starts, widths


class Encoder:
    """Collects numbers; the bytes are made at the end, from the last number to the first."""

    def __init__(self) -> None:
        self._starts: list[Ints] = []
        self._widths: list[Ints] = []
        self._classes: dict[int, _Distribution] = {}

    def uniform(self, numbers: Ints, bits: int) -> None:
        """Numbers of so many bits, at most 14, without further structure."""
        self._starts.append(numbers << (_BITS - bits))
        self._widths.append(np.full_like(numbers, 1 << (_BITS - bits)))

    def array(self, numbers: Ints) -> None:
        """Numbers (n,) of magnitudes up to `LARGEST`."""
        kind, shift = _shape(numbers)
        self.uniform(np.array([kind, shift]), 5)
        if kind == ZERO:
            return
        low = numbers & ((1 << shift) - 1)
        for first in range(0, shift, 8):
            self.uniform(low >> first & 255, min(8, shift - first))
        found = self._classes.setdefault(kind, _Distribution(kind))
        high = numbers >> shift
        outside = np.abs(high) > found.radius
        starts, widths = found.code(np.where(outside, 2 * found.radius + 1, high + found.radius))
        self._starts.append(starts)
        self._widths.append(widths)
        rest = high[outside] + (1 << 23)  # after all others, so that these stay in one piece
        for first in (0, 8, 16):
            self.uniform(rest >> first & 255, 8)

    def bytes(self) -> bytes:
        """All that was collected."""
        state, words = _LEAST, list[int]()
        starts = np.concatenate([*self._starts, np.zeros(0, np.int64)])
        widths = np.concatenate([*self._widths, np.zeros(0, np.int64)])
        for start, width in zip(starts[::-1].tolist(), widths[::-1].tolist(), strict=True):
            if state >= width << (2 * _WORD - _BITS):
                words.append(state & 0xFFFF)
                state >>= _WORD
            quotient, rest = divmod(state, width)
            state = (quotient << _BITS) + rest + start
        words += [state & 0xFFFF, state >> _WORD]
        return np.array(words[::-1], "<u2").tobytes()


def _shape(numbers: Ints) -> tuple[int, int]:
    """The class of an array, by its mean magnitude, and the number of low bits."""
    mean = float(np.abs(numbers).mean()) if numbers.size else 0.0
    if mean == 0:
        return ZERO, 0
    shift = max(0, math.ceil(math.log2(mean / _MOST_MEAN)))
    kind = round(math.log(mean / 2**shift / _MEANS[0]) / math.log(_GROWTH))
    return min(max(kind, 0), len(_MEANS) - 1), shift


def _sum(values: NDArray[np.float64]) -> float:
    return float(np.add.accumulate(values)[-1])  # in order, as a loop adds
