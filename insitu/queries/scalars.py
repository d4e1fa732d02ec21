"""Scalar expression nodes: nodes with one value for the whole domain.

In: the reductions of a step and the earlier results of the queries. Out: values, on rank 0.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from insitu.queries import histograms
from insitu.queries.ast_nodes import Node
from insitu.queries.values import AXES, Extremum, Histogram, NotYet, Value, array, number


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
        if isinstance(holder, Extremum | Histogram):
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


OPERATIONS = ("min", "max", "sum", "avg", "count", "nan_count", "inf_count", "histogram")

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
_OF_HISTOGRAM: dict[str, Callable[..., Value]] = {
    "pdf": histograms.pdf,
    "cdf": histograms.cdf,
    "entropy": histograms.entropy,
    "bin_at": histograms.bin_at,
    "bin_with": histograms.bin_with,
}
