"""Scalar expression nodes: nodes with one value for the whole domain.

In: the reductions of a step and the earlier results of the queries. Out: values, on rank 0.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from insitu.queries import binnings, histograms
from insitu.queries.ast_nodes import Node
from insitu.queries.values import (
    AXES,
    Box,
    Extremum,
    Lineout,
    NotYet,
    Structured,
    Value,
    Vector,
    array,
    number,
)


@dataclass(frozen=True)
class Result:
    """The result of a query at a step."""

    cycle: int
    time: float
    value: Value


@dataclass
class Context:
    """The data available to scalar nodes at a step."""

    cycle: int
    time: float
    """Simulation time, in the simulation's unit."""
    past: Mapping[str, Sequence[Result]]
    """The results of each query at earlier steps, oldest first."""
    queries: Mapping[str, tuple[Scalar, Value]]
    """Each query's expression, and its result while its history is too short."""
    reductions: dict[Reduction, Value] = field(default_factory=dict)
    """Reductions over all ranks; those that need an unavailable earlier step are missing."""
    _present: dict[str, Value] = field(default_factory=dict)

    def query(self, name: str) -> Value:
        """The result of a query at this step."""
        if name not in self._present:
            root, otherwise = self.queries[name]
            try:
                self._present[name] = root.value(self)
            except NotYet:
                self._present[name] = otherwise
        return self._present[name]

    def results(self, name: str) -> list[Result]:
        """All results of a query, ending with this step's."""
        return [*self.past[name], Result(self.cycle, self.time, self.query(name))]


class Scalar(Node):
    """An expression node that has one value."""

    def value(self, context: Context) -> Value:
        """The value in `context`. Raises: NotYet."""
        raise NotImplementedError


@dataclass(frozen=True)
class Constant(Scalar):
    constant: float | bool

    def value(self, context: Context) -> Value:
        return self.constant


@dataclass(frozen=True)
class State(Scalar):
    """cycle() and time()"""

    name: str

    def value(self, context: Context) -> Value:
        return float(context.cycle if self.name == "cycle" else context.time)


@dataclass(frozen=True)
class Query(Scalar):
    """The result of a query at this step."""

    name: str

    def value(self, context: Context) -> Value:
        return context.query(self.name)


@dataclass(frozen=True)
class Arithmetic(Scalar):
    """A function of numbers, with IEEE arithmetic: 1 / 0 is infinite and 0 / 0 is NaN."""

    function: str
    arguments: tuple[Scalar, ...]

    def value(self, context: Context) -> Value:
        numbers = (np.float64(number(a.value(context))) for a in self.arguments)
        with np.errstate(all="ignore"):
            return float(ARITHMETIC[self.function](*numbers))


@dataclass(frozen=True)
class Comparison(Scalar):
    relation: str
    left: Scalar
    right: Scalar

    def value(self, context: Context) -> Value:
        left, right = number(self.left.value(context)), number(self.right.value(context))
        return bool(COMPARISONS[self.relation](left, right))


@dataclass(frozen=True)
class Logic(Scalar):
    function: str
    arguments: tuple[Scalar, ...]

    def value(self, context: Context) -> Value:
        if self.function == "not":
            return not self.arguments[0].value(context)
        join = all if self.function == "and" else any
        return join(bool(a.value(context)) for a in self.arguments)


@dataclass(frozen=True)
class Attribute(Scalar):
    holder: Scalar
    name: str

    def value(self, context: Context) -> Value:
        holder: Any = self.holder.value(context)
        if isinstance(holder, Lineout) and self.name in dict(holder.vars):
            return dict(holder.vars)[self.name]
        if isinstance(holder, Extremum | Structured):
            value: Value = getattr(holder, self.name)
            return float(value) if isinstance(value, int) else value
        return float(holder[AXES.index(self.name)])


@dataclass(frozen=True)
class Item(Scalar):
    """One number of an array; NaN if the index is out of range."""

    holder: Scalar
    index: Scalar

    def value(self, context: Context) -> Value:
        numbers, index = array(self.holder.value(context)), number(self.index.value(context))
        return float(numbers[int(index)]) if 0 <= index < numbers.size else float("nan")


@dataclass(frozen=True)
class Composed(Scalar):
    """vector(x, y, z)"""

    arguments: tuple[Scalar, ...]

    def value(self, context: Context) -> Value:
        x, y, z = (number(a.value(context)) for a in self.arguments)
        return x, y, z


@dataclass(frozen=True)
class VectorArithmetic(Scalar):
    """+ and - of vectors."""

    function: str
    arguments: tuple[Scalar, ...]

    def value(self, context: Context) -> Value:
        vectors = (array(a.value(context)) for a in self.arguments)
        x, y, z = (float(v) for v in ARITHMETIC[self.function](*vectors))
        return x, y, z


@dataclass(frozen=True)
class OfArray(Scalar):
    """A number from an array or vector: max, min, avg, sum, count, magnitude."""

    function: str
    argument: Scalar

    def value(self, context: Context) -> Value:
        numbers = array(self.argument.value(context))
        if numbers.size == 0:
            return 0.0 if self.function in ("sum", "count") else float("nan")
        return float(_OF_ARRAY[self.function](numbers))


@dataclass(frozen=True)
class OfHistogram(Scalar):
    """A function of a histogram and numbers, one of _OF_HISTOGRAM."""

    function: str
    histogram: Scalar
    arguments: tuple[Scalar, ...] = ()
    interpolation: str = "linear"

    def value(self, context: Context) -> Value:
        held: Any = self.histogram.value(context)
        numbers = [number(a.value(context)) for a in self.arguments]
        if self.function == "quantile":
            return histograms.quantile(held, numbers[0], self.interpolation)
        return _OF_HISTOGRAM[self.function](held, *numbers)


@dataclass(frozen=True)
class OfBinning(Scalar):
    """A function of a binning and numbers, one of _OF_BINNING."""

    function: str
    binning: Scalar
    arguments: tuple[Scalar, ...]

    def value(self, context: Context) -> Value:
        held: Any = self.binning.value(context)
        numbers = [number(a.value(context)) for a in self.arguments]
        return _OF_BINNING[self.function](held, *numbers)


@dataclass(frozen=True)
class Choice(Scalar):
    """if condition then one else other; only what is chosen needs a value."""

    condition: Scalar
    then: Scalar
    otherwise: Scalar

    def value(self, context: Context) -> Value:
        holds = number(self.condition.value(context))
        return (self.then if holds else self.otherwise).value(context)


@dataclass(frozen=True)
class Replaced(Scalar):
    """replace(array, find, replace)"""

    holder: Scalar
    find: Scalar
    replace: Scalar

    def value(self, context: Context) -> Value:
        numbers = array(self.holder.value(context))
        find, new = number(self.find.value(context)), number(self.replace.value(context))
        return tuple(np.where(numbers == find, new, numbers).tolist())


@dataclass(frozen=True)
class Bounds(Scalar):
    """bounds(): the box of the mesh."""

    lower: tuple[Scalar, ...]
    upper: tuple[Scalar, ...]

    def value(self, context: Context) -> Value:
        corners: list[Vector] = []
        for ends in (self.lower, self.upper):
            x, y, z = (number(end.value(context)) for end in ends)
            corners.append((x, y, z))
        return Box(*corners)


@dataclass(frozen=True)
class AlongLine(Scalar):
    """lineout(samples, start, end, fields)"""

    names: tuple[str, ...]
    lines: tuple[Lined, ...]
    """One for each name."""

    def value(self, context: Context) -> Value:
        values = tuple(tuple(array(line.value(context)).tolist()) for line in self.lines)
        first = self.lines[0]
        points = line_points(first.samples, *(array(end.value(context)) for end in first.ends))
        x, y, z = (tuple(axis) for axis in points.T.tolist())
        return Lineout(x, y, z, tuple(zip(self.names, values, strict=True)), first.empty)


def line_points(samples: int, start: Any, end: Any) -> Any:
    """(samples, 3): evenly spaced from start to end, both included; of one, the start."""
    share = np.linspace(0, 1, samples)[:, None]
    return (1 - share) * np.asarray(start, np.float64) + share * np.asarray(end, np.float64)


@dataclass(frozen=True)
class Reduction(Scalar):
    """A field reduced over the samples of all ranks; `operation` is one of OPERATIONS."""

    operation: str
    argument: Node
    """The node to reduce, a `fields.Field` of one component."""
    num_bins: int = 0
    ends: tuple[Scalar, ...] = ()
    """For a histogram: its lower and upper limits."""

    def value(self, context: Context) -> Value:
        if self not in context.reductions:
            raise NotYet("a step that is not in the window")
        return context.reductions[self]


@dataclass(frozen=True)
class Axis(Node):
    """An axis of a binning: with edges, or with `num_bins` bins between two ends."""

    name: str
    edges: tuple[float, ...] = ()
    num_bins: int = 0
    low: Scalar | None = None
    high: Scalar | None = None
    clamp: bool = False

    @property
    def ends(self) -> tuple[Scalar, ...]:
        """Of an axis without edges."""
        return () if self.low is None or self.high is None else (self.low, self.high)

    @property
    def bins(self) -> int:
        return len(self.edges) - 1 if self.edges else self.num_bins


@dataclass(frozen=True)
class Binned(Reduction):
    """binning(): `argument` has the reduced variable and then those of the axes as components;
    `ends` are those of all axes without edges; `num_bins` counts the bins of all axes."""

    how: str = "sum"
    """One of `binnings.REDUCTIONS`."""
    reduced: str = ""
    """The name of the reduced variable."""
    axes: tuple[Axis, ...] = ()
    empty: float = 0.0
    """The value of bins without samples."""


@dataclass(frozen=True)
class Lined(Reduction):
    """A field at points of a line between `ends`, two vectors: an array. At an element's points it
    has the element's value, between vertices it is trilinear."""

    samples: int = 1
    empty: float = 0.0
    """The value outside of the mesh."""


OPERATIONS = (
    *("min", "max", "sum", "avg", "count", "nan_count", "inf_count", "histogram"),
    *("binning", "lineout"),
)

ARITHMETIC: dict[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.mod,
    "negative": np.negative,
    "positive": np.positive,
    "min": np.minimum,
    "max": np.maximum,
    "abs": np.abs,
    "exp": np.exp,
    "log": np.log,
    "pow": np.power,
    "sin": np.sin,
    "sqrt": np.sqrt,
}
"""Functions of numbers, applied to fields sample by sample."""
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_OF_ARRAY: dict[str, Callable[[Any], Any]] = {
    "max": np.max,
    "min": np.min,
    "avg": np.mean,
    "sum": np.sum,
    "count": np.size,
    "magnitude": np.linalg.norm,
}
_OF_BINNING: dict[str, Callable[..., Value]] = {
    "bin": binnings.bin_at,
    "point_and_axis": binnings.first_beyond,
    "max_from_point_x": lambda held, point: binnings.max_from_point(held, 0, point),
    "max_from_point_y": lambda held, point: binnings.max_from_point(held, 1, point),
    "max_from_point_z": lambda held, point: binnings.max_from_point(held, 2, point),
}
_OF_HISTOGRAM: dict[str, Callable[..., Value]] = {
    "pdf": histograms.pdf,
    "cdf": histograms.cdf,
    "entropy": histograms.entropy,
    "bin_at": histograms.bin_at,
    "bin_with": histograms.bin_with,
}
