"""Time for several blocks, shared out as they go.

In: blocks to be trained, and when all must be done. Out: how long the next may take, and whether
all can be done at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter

from insitu.mesh.partition import Partition
from insitu.training.job import TrainingJob
from insitu.training.trial import seconds_after_training

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


def least_seconds(job: TrainingJob) -> float:
    """What a block takes at the least, however short its training. Not collective.

    What was made without a model one step earlier, or with a residual, takes as long again; else it
    is what measuring the smallest model takes that the block may get, tried on a part of the block.
    """
    before, block = job.previous, job.partition
    if before is not None and not before.model_alone:
        return before.metrics.seconds
    model = job.of_block
    if job.sized_by_target:
        model = model.sizes(block.n_voxels)[0].model
    lossy = job.compression.compression != "half"
    return seconds_after_training(block, model, lossy, job.engine, job.clock)


def _samples(block: Partition) -> int:
    return block.n_voxels * block.n_components
