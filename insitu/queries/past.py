"""The recorded steps that expressions read.

In: compressed fields over time. Out: the fields of a step a given number of steps back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from insitu.fields.block_field import BlockField
from insitu.store.time_series import StoredStep, TimeSeries


class WindowPast:
    """The earlier steps at which all of the given fields are in the window.

    No method is collective; every rank has the same steps. A step is decoded on first read.
    """

    def __init__(self, window: TimeSeries, depths: Mapping[str, int], cycle: int) -> None:
        """depths: the fields to read -> how many steps back; cycle: the current one, which is
        excluded."""
        there = set(window.names)
        entries = {name: window.entries(name) for name in depths if name in there}
        if len(entries) < len(depths):
            entries = {}
        self._held: dict[str, dict[int, StoredStep]] = {}
        self._opened: dict[tuple[str, int], Sequence[BlockField]] = {}
        self.cycles: Sequence[int] = []
        """Cycles of these steps, oldest first; at least as many as are read, if there are."""
        # The newest steps of each field usually suffice, however many the window holds.
        deepest = max(depths.values(), default=0)
        longest = max(map(len, entries.values()), default=0)
        count = deepest + 1
        while entries:
            self._held = {
                name: {entry.summary.cycle: entry for entry in steps[-count:]}
                for name, steps in entries.items()
            }
            self.cycles = sorted(set.intersection(*map(set, self._held.values())) - {cycle})
            if len(self.cycles) >= deepest or count >= longest:
                break
            count *= 2

    def fields(self, name: str, back: int) -> Sequence[BlockField]:
        """This rank's blocks of a field, `back` steps before the current one."""
        cycle = self.cycles[-back]
        if (name, cycle) not in self._opened:
            self._opened[name, cycle] = self._held[name][cycle].open().fields
        return self._opened[name, cycle]
