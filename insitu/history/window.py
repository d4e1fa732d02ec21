"""The past: compressed fields of the last N steps.

In: distributed fields as they are made. Out: the field of any step still in the window.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from insitu.fields.distributed_field import DistributedField, Summary
from insitu.fields.read import read_field


@dataclass(frozen=True)
class Entry:
    """One field at one step: this rank's blocks as bytes, and what all ranks know of it."""

    summary: Summary
    frames: tuple[bytes, ...]

    def open(self) -> DistributedField:
        """The field again. Not collective."""
        return DistributedField(tuple(read_field(frame) for frame in self.frames), self.summary)


class Window:
    """The last `steps` steps of every field. No method is collective.

    Only the compressed bytes are kept; every rank holds its own blocks and the same summaries, so
    ranks agree on which steps there are.
    """

    def __init__(self, steps: int) -> None:
        if steps < 1:
            raise ValueError(f"window.steps: {steps} is not >= 1")
        self.steps = steps
        self._entries: dict[str, deque[Entry]] = {}

    def append(self, field: DistributedField) -> None:
        """Take the newest step of a field; the oldest goes if the window is full.

        A step already held, of the same cycle, is replaced: a simulation may repeat a cycle.
        """
        entries = self._entries.setdefault(field.summary.name, deque(maxlen=self.steps))
        if entries and entries[-1].summary.cycle == field.summary.cycle:
            entries.pop()
        frames = tuple(block.to_bytes() for block in field.fields)
        entries.append(Entry(field.summary, frames))

    @property
    def names(self) -> list[str]:
        """Fields with at least one step."""
        return sorted(self._entries)

    def entries(self, name: str) -> list[Entry]:
        """The steps held of one field, oldest first; KeyError naming the fields there are."""
        if name not in self._entries:
            there = ", ".join(self.names) or "none"
            raise KeyError(f"window: no field {name!r}; held are: {there}")
        return list(self._entries[name])

    @property
    def nbytes(self) -> int:
        """Compressed bytes held by this rank."""
        return sum(
            len(frame)
            for entries in self._entries.values()
            for entry in entries
            for frame in entry.frames
        )

    def clear(self) -> None:
        self._entries.clear()
