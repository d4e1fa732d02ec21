"""Range coding of integers, compiled; by `insitu.codecs.entropy_reference` where that is not built.

In: arrays of integers near zero. Out: 32-bit words, and the decoded integers.

The model of an array starts as a two-sided geometric distribution of its mean magnitude and adapts
to the coded values: after 64 values, and then in intervals that grow by half, the counts so far
become the next model. Low bits without structure are coded uniformly. All numbers in a model come
from operations that IEEE 754 rounds exactly, so streams are portable between machines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.errors import FrameError

if TYPE_CHECKING:
    from insitu.codecs import _range_coder as _coder
else:
    try:
        from insitu.codecs import _range_coder as _coder
    except ImportError:
        from insitu.codecs import entropy_reference as _coder

Ints = NDArray[np.int32]

LARGEST = 2**30
"""Largest magnitude that can be coded."""
_RADIUS = 2047  # largest magnitude of a modelled symbol


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
        return Shape(*_coder.shape_of(values))

    def check(self) -> None:
        """Raises FrameError where the shape is invalid."""
        if not (0 <= self.shift <= 30 and self.radius <= _RADIUS):
            raise FrameError(f"weights: no array has {self}")


def bits(values: Ints) -> float:
    """Size of values (n,) in bits, by the entropy of their histogram."""
    return _coder.bits(values)


def encode(arrays: list[tuple[Ints, Shape]]) -> bytes:
    """Arrays (n,), each with its `Shape.of` -> the stream."""
    return _coder.encode([(values, s.shift, s.radius, s.mean) for values, s in arrays])


def decode(stream: bytes, arrays: list[tuple[int, Shape]]) -> list[Ints]:
    """Decode arrays of given lengths and shapes. Raises FrameError where the stream is invalid."""
    if len(stream) % 4:
        raise FrameError(f"weights: a range-coded stream of {len(stream)} bytes")
    try:
        return _coder.decode(stream, [(n, s.shift, s.radius, s.mean) for n, s in arrays])
    except ValueError as error:
        raise FrameError(f"weights: {error}") from None
