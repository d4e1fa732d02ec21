"""The past: compressed fields of the last N steps, within so many bytes.

In: distributed fields as they are made. Out: the field of any step still in the window.

A step is kept as its difference from the step before where that is smaller; every so many steps one
is whole. The oldest step is always whole: when the one that it counted from goes, it is written
out. So what is held is what can be asked for, and what is dropped is free at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.parallel import together
from insitu.fields.distributed_field import DistributedField, Summary
from insitu.store.cache import Blocks, Cache
from insitu.store.encoded_step import EncodedStep

if TYPE_CHECKING:
    from mpi4py import MPI

_CACHED = 2  # steps of each field: the newest, and the one that it counts from


@dataclass(frozen=True)
class Entry:
    """One field at one step: what all ranks know of it, and this rank's blocks when asked for."""

    summary: Summary
    blocks: Callable[[], Blocks]

    @property
    def frames(self) -> tuple[bytes, ...]:
        """The blocks' frames, each to be read without any other. Not collective."""
        return tuple(block.to_bytes() for block in self.blocks())

    def open(self) -> DistributedField:
        """The field again. Not collective."""
        return DistributedField(self.blocks(), self.summary)


class Window:
    """The last `steps` steps of every field, of at most `memory` bytes on each rank.

    Every rank holds its own blocks and the same summaries, and drops the same steps, so ranks
    agree on which steps there are. An `Entry` stays readable when its step is dropped.
    """

    def __init__(self, steps: int, memory: int | None = None, key_every: int = 8) -> None:
        """Not collective.

        Args:
            steps: of each field, at least 1.
            memory: bytes on this rank, of the compressed steps and the cache of decoded ones; None:
                no bound. What Python adds, some 2 KB a step, does not count.
            key_every: of so many steps one is whole, so that any opens in at most one addition
                less; 1: all are.
        """
        for name, value in (("steps", steps), ("memory", memory), ("key_every", key_every)):
            if value is not None and value < 1:
                raise ValueError(f"window.{name}: {value} is not >= 1")
        self.steps, self.memory, self.key_every = steps, memory, key_every
        self._held: dict[str, deque[EncodedStep]] = {}
        self._cache = Cache(_CACHED)

    def add(self, comm: MPI.Comm, fields: Iterable[DistributedField]) -> list[Summary]:
        """Take a step of every field, and drop the oldest until `memory` is kept to. Collective.

        Returns what was dropped to keep to it, the same on all ranks: the rank that holds most
        decides. With a bound, that is one reduction of 24 bytes where nothing has to go.

        Raises, the same on every rank, and with the window empty: ValueError where the newest
        steps alone are more than `memory`; RemoteError where a step does not open any more.
        """
        dropped: list[Summary] = []
        try:
            with together(comm, "window"):
                for field in fields:
                    self.append(field)
            if self.memory is not None:
                self._make_room(comm, self.memory, dropped)
        except BaseException:
            self.clear()  # on all ranks: what one holds and another lacks could not be shown
            raise
        return dropped

    def append(self, field: DistributedField) -> None:
        """Take the newest step of a field; the oldest goes if there are `steps`. Not collective.

        A step already held, of the same cycle, is replaced: a simulation may repeat a cycle.
        """
        held = self._held.setdefault(field.summary.name, deque())
        self._cache.steps = _CACHED * len(self._held)
        if held and held[-1].summary.cycle == field.summary.cycle:
            self._cache.forget(held.pop())
        if len(held) == self.steps:
            self._drop(field.summary.name)
        near = bool(held) and held[-1].additions + 1 < self.key_every
        step = EncodedStep(field, held[-1] if near else None, self._opened)
        held.append(step)
        self._cache.put(step, field.fields, self._room)

    @property
    def names(self) -> list[str]:
        """Fields with at least one step."""
        return sorted(name for name, held in self._held.items() if held)

    def entries(self, name: str) -> list[Entry]:
        """The steps held of one field, oldest first; KeyError naming the fields there are."""
        if name not in self.names:
            there = ", ".join(self.names) or "none"
            raise KeyError(f"window: no field {name!r}; held are: {there}")
        return [Entry(step.summary, _opener(self._opened, step)) for step in self._held[name]]

    @property
    def nbytes(self) -> int:
        """Compressed bytes held by this rank."""
        return sum(step.nbytes for held in self._held.values() for step in held)

    @property
    def cache_nbytes(self) -> int:
        """Decoded bytes held by this rank beside these."""
        return self._cache.nbytes

    def clear(self) -> None:
        self._held.clear()
        self._cache.clear()

    @property
    def _room(self) -> float:
        """Bytes that the cache may take."""
        return np.inf if self.memory is None else self.memory - self.nbytes

    def _opened(self, step: EncodedStep) -> Blocks:
        blocks = self._cache.get(step)
        if blocks is None:
            blocks = step.open(self._opened)
            self._cache.put(step, blocks, self._room)
        return blocks

    def _make_room(self, comm: MPI.Comm, memory: int, dropped: list[Summary]) -> None:
        """Drop until every rank keeps to `memory`, the same steps on all. Collective."""
        from mpi4py import MPI

        wanted, most = 0, np.empty(3, np.int64)
        while True:
            with together(comm, "window"):
                while (self._oldest and self.nbytes > memory) or len(dropped) < wanted:
                    dropped.append(self._drop(self._oldest))
                self._cache.shrink(self._room)
            comm.Allreduce(np.array([len(dropped), -len(dropped), self.nbytes]), most, op=MPI.MAX)
            wanted = int(most[0])
            if wanted == -most[1]:
                break  # it mostly is at once; a rank may also need more when it has followed
        if most[2] > memory:
            raise ValueError(
                f"window.memory: {memory} bytes, but the newest step of all fields takes {most[2]} "
                f"on some rank; give at least that, or keep fewer or less accurate fields"
            )

    @property
    def _oldest(self) -> str:
        """The field with the oldest step, of those that have a newer one; "" without any."""
        there = [
            (held[0].summary.cycle, name) for name, held in self._held.items() if len(held) > 1
        ]
        return min(there, default=(0, ""))[1]

    def _drop(self, name: str) -> Summary:
        """The oldest step of a field goes."""
        held = self._held[name]
        oldest = held[0]
        if len(held) > 1 and held[1].before is oldest:
            held[1].make_whole(self._opened(held[1]))
        held.popleft()
        self._cache.forget(oldest)
        self._cache.shrink(self._room)
        return oldest.summary


def _opener(opened: Callable[[EncodedStep], Blocks], step: EncodedStep) -> Callable[[], Blocks]:
    return lambda: opened(step)
