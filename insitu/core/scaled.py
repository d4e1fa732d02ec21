"""Sums of squares of numbers whose squares double precision cannot hold.

In: errors. Out: their sum of squares in units of a power of four, so that errors of 1e-170 are not
exact and errors of 1e170 not infinite.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Powers of two beyond which squares, or sums of them, may overflow or vanish.
_PLAIN = 400


def exponent_of(size: float) -> int:
    """The power of two by which numbers up to `size` are divided before they are squared; 0 where
    that is not necessary."""
    if not 0 < size < math.inf:
        return 0
    exponent = math.frexp(size)[1]
    return exponent if abs(exponent) > _PLAIN else 0


def scaled(size: float, exponent: int) -> float:
    """size / 2**exponent; infinite where that overflows."""
    return float(np.ldexp(size, -exponent))


def leading_bits(value: float, bits: int) -> float:
    """A value >= 0 with so many bits behind the first one, towards zero."""
    if not math.isfinite(value):
        return value
    fraction, exponent = math.frexp(value)
    unit = 2.0 ** (bits + 1)
    return math.ldexp(math.floor(fraction * unit) / unit, exponent)


class ScaledSum(NamedTuple):
    """value * 4**exponent. Sums can be added; `exponent` is 0 unless the errors are extreme."""

    value: float = 0.0
    exponent: int = 0

    @staticmethod
    def of_squares(error: NDArray[Any]) -> ScaledSum:
        """The sum of the squares of errors, which may be infinite or NaN."""
        exponent = exponent_of(float(np.abs(error).max(initial=0.0)))
        if exponent:
            error = np.ldexp(error, -exponent)
        with np.errstate(over="ignore"):
            return ScaledSum(float(np.square(error).sum()), exponent)

    def __add__(self, other: ScaledSum) -> ScaledSum:  # type: ignore[override]
        if not self.value or not other.value:
            return self if self.value else other
        high = max(self.exponent, other.exponent)
        first, second = (scaled(s.value, 2 * (high - s.exponent)) for s in (self, other))
        return ScaledSum(first + second, high)
