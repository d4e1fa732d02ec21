"""Fields over time, wherever they are kept: in a running window, a record, or one file.

In: what keeps them. Out: which steps there are of each field, and the field at one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from insitu.fields.distributed_field import DistributedField, Summary

StepCount = int | Literal["all"]
"""How many steps, the newest being the first; or all."""


class StoredStep(Protocol):
    """One field at one step, opened when it is needed. No method is collective."""

    @property
    def summary(self) -> Summary:
        """What all ranks know of the field."""

    def open(self) -> DistributedField:
        """The field: this rank's blocks."""


class TimeSeries(Protocol):
    """Fields at steps. No method is collective; names and steps are the same on every rank."""

    @property
    def names(self) -> list[str]:
        """Fields with at least one step."""

    def entries(self, name: str) -> Sequence[StoredStep]:
        """The steps of one field, oldest first; KeyError naming the fields there are."""


class UpTo:
    """The part of a time series that a simulation would have had at some moment.

    It is moved from step to step, so that what holds it sees the past grow.
    """

    def __init__(self, series: TimeSeries, steps: StepCount = "all") -> None:
        """steps: of each field, that are kept; before `move_to` there are none."""
        self.series, self.steps = series, steps
        self._now: tuple[float, int] | None = None

    def move_to(self, cycle: int, time: float) -> None:
        """The step of this cycle is the present one from now on. Not collective."""
        self._now = (time, cycle)

    @property
    def names(self) -> list[str]:
        """Fields with at least one step up to the present."""
        return [name for name in self.series.names if self._until(name)]

    def entries(self, name: str) -> Sequence[StoredStep]:
        """The steps of one field up to the present, oldest first; KeyError as any series."""
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
