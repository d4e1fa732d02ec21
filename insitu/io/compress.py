"""Compression of arrays, in memory on one process; `compress_file` does it from file to file.

In: an ArraySource and a target. Out: a CompressedArray.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
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
from insitu.models.choice import AUTO, ModelChoice, ModelWord
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.options import Target
from insitu.training.ranges import GlobalRange, MeasuredBlock, join_ranges, local_ranges
from insitu.training.select_codec import AUTO as AUTO_CODEC
from insitu.training.select_codec import MODEL

if TYPE_CHECKING:
    from mpi4py import MPI

_CELLS = 8, 1024  # of a block along an axis

Progress = Callable[[int, int], None]
"""Called with the number of samples that are done, and the number of all samples."""


@dataclass(frozen=True)
class ChunkInfo:
    """The entry of a compressed block in the header."""

    number: int
    nbytes: int
    metrics: FieldMetrics


@dataclass(frozen=True)
class CompressionJob:
    """An array to compress, its division into blocks, the target, and the model."""

    volume: ArraySource
    blocks: ChunkGrid
    target: Target
    choice: ModelChoice
    """With a kind."""
    codec: str = MODEL
    ghosts: bool = True
    """Whether a block is read with a layer of its neighbours' samples."""
    plateau: int = 0
    """`training.options.TrainingOptions.plateau`."""

    @staticmethod
    def of(
        volume: ArraySource,
        target: Target,
        block: int = DEFAULT_CELLS,
        codec: str = MODEL,
        model: Any = None,
        plateau: int = 0,
    ) -> CompressionJob:
        """block: maximum cells per axis, 8 to 1024. model: as in a run file. Raises ConfigError
        for a block out of range, for an unknown model, and for one that cannot have the target, or
        `plateau`."""
        try:
            most = Range(*_CELLS, "cells").check(block, int)
        except (TypeError, ValueError) as error:
            raise ConfigError([f"block: {error}"]) from None
        blocks = ChunkGrid.cut(volume.grid_shape, volume.association, most)
        choice = _choice(model, target, plateau)
        job = CompressionJob(volume, blocks, target, choice, codec, plateau=plateau)
        return job._checked()

    def _checked(self) -> CompressionJob:
        """The same. Raises ConfigError where a block has more samples than a sparse grid may
        have."""
        if self.choice.kind != SparseGrid.kind or self.codec not in (MODEL, AUTO_CODEC):
            return self
        z, y, x = (axis.stop - axis.start for axis in self.blocks.box(len(self.blocks) - 1))
        try:
            SparseGrid(shape=(x, y, z)).check()
        except ValueError as error:
            raise ConfigError([f"block: {error}; give fewer cells, or another model"]) from None
        return self

    def cut_into(self, parts: tuple[int, int, int]) -> CompressionJob:
        """The same with so many blocks along x, y, z, of at most 1024 cells along an axis, which
        are in memory one at a time. Raises ConfigError, also for more samples than a model of
        this kind may have."""
        try:
            blocks = ChunkGrid.into(self.volume.grid_shape, self.volume.association, parts)
            for axis in blocks.bounds:
                Range(1, _CELLS[1], "cells of a block").check(max(np.diff(axis)), int)
        except ValueError as error:
            raise ConfigError([f"blocks: {error}"]) from None
        return replace(self, blocks=blocks)._checked()

    @property
    def n_samples(self) -> int:
        """Samples of all blocks; vertices on a face that two blocks share count twice."""
        return self._ends[-1]

    def samples_before(self, number: int) -> int:
        """Samples of the blocks with a lower number."""
        return self._ends[number - 1] if number else 0

    @cached_property
    def _ends(self) -> list[int]:
        boxes = (self.blocks.box(number) for number in range(len(self.blocks)))
        sizes = (math.prod(axis.stop - axis.start for axis in box) for box in boxes)
        return list(accumulate(sizes))

    def range_of(self, numbers: Sequence[int]) -> dict[str, GlobalRange]:
        """Value range of the given blocks, keyed by array name; empty if there are none.

        Each block is read once.
        """
        found: dict[str, GlobalRange] = {}
        for number in numbers:
            part = read_partition(self.volume, self.blocks, number, ghosts=False)
            read = {self.volume.name: [MeasuredBlock.of(part)]}
            found = join_ranges(found, local_ranges(read, read))  # `rough`: for shared faces
        return found

    def compress(self, number: int, whole: GlobalRange) -> tuple[ChunkInfo, bytes]:
        """Compress one block -> its header entry and its frame."""
        part = read_partition(self.volume, self.blocks, number, ghosts=self.ghosts)
        field = fit(part, whole, self._block_target, self.choice, self.codec, self.plateau)
        # Wall-clock times would make the output differ from run to run.
        field = replace(field, metrics=replace(field.metrics, seconds=0.0), _bytes=None)
        data = field.to_bytes()
        return ChunkInfo(number, len(data), field.metrics), data

    @property
    def _block_target(self) -> Target:
        """The target of a block, whose samples may have more bytes than those of the file."""
        ratio = self.target.ratio
        if ratio is None:
            return self.target
        unpacked = self.volume.dtype.itemsize / self.volume.sample_nbytes
        return replace(self.target, ratio=ratio * unpacked)

    def header(self, whole: GlobalRange, done: Sequence[ChunkInfo]) -> ArrayHeader:
        """The header for all blocks, which may be given in any order."""
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
    model: Any = None,
    progress: Progress | None = None,
    **target: Any,
) -> CompressedArray:
    """Compress an array (nz, ny, nx) or (ny, nx) of real numbers in memory. Not collective.

    Args:
        array: read in place, without a copy; or an ArraySource (`insitu.io.sources.open_volume`).
            Integers and float16 decode to float32, those of more than 16 bits to float64.
            What a `numpy.ma` mask hides is NaN.
        name: stored with the array.
        block: maximum cells per axis of a block; each block has its own model.
        progress: called after each block, with the number of samples that are done and of all.
        codec: `inr`, a model; `sz3`, `zfp` (in bricks) or `sperr`, that compressor;
            `auto`, whichever gives the smallest size for each block.
        model: its kind, or a mapping with `kind` and options of its shape, as in a run file;
            "auto": for each block a sparse grid, or a hash grid where that is smaller. Default: a
            sparse grid; a hash grid where `iterations` is given.
        target: `psnr` in dB relative to the array's range (default 40) or `quality` ("draft",
            "visual", "fine": 40, 55, 70 dB), `ratio`, `max_error` as a
            number or {"rel": fraction of the range}, `iterations`, `seconds` per block; see
            `insitu.training.options.Target`.

    Non-finite values are ignored in training. NaN, as on land in an ocean, decode to NaN;
    infinities to finite values, unless `max_error` or another codec keeps them. Check `psnr_db` of
    the result to see whether the target was reached. Raises ConfigError (a ValueError) for an
    unsupported shape or dtype, or for an unknown or out-of-range target or model.
    """
    volume = array if isinstance(array, ArraySource) else ArrayVolume(np.asanyarray(array), name)
    job = CompressionJob.of(volume, make_target(**target), block, codec, model)
    n = len(job.blocks)
    whole = job.range_of(range(n))[volume.name]
    done, frames = [], []
    for number in range(n):
        finished, data = job.compress(number, whole)
        done.append(finished)
        frames.append(data)
        if progress:
            progress(job.samples_before(number + 1), job.n_samples)
    return CompressedArray(job.header(whole, done), frames.__getitem__)


def _choice(model: Any, target: Target, plateau: int) -> ModelChoice:
    """The model with a kind. Raises ConfigError."""
    try:
        given = ModelChoice() if model is None else ModelWord().check(model)
        choice = given.resolved(training=target.iterations is not None or plateau > 0)
        trained = choice.with_network()[0].trained and choice.kind != AUTO
    except ValueError as error:
        raise ConfigError([f"model: {error}"]) from None
    if target.iterations is not None and not trained:
        raise ConfigError([f"iterations limits training; model {choice.kind} may not train"])
    if plateau and not trained:
        raise ConfigError([f"plateau ends training; model {choice.kind} may not train"])
    if choice.kind == AUTO and not target.is_goal:
        raise ConfigError(["model auto needs psnr, quality, ratio or max_error"])
    return choice


def share_range(comm: MPI.Comm, job: CompressionJob) -> dict[str, GlobalRange]:
    """Value range of this rank's share of the blocks (every `comm.size`-th). Not collective."""
    return job.range_of(range(comm.rank, len(job.blocks), comm.size))
