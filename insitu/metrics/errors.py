"""Pointwise errors: the maximum, and sums that can be combined over parts.

In: decoded values and the truth. Out: ErrorSums, which add up over blocks and ranks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from insitu.metrics.psnr import psnr_db
from insitu.metrics.scaled import ScaledSum, scaled


@dataclass(frozen=True)
class ErrorSums:
    """Error statistics of some samples; `a + b` are those of both together."""

    n: int = 0
    """Number of samples whose truth is finite; only these are included below."""
    sum_of_squares: float = 0.0
    """Sum of squared errors, in the data's units squared, times 4**exponent."""
    max_error: float = 0.0
    """Largest absolute error, in the data's units; NaN where a decoded value is not finite."""
    low: float = math.inf
    """Smallest finite true value."""
    high: float = -math.inf
    exponent: int = 0
    """0 unless the errors are so small or large that their squares cannot be represented."""

    @staticmethod
    def of(decoded: ArrayLike, truth: ArrayLike) -> ErrorSums:
        """The sums of arrays of the same shape. Raises ValueError where the shapes differ."""
        given, true = np.asarray(decoded, np.float64), np.asarray(truth, np.float64)
        if given.shape != true.shape:
            raise ValueError(f"shapes {given.shape} of decoded and {true.shape} of truth differ")
        finite = np.isfinite(true)
        if not finite.all():
            given, true = given[finite], true[finite]
        if not true.size:
            return ErrorSums()
        error = given - true
        squares = ScaledSum.of_squares(error)
        return ErrorSums(
            n=true.size,
            sum_of_squares=squares.value,
            exponent=squares.exponent,
            max_error=float(np.abs(error).max()),
            low=float(true.min()),
            high=float(true.max()),
        )

    def __add__(self, other: ErrorSums) -> ErrorSums:
        squares = self._squares + other._squares
        return ErrorSums(
            n=self.n + other.n,
            sum_of_squares=squares.value,
            exponent=squares.exponent,
            max_error=float(np.maximum(self.max_error, other.max_error)),  # keeps NaN
            low=min(self.low, other.low),
            high=max(self.high, other.high),
        )

    @property
    def _squares(self) -> ScaledSum:
        return ScaledSum(self.sum_of_squares, self.exponent)

    @property
    def mean_squared_error(self) -> float:
        """Mean squared error; NaN without samples; 0 or infinite where it cannot be represented."""
        return scaled(self._mean, -2 * self.exponent)

    @property
    def root_mean_square(self) -> float:
        return scaled(math.sqrt(self._mean), -self.exponent)

    @property
    def _mean(self) -> float:
        return self.sum_of_squares / self.n if self.n else math.nan

    @property
    def psnr_db(self) -> float:
        """PSNR relative to the range of the truth, in dB."""
        return psnr_db(self._mean, scaled(self.high - self.low, self.exponent))


def max_error(decoded: ArrayLike, truth: ArrayLike) -> float:
    """Largest absolute error, in the data's units, over the samples whose truth is finite.

    NaN where a decoded value there is not finite. Raises ValueError where the shapes differ or no
    true value is finite.
    """
    sums = ErrorSums.of(decoded, truth)
    if not sums.n:
        raise ValueError("max_error: no finite value to compare with")
    return sums.max_error
