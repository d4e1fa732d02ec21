"""Range coding of integers (with the `constriction` package).

In: arrays of integers near zero. Out: 32-bit words, and the decoded integers.

The model of an array starts as a two-sided geometric distribution of its mean magnitude and adapts
to the coded values: after 64 values, and then in intervals that grow by half, the counts so far
become the next model. Low bits without structure are coded uniformly. All numbers in a model come
from operations that IEEE 754 rounds exactly, so streams are portable between machines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.errors import FrameError

Ints = NDArray[np.int32]

LARGEST = 2**30
"""Largest magnitude that can be coded."""
_RADIUS = 2047  # largest magnitude of a modelled symbol
_MEAN = 12.0  # beyond this mean magnitude, low bits are coded uniformly
_PRIOR = 32.0  # weight of the initial distribution, in observed values
_FLOOR = 0.002  # fraction of it that is uniform over all symbols
_FIRST = 64
_LEAST = 2.0**-22  # minimum probability of a symbol; the coder's resolution is 2^-24 in float32


@dataclass(frozen=True)
class Shape:
    """What the decoder has to know about an array in advance."""

    shift: int
    """Number of low bits that are coded uniformly, 0..30."""
    radius: int
    """Largest magnitude of the remaining bits, 0..2047."""
    mean: int
    """Mean magnitude of the remaining bits, in sixteenths, 0..255."""

    @staticmethod
    def of(values: Ints) -> Shape:
        """The shape of values (n,) of magnitudes up to `LARGEST`."""
        mean = float(np.abs(values).mean(dtype=np.float64)) if len(values) else 0.0
        shift = max(0, int(np.ceil(np.log2(max(mean, 1e-9) / _MEAN))))
        while True:
            left = np.abs(values >> shift)
            radius = int(left.max(initial=0))
            if radius <= _RADIUS:
                break
            shift += 1
        mean = float(left.mean()) if len(values) else 0.0
        return Shape(shift, radius, min(round(16 * mean), 255))

    def check(self) -> None:
        """Raises FrameError where the shape is invalid."""
        if not (0 <= self.shift <= 30 and self.radius <= _RADIUS):
            raise FrameError(f"weights: no array has {self}")


class _Model:
    """The distribution of the next symbols -radius..radius."""

    def __init__(self, shape: Shape) -> None:
        mean = max(shape.mean, 1) / 16
        falling = np.full(shape.radius + 1, mean / (1 + mean))
        falling[0] = 1.0
        # accumulate multiplies sequentially; sums of integers are exact in any order
        side = np.floor(np.multiply.accumulate(falling) * 2.0**30)
        both = np.concatenate([side[:0:-1], side])
        spread = _FLOOR * both.sum() / len(both)
        self._weights = (both + spread) * (_PRIOR / both.sum())
        self._seen = _PRIOR
        self._radius = shape.radius

    def categorical(self) -> Any:
        import constriction

        # The probability of a symbol that has not occurred yet must not round to zero.
        weights = np.maximum(self._weights, self._seen * _LEAST).astype(np.float32)
        return constriction.stream.model.Categorical(weights, perfect=False)

    def learn(self, symbols: Ints) -> None:
        self._weights += np.bincount(symbols, minlength=len(self._weights))
        self._seen += len(symbols)


def _runs(n: int) -> Iterator[slice]:
    """0..n in runs of 64, 96, 144, ... values: a model is used longer the more data it has."""
    begin, length = 0, _FIRST
    while begin < n:
        yield slice(begin, min(begin + length, n))
        begin += length
        length += length // 2


def encode(arrays: list[tuple[Ints, Shape]]) -> bytes:
    """Arrays (n,), each with its `Shape.of` -> the stream."""
    import constriction

    coder = constriction.stream.queue.RangeEncoder()
    for values, shape in arrays:
        if shape.shift:
            low = (values & ((1 << shape.shift) - 1)).astype(np.int32)
            for part, bits in _uniform_parts(shape.shift):
                coder.encode((low >> part) & ((1 << bits) - 1), _uniform(bits))
        if shape.radius:
            model = _Model(shape)
            symbols = ((values >> shape.shift) + shape.radius).astype(np.int32)
            for run in _runs(len(symbols)):
                coder.encode(symbols[run], model.categorical())
                model.learn(symbols[run])
    return bytes(coder.get_compressed().astype("<u4").tobytes())


def decode(stream: bytes, arrays: list[tuple[int, Shape]]) -> list[Ints]:
    """Decode arrays of given lengths and shapes. Raises FrameError where the stream is invalid."""
    import constriction

    if len(stream) % 4:
        raise FrameError(f"weights: a range-coded stream of {len(stream)} bytes")
    coder = constriction.stream.queue.RangeDecoder(np.frombuffer(stream, "<u4").astype(np.uint32))
    decoded = []
    try:
        for n, shape in arrays:
            values = np.zeros(n, np.int32)
            if shape.shift and n:
                for part, bits in _uniform_parts(shape.shift):
                    values |= coder.decode(_uniform(bits), n) << part
            if shape.radius:
                model = _Model(shape)
                symbols = np.empty(n, np.int32)
                for run in _runs(n):
                    symbols[run] = coder.decode(model.categorical(), run.stop - run.start)
                    model.learn(symbols[run])
                values += (symbols - shape.radius) << shape.shift
            decoded.append(values)
    except AssertionError as error:  # raised by constriction for invalid streams
        raise FrameError(f"weights: {error}") from None
    return decoded


def _uniform_parts(shift: int) -> list[tuple[int, int]]:
    """(first bit, number of bits) of the pieces, at most 16 bits each, of the low bits."""
    return [(at, min(16, shift - at)) for at in range(0, shift, 16)]


def _uniform(bits: int) -> Any:
    import constriction

    return constriction.stream.model.Uniform(1 << bits)
