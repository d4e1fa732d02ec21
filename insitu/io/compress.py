"""Arrays become compressed arrays: one process in memory, or all ranks from file to file.

In: a Volume and a target. Out: a CompressedArray.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from insitu.core.errors import ConfigError
from insitu.core.limits import Range
from insitu.fields.metrics import FieldMetrics
from insitu.io.array_source import ArraySource, ArrayVolume
from insitu.io.chunk_grid import DEFAULT_CELLS, ChunkGrid, read_partition
from insitu.io.compressed_array import CompressedArray
from insitu.io.fit import fit
from insitu.io.header import ArrayHeader
from insitu.io.targets import make_target
from insitu.training.options import Target
from insitu.training.ranges import GlobalRange, MeasuredBlock, join_ranges, local_ranges
from insitu.training.select_codec import MODEL

if TYPE_CHECKING:
    from mpi4py import MPI

Progress = Callable[[int, int], None]
"""Told of how many blocks of how many somebody has begun or finished."""


@dataclass(frozen=True)
class ChunkInfo:
    """What the header says of a compressed block."""

    number: int
    nbytes: int
    metrics: FieldMetrics


@dataclass(frozen=True)
class CompressionJob:
    """A volume, how it is cut, and what is asked for."""

    volume: ArraySource
    blocks: ChunkGrid
    target: Target
    codec: str = MODEL

    @staticmethod
    def of(
        volume: ArraySource, target: Target, block: int = DEFAULT_CELLS, codec: str = MODEL
    ) -> CompressionJob:
        """block: most cells per axis. Raises ConfigError where it is no number of cells."""
        try:
            most = Range(8, 1024, "cells").check(block, int)
        except (TypeError, ValueError) as error:
            raise ConfigError([f"block: {error}"]) from None
        blocks = ChunkGrid.cut(volume.grid_shape, volume.association, most)
        return CompressionJob(volume, blocks, target, codec)

    def range_of(self, numbers: Sequence[int]) -> dict[str, GlobalRange]:
        """Range of some blocks, by the volume's name; empty without any. They are read once."""
        found: dict[str, GlobalRange] = {}
        for number in numbers:
            part = read_partition(self.volume, self.blocks, number, ghosts=False)
            read = {self.volume.name: [MeasuredBlock.of(part)]}
            found = join_ranges(found, local_ranges(read))
        return found

    def compress(self, number: int, whole: GlobalRange) -> tuple[ChunkInfo, bytes]:
        """One block -> what there is to know of it, and its frame."""
        part = read_partition(self.volume, self.blocks, number, ghosts=True)
        field = fit(part, whole, self.target, self.codec)
        # What was measured by a clock would make every file another one.
        field = replace(field, metrics=replace(field.metrics, seconds=0.0), _bytes=None)
        data = field.to_bytes()
        return ChunkInfo(number, len(data), field.metrics), data

    def header(self, whole: GlobalRange, done: Sequence[ChunkInfo]) -> ArrayHeader:
        """The header of all blocks, in any order."""
        done = sorted(done, key=lambda block: block.number)
        return ArrayHeader(
            name=self.volume.name,
            shape=self.volume.shape,
            dtype=self.volume.dtype.newbyteorder("="),
            nodes=self.volume.nodes,
            blocks=self.blocks,
            range=(float(whole.range[0, 0]), float(whole.range[0, 1])),
            metrics=replace(
                FieldMetrics.total(block.metrics for block in done),
                raw_nbytes=self.volume.raw_nbytes,
            ),
            lengths=tuple(block.nbytes for block in done),
        )


def compress(
    array: ArrayLike | ArraySource,
    *,
    name: str = "values",
    block: int = DEFAULT_CELLS,
    codec: str = MODEL,
    progress: Progress | None = None,
    **target: Any,
) -> CompressedArray:
    """Compress an array (nz, ny, nx) or (ny, nx), float32 or float64, in memory. Not collective.

    Args:
        array: read in place; or a Volume (`insitu.io.sources.open_volume`).
        name: kept with the array.
        block: most cells per axis of a block; each has a network of its own.
        progress: called with the number of blocks done and of all.
        codec: `inr`, a neural field; `sz3`, `zfp` or `sperr`, bricks by that compressor; `auto`,
            for each block whichever takes the fewest bytes.
        target: `psnr` in dB against the array's range (default 40), `ratio`, `max_error` as a
            number or {"rel": fraction of the range}, `iterations`, `seconds` per block; see
            `insitu.training.options.Target`.

    Values that are not finite are left out and decode to something finite. Whether the target was
    reached, `psnr_db` of the result says. Raises ConfigError (a ValueError) for another shape or
    type, or a target that does not exist or is out of range.
    """
    volume = array if isinstance(array, ArraySource) else ArrayVolume(np.asanyarray(array), name)
    job = CompressionJob.of(volume, make_target(**target), block, codec)
    n = len(job.blocks)
    whole = job.range_of(range(n))[volume.name]
    done, frames = [], []
    for number in range(n):
        finished, data = job.compress(number, whole)
        done.append(finished)
        frames.append(data)
        if progress:
            progress(number + 1, n)
    return CompressedArray(job.header(whole, done), frames.__getitem__)


def share_range(comm: MPI.Comm, job: CompressionJob) -> dict[str, GlobalRange]:
    """This rank's share of the pass over the whole array for its range. Not collective."""
    return job.range_of(range(comm.rank, len(job.blocks), comm.size))
