"""A stored time series, distributed over the processes that read it.

In: steps whose blocks are in files, written by any number of ranks. Out: a `TimeSeries` of which
each process holds its share of the blocks, so that whatever runs on a window runs on a record.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from insitu.core.errors import ConfigError, nearest
from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import DistributedField, Summary
from insitu.store.cache import Cache
from insitu.store.ownership import owners

if TYPE_CHECKING:
    from mpi4py import MPI

_OPENED = 2  # decoded steps kept of each field: the current one and the previous one


class UnopenedBlock(Protocol):
    """A block in a file: its geometry is known without decoding it."""

    @property
    def association(self) -> str: ...

    @property
    def n_components(self) -> int: ...

    @property
    def cells(self) -> tuple[int, int, int]: ...

    @property
    def domain_id(self) -> int: ...

    def open(self) -> BlockField: ...


class StepInFile(Protocol):
    """One field at one step, with all its blocks."""

    @property
    def summary(self) -> Summary: ...

    @property
    def blocks(self) -> Sequence[UnopenedBlock]: ...


class SeriesInFile(Protocol):
    """A record, or a compressed array."""

    @property
    def names(self) -> list[str]: ...

    def entries(self, name: str) -> Sequence[StepInFile]: ...


def share(blocks: Sequence[UnopenedBlock], rank: int, n_ranks: int) -> tuple[BlockField, ...]:
    """The decoded blocks of one rank, in the given order. Not collective.

    Domains are renumbered if ranks of the writer used the same domain numbers.
    """
    cells = [math.prod(block.cells) for block in blocks]
    mine = np.flatnonzero(owners(cells, n_ranks) == rank).tolist()
    if len({block.domain_id for block in blocks}) == len(blocks):
        return tuple(blocks[i].open() for i in mine)
    return tuple(replace(blocks[i].open(), domain_id=i) for i in mine)


@dataclass(frozen=True)
class SharedStep:
    """One field at one step; made by `SharedSeries.entries`."""

    series: SharedSeries
    step: StepInFile

    @property
    def summary(self) -> Summary:
        return self.step.summary

    def open(self) -> DistributedField:
        """The field, with this rank's share of the blocks. Not collective."""
        return DistributedField(self.series.opened(self.step), self.summary)


class SharedSeries:
    """A record or compressed array, distributed over the ranks of a communicator.

    No method is collective. The steps opened last stay decoded.
    """

    def __init__(
        self, comm: MPI.Comm, series: SeriesInFile, only: Collection[str] | None = None
    ) -> None:
        """only: names of the fields to use; default: all. ConfigError for an unknown name."""
        for name in only or ():
            if name not in series.names:
                hint = nearest(name, series.names) or f" (there are {', '.join(series.names)})"
                raise ConfigError([f"no field {name!r}{hint}"])
        self.comm, self.series = comm, series
        self.names = [name for name in series.names if only is None or name in only]
        self._entries = {
            name: [SharedStep(self, step) for step in series.entries(name)] for name in self.names
        }
        self._cache = Cache(_OPENED * max(1, len(self.names)))

    def entries(self, name: str) -> Sequence[SharedStep]:
        """The steps of a field, oldest first. An unknown field raises KeyError."""
        if name not in self._entries:
            raise KeyError(f"no field {name!r}; there are: {', '.join(self.names) or 'none'}")
        return self._entries[name]

    @property
    def kinds(self) -> dict[str, tuple[str, int]]:
        """Field name -> ("element" or "vertex", number of components), from its newest step."""
        firsts = {name: self.entries(name)[-1].step.blocks[0] for name in self.names}
        return {name: (block.association, block.n_components) for name, block in firsts.items()}

    def opened(self, step: StepInFile) -> tuple[BlockField, ...]:
        """This rank's blocks of a step."""
        key = step.summary.name, step.summary.cycle
        blocks = self._cache.get(key)
        if blocks is None:
            blocks = share(step.blocks, self.comm.rank, self.comm.size)
            self._cache.put(key, blocks, math.inf)
        return blocks
