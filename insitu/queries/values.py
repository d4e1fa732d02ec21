"""Kinds of expressions, and values that are not plain numbers.

In: results of reductions and functions. Out: Extremum, Histogram, Binning and others, and undefined
values.
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
BINNING, BIN, BOX, LINEOUT = "a binning", "a bin", "a box", "a lineout"
# Of arguments, which are no results.
AXIS, LIST, MESH = "an axis", "a list", "a mesh"
CELLS, VERTICES = "the cells of a mesh", "the vertices of a mesh"

Vector: TypeAlias = tuple[float, float, float]
NOWHERE: Vector = (math.nan, math.nan, math.nan)


class NotYet(Exception):
    """The history that an expression reads is still too short."""


@dataclass(frozen=True)
class FieldKind:
    """Kind of a field that a simulation publishes."""

    association: str
    """ "element" or "vertex"."""
    n_components: int


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


@dataclass(frozen=True)
class BinAxis:
    """The bins along an axis of a binning: those between edges, or `num_bins` of equal width."""

    name: str
    """A field, or x, y or z."""
    edges: tuple[float, ...]
    """Increasing; inclusive below, exclusive above."""
    uniform: bool = False
    clamp: bool = False
    """Whether values beyond the ends are in the first and the last bin."""

    @property
    def num_bins(self) -> int:
        return len(self.edges) - 1

    @property
    def min_val(self) -> float:
        return self.edges[0]

    @property
    def max_val(self) -> float:
        return self.edges[-1]


@dataclass(frozen=True)
class Bin:
    """One bin of a binning: its value, and where it is on its axis."""

    value: float
    min: float
    max: float
    center: float


@dataclass(frozen=True)
class Binning:
    """A variable reduced in the bins of one or more axes."""

    value: tuple[float, ...]
    """One per bin, the first axis fastest; none if the binning is undefined."""
    reduction_var: str
    reduction_op: str
    axes: tuple[BinAxis, ...]

    @property
    def num_bins(self) -> int:
        return len(self.value)


@dataclass(frozen=True)
class Box:
    """The corners of a box, x, y, z."""

    min: Vector
    max: Vector


@dataclass(frozen=True)
class Lineout:
    """Fields at evenly spaced points of a line."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    z: tuple[float, ...]
    vars: tuple[tuple[str, tuple[float, ...]], ...]
    """Name and values of each field."""
    empty_value: float
    """The value of points outside of the mesh."""

    @property
    def samples(self) -> int:
        return len(self.x)

    @property
    def value(self) -> tuple[float, ...]:
        """Of the first field."""
        return self.vars[0][1] if self.vars else ()


Structured: TypeAlias = Histogram | Binning | Bin | Box | Lineout
Value: TypeAlias = float | bool | Extremum | Vector | tuple[float, ...] | Structured


def number(value: Value) -> float:
    """A value as a number; for an extremum, its value."""
    if isinstance(value, tuple | Structured):
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
    if kind == BINNING:
        return Binning((), "", "", ())
    if kind == BIN:
        return Bin(*(math.nan,) * 4)
    if kind == BOX:
        return Box(NOWHERE, NOWHERE)
    if kind == LINEOUT:
        return Lineout((), (), (), (), math.nan)
    return False if kind == CONDITION else math.nan
