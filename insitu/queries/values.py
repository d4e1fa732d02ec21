"""Kinds of expressions, and values that are not plain numbers.

In: results of reductions and functions. Out: Extremum, Histogram, and undefined values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

AXES = ("x", "y", "z")

# Kinds of expressions, as error messages name them.
NUMBER, CONDITION, TEXT = "a number", "a condition", "a text"
EXTREMUM, VECTOR, ARRAY = "an extremum", "a vector", "an array"
HISTOGRAM, FIELD = "a histogram", "a field"

Vector: TypeAlias = tuple[float, float, float]
NOWHERE: Vector = (math.nan, math.nan, math.nan)


class NotYet(Exception):
    """The history that an expression reads is still too short."""


@dataclass(frozen=True)
class Extremum:
    """A minimum or maximum and its position, in world coordinates x, y, z.

    If several positions have the same value, the one with the smallest z, then y, then x. The
    position of an element is its centre.
    """

    value: float
    position: Vector


@dataclass(frozen=True)
class Histogram:
    """Values of bins of equal width over a range: counts, probabilities or cumulative sums."""

    value: tuple[float, ...]
    """One value per bin; none if the histogram is undefined."""
    min_val: float
    max_val: float

    @property
    def num_bins(self) -> int:
        return len(self.value)


Value: TypeAlias = float | bool | Extremum | Vector | tuple[float, ...] | Histogram


def number(value: Value) -> float:
    """A value as a number; for an extremum, its value."""
    if isinstance(value, tuple | Histogram):
        raise TypeError(f"{value} is not a number")
    return value.value if isinstance(value, Extremum) else float(value)


def array(value: Value) -> NDArray[np.float64]:
    """The numbers of an array, (n,)."""
    return np.asarray(value, np.float64)


def undefined(kind: str) -> Value:
    """The result of a query of this kind while its history is too short: NaN, false, or empty."""
    if kind == EXTREMUM:
        return Extremum(math.nan, NOWHERE)
    if kind == VECTOR:
        return NOWHERE
    if kind == ARRAY:
        return ()
    if kind == HISTOGRAM:
        return Histogram((), math.nan, math.nan)
    return False if kind == CONDITION else math.nan
