"""Recorded steps as scenes and extracts read them: all fields at one time, and earlier steps.

In: a window or a record. Out: the newest steps that have given fields; fields decoded on demand.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from insitu.fields.distributed_field import DistributedField
from insitu.store.time_series import StepCount as Span
from insitu.store.time_series import StoredStep, TimeSeries

__all__ = ["Span", "TimeStep", "newest"]


class _Snapshot:
    """The content of a window at some moment."""

    def __init__(self, past: TimeSeries) -> None:
        self.names = past.names
        self._held = {name: past.entries(name) for name in past.names}

    def entries(self, name: str) -> Sequence[StoredStep]:
        return self._held[name]


class TimeStep:
    """One recorded step. No method is collective; ranks hold their own blocks."""

    def __init__(
        self,
        window: TimeSeries,
        cycle: int,
        time: float,
        results: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        """results: of queries by name, each with its `cycle` and `value`, on all ranks alike."""
        self.cycle, self.time = cycle, time
        self.window = window
        self.results = results or {}
        self._opened: dict[str, DistributedField] = {}

    def kept(self) -> TimeStep:
        """The same step, readable after the window has moved on."""
        if isinstance(self.window, _Snapshot):
            return self
        return TimeStep(_Snapshot(self.window), self.cycle, self.time, self.results)

    @property
    def names(self) -> list[str]:
        """The fields available at this step."""
        names = self.window.names
        return [n for n in names if any(e.summary.cycle == self.cycle for e in self._entries(n))]

    def open(self, name: str) -> DistributedField:
        """A field, decoded once. Raises KeyError if it is not available at this step."""
        if name not in self._opened:
            entries = [e for e in self._entries(name) if e.summary.cycle == self.cycle]
            if not entries:
                raise KeyError(f"cycle {self.cycle}: the window holds no {name!r}")
            self._opened[name] = entries[0].open()
        return self._opened[name]

    def past(self, name: str, span: Span = "all") -> Sequence[StoredStep]:
        """A field at this step and earlier ones, oldest first: `span` steps, or all."""
        now = (self.time, self.cycle)
        entries = [e for e in self._entries(name) if (e.summary.time, e.summary.cycle) <= now]
        return entries if span == "all" else entries[-span:]

    def _entries(self, name: str) -> Sequence[StoredStep]:
        return self.window.entries(name)


def newest(
    window: TimeSeries,
    fields: Collection[str],
    span: Span,
    results: Mapping[str, Sequence[Any]] | None = None,
) -> list[TimeStep]:
    """The newest `span` steps that have all these fields, oldest first. Not collective.

    results: of queries, as `TimeStep` has them.

    Without fields: the steps that have any field. Raises KeyError for a field without steps.
    """
    steps = [
        {entry.summary.cycle: entry.summary.time for entry in window.entries(name)}
        for name in (fields or window.names)
    ]
    cycles: dict[int, float] = {}
    for found in steps:
        cycles |= found
    if fields:
        cycles = {c: t for c, t in cycles.items() if all(c in found for found in steps)}
    ordered = sorted(cycles.items(), key=lambda item: (item[1], item[0]))
    chosen = ordered if span == "all" else ordered[-span:]
    return [TimeStep(window, cycle, time, results) for cycle, time in chosen]
