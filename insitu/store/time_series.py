"""Fields over time, wherever they are stored: in a running window, a record, or one file.

In: the storage. Out: the steps of each field, and the field at any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from insitu.fields.distributed_field import DistributedField, Summary

StepCount = int | Literal["all"]
"""Number of steps, counted back from the newest, which is the first; or all."""


class StoredStep(Protocol):
    """One field at one step, decoded on demand. No method is collective."""

    @property
    def summary(self) -> Summary:
        """Global metadata of the field, the same on all ranks."""

    def open(self) -> DistributedField:
        """The field, with this rank's blocks."""


class TimeSeries(Protocol):
    """Fields at a sequence of steps. No method is collective; all ranks have the same steps."""

    @property
    def names(self) -> list[str]:
        """Fields with at least one step."""

    def entries(self, name: str) -> Sequence[StoredStep]:
        """The steps of one field, oldest first. An unknown field raises KeyError."""


class UpTo:
    """A time series up to a current step: what a simulation would have had at that time.

    `move_to` advances the current step, and all holders of this object see the past grow.
    """

    def __init__(self, series: TimeSeries, steps: StepCount = "all") -> None:
        """steps: number of steps to keep of each field. There are none before `move_to`."""
        self.series, self.steps = series, steps
        self._now: tuple[float, int] | None = None

    def move_to(self, cycle: int, time: float) -> None:
        """Make the step of this cycle the current one. Not collective."""
        self._now = (time, cycle)

    @property
    def names(self) -> list[str]:
        """Fields with at least one step up to the current one."""
        return [name for name in self.series.names if self._until(name)]

    def entries(self, name: str) -> Sequence[StoredStep]:
        """The steps of one field up to the current one, oldest first. Raises KeyError if none."""
        found = self._until(name) if name in self.series.names else []
        if not found:
            there = ", ".join(self.names) or "none"
            raise KeyError(f"no field {name!r} up to this step; there are: {there}")
        return found if self.steps == "all" else found[-self.steps :]

    def _until(self, name: str) -> list[StoredStep]:
        now = self._now
        if now is None:
            return []
        return [
            entry
            for entry in self.series.entries(name)
            if (entry.summary.time, entry.summary.cycle) <= now
        ]
