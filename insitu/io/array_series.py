"""A compressed array as a time series of one step.

In: a file written by `insitu compress`. Out: its blocks, distributed like those of a record.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import Summary
from insitu.io.compressed_array import CompressedArray


@dataclass(frozen=True)
class ArrayBlock:
    """One block of a compressed array, not yet read."""

    array: CompressedArray
    domain_id: int
    n_components: int = 1

    @property
    def association(self) -> str:
        return self.array.association

    @property
    def cells(self) -> tuple[int, int, int]:
        """(nz, ny, nx)."""
        blocks = self.array.header.blocks
        nx, ny, nz = (len(n) - 1 for n in blocks.nodes(self.domain_id, self.array.nodes))
        return nz, ny, nx

    def open(self) -> BlockField:
        """Read the block. FrameError if it is corrupt."""
        return self.array.field(self.domain_id)


@dataclass(frozen=True)
class ArrayStep:
    """The only step of a compressed array, at cycle 0 and time 0."""

    array: CompressedArray

    @cached_property
    def summary(self) -> Summary:
        """From the header of the file; no block is read."""
        array = self.array
        return Summary(
            name=array.name,
            cycle=0,
            time=0.0,
            bounds=array.bounds,
            range=np.array([array.range], np.float64),
            metrics=array.metrics,
            nbytes=array.nbytes,
            n_blocks=len(array.header.blocks),
        )

    @property
    def blocks(self) -> list[ArrayBlock]:
        return [ArrayBlock(self.array, number) for number in range(len(self.array.header.blocks))]


class ArraySeries:
    """A compressed array, to be distributed by `SharedSeries`. No method is collective."""

    def __init__(self, array: CompressedArray) -> None:
        self.names = [array.name]
        self._step = ArrayStep(array)

    def entries(self, name: str) -> list[ArrayStep]:
        """The only step; KeyError for another name."""
        if name not in self.names:
            raise KeyError(f"no field {name!r}; there is: {self.names[0]}")
        return [self._step]
