"""What an expression can be: the kinds, and the values that are not plain numbers.

In: numbers found by reductions and functions. Out: Extremum, Histogram, and what is undefined.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

AXES = ("x", "y", "z")

# What a part of an expression can be, as messages say it.
NUMBER, CONDITION, TEXT = "a number", "a condition", "a text"
EXTREMUM, VECTOR, ARRAY = "an extremum", "a vector", "an array"
HISTOGRAM, FIELD = "a histogram", "a field"

Vector: TypeAlias = tuple[float, float, float]
NOWHERE: Vector = (math.nan, math.nan, math.nan)


class NotYet(Exception):
    """The past that an expression reads is still too short."""


@dataclass(frozen=True)
class Extremum:
    """A least or greatest value, and where it is, in world coordinates x, y, z.

    Where several places have the same value it is the one with the least z, then y, then x. An
    element's place is its centre.
    """

    value: float
    position: Vector


@dataclass(frozen=True)
class Histogram:
    """Values of equally wide bins between two ends: counts, probabilities or their sums."""

    value: tuple[float, ...]
    """One per bin; none where the histogram is undefined."""
    min_val: float
    max_val: float

    @property
    def num_bins(self) -> int:
        return len(self.value)


Value: TypeAlias = float | bool | Extremum | Vector | tuple[float, ...] | Histogram


def number(value: Value) -> float:
    """The number that a value stands for: an extremum stands for its value."""
    if isinstance(value, tuple | Histogram):
        raise TypeError(f"{value} is not a number")
    return value.value if isinstance(value, Extremum) else float(value)


def array(value: Value) -> NDArray[np.float64]:
    """The numbers of an array, (n,)."""
    return np.asarray(value, np.float64)


def undefined(kind: str) -> Value:
    """What a query of this kind is as long as its past is too short: NaN, false, or empty."""
    if kind == EXTREMUM:
        return Extremum(math.nan, NOWHERE)
    if kind == VECTOR:
        return NOWHERE
    if kind == ARRAY:
        return ()
    if kind == HISTOGRAM:
        return Histogram((), math.nan, math.nan)
    return False if kind == CONDITION else math.nan
