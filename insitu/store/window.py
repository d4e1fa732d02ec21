"""The temporal window: compressed fields of the last N steps, within a memory limit.

In: distributed fields as they are made. Out: the field at any step still in the window.

A step is stored as its difference from the previous one if that is smaller; every `key_every` steps
one is whole. The oldest step is always whole: when the step that it depends on is dropped, it is
re-encoded. So every step held can be decoded, and dropping a step frees its memory at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np

from insitu.core.parallel import together
from insitu.fields.distributed_field import DistributedField, Summary
from insitu.store.cache import Blocks, Cache
from insitu.store.encoded_step import EncodedStep

if TYPE_CHECKING:
    from mpi4py import MPI

_CACHED = 2  # steps of each field: the newest, and the one that it depends on


@dataclass(frozen=True)
class Entry:
    """One field at one step: global metadata, and this rank's blocks on demand."""

    summary: Summary
    blocks: Callable[[], Blocks]

    @property
    def frames(self) -> tuple[bytes, ...]:
        """The blocks' frames, each readable on its own. Not collective."""
        return tuple(block.to_bytes() for block in self.blocks())

    def open(self) -> DistributedField:
        """The decoded field. Not collective."""
        return DistributedField(self.blocks(), self.summary)


class _Entries(Sequence[Entry]):
    """The steps of one field at some moment; entries are made when they are asked for."""

    def __init__(
        self, steps: Sequence[EncodedStep], opened: Callable[[EncodedStep], Blocks]
    ) -> None:
        self._steps, self._opened = steps, opened

    def __len__(self) -> int:
        return len(self._steps)

    @overload
    def __getitem__(self, at: int) -> Entry: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Entry]: ...
    def __getitem__(self, at: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(at, slice):
            return _Entries(self._steps[at], self._opened)
        step = self._steps[at]
        return Entry(step.summary, lambda: self._opened(step))


class Window:
    """The last `steps` steps of every field, in at most `memory` bytes on each rank.

    Every rank holds its own blocks and the same summaries, and drops the same steps, so all ranks
    have the same steps. An `Entry` stays readable after its step is dropped.
    """

    def __init__(self, steps: int, memory: int | None = None, key_every: int = 8) -> None:
        """Not collective.

        Args:
            steps: number of steps to keep of each field, at least 1.
            memory: limit in bytes on this rank for compressed steps and the cache of decoded ones;
                None: no limit. Python's overhead, about 2 KB a step, is not counted.
            key_every: every how many steps one is stored whole, so that decoding any step adds at
                most `key_every` - 1 differences; 1: all are whole.
        """
        for name, value in (("steps", steps), ("memory", memory), ("key_every", key_every)):
            if value is not None and value < 1:
                raise ValueError(f"window.{name}: {value} is not >= 1")
        self.steps, self.memory, self.key_every = steps, memory, key_every
        self._held: dict[str, deque[EncodedStep]] = {}
        self._nbytes = 0
        self._cache = Cache(_CACHED)

    def add(self, comm: MPI.Comm, fields: Iterable[DistributedField]) -> list[Summary]:
        """Add a step of every field, and drop the oldest until `memory` is respected. Collective.

        Returns what was dropped for that, the same on all ranks: the rank that holds most
        decides. With a limit, this costs one reduction of 24 bytes if nothing is dropped.

        Raises the same error on every rank and leaves the window empty: ValueError if the newest
        steps alone exceed `memory`; RemoteError if a step can no longer be decoded.
        """
        dropped: list[Summary] = []
        try:
            with together(comm, "window"):
                for field in fields:
                    self.append(field)
            if self.memory is not None:
                self._make_room(comm, self.memory, dropped)
        except BaseException:
            self.clear()  # on all ranks: a step that only some ranks hold is useless
            raise
        return dropped

    def append(self, field: DistributedField) -> None:
        """Add the newest step of a field; drops the oldest if there are `steps`. Not collective.

        Held steps of the same or a later cycle are replaced: a simulation may repeat a cycle, or go
        back to an earlier one.
        """
        held = self._held.setdefault(field.summary.name, deque())
        self._cache.steps = _CACHED * len(self._held)
        while held and held[-1].summary.cycle >= field.summary.cycle:
            self._forget(held.pop())
        if len(held) == self.steps:
            self._drop(field.summary.name)
        near = bool(held) and held[-1].additions + 1 < self.key_every
        step = EncodedStep(field, held[-1] if near else None, self._opened)
        held.append(step)
        self._nbytes += step.nbytes
        self._cache.put(step, field.fields, self._room)

    @property
    def names(self) -> list[str]:
        """Fields with at least one step."""
        return sorted(name for name, held in self._held.items() if held)

    @property
    def counts(self) -> dict[str, int]:
        """Number of steps held of each field."""
        return {name: len(held) for name, held in self._held.items()}

    def entries(self, name: str) -> Sequence[Entry]:
        """The steps held of one field, oldest first. An unknown field raises KeyError."""
        if not self._held.get(name):
            there = ", ".join(self.names) or "none"
            raise KeyError(f"window: no field {name!r}; held are: {there}")
        return _Entries(tuple(self._held[name]), self._opened)

    @property
    def nbytes(self) -> int:
        """Compressed bytes held by this rank."""
        return self._nbytes

    @property
    def cache_nbytes(self) -> int:
        """Bytes of decoded steps cached by this rank."""
        return self._cache.nbytes

    def clear(self) -> None:
        self._held.clear()
        self._cache.clear()
        self._nbytes = 0

    @property
    def _room(self) -> float:
        """Bytes available to the cache."""
        return np.inf if self.memory is None else self.memory - self.nbytes

    def _opened(self, step: EncodedStep) -> Blocks:
        blocks = self._cache.get(step)
        if blocks is None:
            blocks = step.open(self._opened)
            self._cache.put(step, blocks, self._room)
        return blocks

    def _make_room(self, comm: MPI.Comm, memory: int, dropped: list[Summary]) -> None:
        """Drop steps, the same on all ranks, until each respects `memory`. Collective."""
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
                break  # usually one pass; re-encoding may make a rank need more after a drop
        if most[2] > memory:
            raise ValueError(
                f"window.memory: {memory} bytes, but the newest step of all fields takes {most[2]} "
                f"on some rank; give at least that, or keep fewer or less accurate fields"
            )

    @property
    def _oldest(self) -> str:
        """The field with the oldest step, among those with at least two steps; "" if none."""
        there = [
            (held[0].summary.cycle, name) for name, held in self._held.items() if len(held) > 1
        ]
        return min(there, default=(0, ""))[1]

    def _drop(self, name: str) -> Summary:
        """Drop the oldest step of a field."""
        held = self._held[name]
        oldest = held[0]
        if len(held) > 1 and held[1].before is oldest:
            self._nbytes -= held[1].nbytes
            held[1].make_whole(self._opened(held[1]))
            self._nbytes += held[1].nbytes
        held.popleft()
        self._forget(oldest)
        self._cache.shrink(self._room)
        return oldest.summary

    def _forget(self, step: EncodedStep) -> None:
        """A step that is no longer held."""
        self._nbytes -= step.nbytes
        self._cache.forget(step)
