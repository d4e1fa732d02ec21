"""The history of queries: earlier results, ranges of them, and rates of change.

In: the results of a query, ending with the current step's. Out: numbers and arrays, as in Ascent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from insitu.queries.scalars import Context, Result, Scalar
from insitu.queries.values import NotYet, Value, number

UNITS = ("index", "time", "cycle")


@dataclass(frozen=True)
class History(Scalar):
    """history(name, relative_index=k) and history(name, absolute_index=k)."""

    name: str
    index: int
    relative: bool

    def value(self, context: Context) -> Value:
        results = context.results(self.name)
        if self.relative:  # As Ascent: the current value if it reaches too far back
            return results[-1 - self.index if self.index < len(results) else -1].value
        if self.index >= len(results):
            raise NotYet(f"history({self.name}) has {len(results)} entries, none at {self.index}")
        return results[self.index].value


@dataclass(frozen=True)
class Range:
    """A range of results: by index `relative` (0: current) or `absolute` (0: first), or by
    simulation `time` or `cycle`."""

    by: str

    def of(self, results: Sequence[Result], first: float, last: float) -> Sequence[Result]:
        """The available results from `first` to `last` (both inclusive), oldest first.

        Raises: NotYet if there are none.
        """
        if self.by == "relative":
            chosen = results[max(len(results) - 1 - int(last), 0) : len(results) - int(first)]
        elif self.by == "absolute":
            chosen = results[int(first) : int(last) + 1]
        else:
            newest = results[_since(results, self.by, first) :]
            chosen = [r for r in newest if getattr(r, self.by) <= last]
        if not chosen:
            raise NotYet(f"no results from {first:g} to {last:g}")
        return chosen


def _since(results: Sequence[Result], by: str, first: float) -> int:
    """Index of the first of the newest results that are not before `first`, by `by`. Searched from
    the newest: runs are long, and ranges short."""
    at = len(results)
    while at and getattr(results[at - 1], by) >= first:
        at -= 1
    return at


@dataclass(frozen=True)
class HistoryRange(Scalar):
    """history_range(name, first_..., last_...): an array."""

    name: str
    range: Range
    first: Scalar
    last: Scalar

    def chosen(self, context: Context) -> Sequence[Result]:
        first, last = number(self.first.value(context)), number(self.last.value(context))
        return self.range.of(context.results(self.name), first, last)

    def value(self, context: Context) -> Value:
        return tuple(number(r.value) for r in self.chosen(context))


@dataclass(frozen=True)
class GradientRange(Scalar):
    """gradient_range(name, first_..., last_...): slopes over simulation time between consecutive
    results of the range, one fewer than these; a single minus infinity for one result."""

    results: HistoryRange

    def value(self, context: Context) -> Value:
        chosen = self.results.chosen(context)
        if len(chosen) < 2:
            return (-math.inf,)
        values, times = [number(r.value) for r in chosen], [r.time for r in chosen]
        with np.errstate(all="ignore"):
            return tuple((np.diff(values) / np.diff(times)).tolist())


@dataclass(frozen=True)
class Gradient(Scalar):
    """gradient(name, window_length, window_length_unit): the slope from an earlier result to the
    current one; minus infinity if there is no earlier one.

    The earlier result is `length` results back, or the first within `length` of simulation time or
    cycles; if there are too few, it is the first of all.
    """

    name: str
    length: Scalar
    unit: str

    def value(self, context: Context) -> Value:
        results = context.results(self.name)
        length = number(self.length.value(context))
        if len(results) < 2:
            return -math.inf
        now = results[-1]
        if self.unit == "index":
            steps = min(int(length), len(results) - 1) if length >= 1 else 1
            then, over = results[-1 - steps], float(steps)
        else:
            here = getattr(now, self.unit)
            first = _since(results, self.unit, here - length)
            then = results[min(first, len(results) - 1)]
            over = here - getattr(then, self.unit)
        with np.errstate(all="ignore"):
            return float(np.float64(number(now.value) - number(then.value)) / np.float64(over))
