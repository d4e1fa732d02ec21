"""Time for several blocks, shared out as they go.

In: blocks to be trained, and when all must be done. Out: how long the next may take, and whether
all can be done at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter

from insitu.fields.block_field import BlockField
from insitu.fields.neural_field import NeuralField
from insitu.mesh.partition import Partition
from insitu.models.base import Model
from insitu.training.block import seconds_after_training

# Of one block, at least: what ends at once still has to begin.
_LEAST_SECONDS = 1e-3


class Deadline:
    """Shares what is left between blocks by their samples; what a block leaves, the others get."""

    def __init__(self, seconds: float, blocks: Iterable[Partition]) -> None:
        """seconds: from now on, for all of `blocks`."""
        self.end = perf_counter() + seconds
        self._samples = sum(map(_samples, blocks))  # of the blocks that are still to come

    def next(self, block: Partition) -> float:
        """Seconds for this block, one of those that are still to come."""
        samples = _samples(block)
        share = (self.end - perf_counter()) * samples / self._samples
        self._samples -= samples
        return max(share, _LEAST_SECONDS)


def least_seconds(
    block: Partition, network: Model, lossy: bool, before: BlockField | None
) -> float:
    """What a block takes at the least, however short its training. Not collective.

    network: the smallest that it may get; lossy: whether its weights' codec is. before: the block
    one step earlier: what was made without a network, or with a residual, takes as long again; else
    it is what measuring a network takes, tried on a part of the block.
    """
    if before is not None and not (isinstance(before, NeuralField) and before.residual is None):
        return before.metrics.seconds
    return seconds_after_training(block, network, lossy)


def _samples(block: Partition) -> int:
    return block.n_voxels * block.n_components
