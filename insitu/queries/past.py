"""The recorded steps that expressions read.

In: compressed fields over time. Out: the fields of a step a given number of steps back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from insitu.fields.block_field import BlockField
from insitu.store.time_series import TimeSeries


class WindowPast:
    """The earlier steps at which all of the given fields are in the window.

    No method is collective; every rank has the same steps. A step is decoded on first read.
    """

    def __init__(self, window: TimeSeries, names: Collection[str], cycle: int) -> None:
        """names: the fields to read; cycle: the current one, which is excluded."""
        held = {
            name: {e.summary.cycle: e for e in window.entries(name)}
            for name in names
            if name in window.names
        }
        common = set.intersection(*(set(entries) for entries in held.values())) if held else set()
        self._held = held
        self._opened: dict[tuple[str, int], Sequence[BlockField]] = {}
        self.cycles: Sequence[int] = (
            sorted(common - {cycle}) if len(held) == len(set(names)) else []
        )
        """Cycles of these steps, oldest first."""

    def fields(self, name: str, back: int) -> Sequence[BlockField]:
        """This rank's blocks of a field, `back` steps before the current one."""
        cycle = self.cycles[-back]
        if (name, cycle) not in self._opened:
            self._opened[name, cycle] = self._held[name][cycle].open().fields
        return self._opened[name, cycle]
