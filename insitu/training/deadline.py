"""Distribution of a time limit over several blocks.

In: blocks to be trained, and a common time limit. Out: the time for the next block, and whether
the limit is feasible at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter

from insitu.mesh.partition import Partition
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.job import TrainingJob
from insitu.training.trial import seconds_after_training

# Minimum for one block, for the setup of its training.
_LEAST_SECONDS = 1e-3
# Seconds to fit a sample of a sparse grid, about.
_PER_SAMPLE = 2e-7


class Deadline:
    """Distributes the remaining time in proportion to the samples; unused time goes to the rest."""

    def __init__(self, seconds: float, blocks: Iterable[Partition]) -> None:
        """seconds: time from now on for all `blocks`."""
        self.end = perf_counter() + seconds
        self._samples = sum(map(_samples, blocks))  # of the remaining blocks

    def next(self, block: Partition) -> float:
        """Seconds for this block, which must be one of the remaining ones."""
        samples = _samples(block)
        share = (self.end - perf_counter()) * samples / self._samples
        self._samples -= samples
        return max(share, _LEAST_SECONDS)


def least_seconds(job: TrainingJob) -> float:
    """Minimum time for a block, with the shortest training or as a sparse grid. Not collective.

    Where the block had no model at the previous step, or a residual, it is the time taken then.
    Otherwise it is the time to measure the smallest model allowed for the block, estimated from a
    part of the block.
    """
    before, block = job.previous, job.partition
    if before is not None and not before.model_alone:
        return before.metrics.seconds
    model = job.of_block
    if isinstance(model, SparseGrid) or job.any_model:
        known = 0.0 if before is None else before.metrics.seconds
        return known or _PER_SAMPLE * _samples(block)
    if job.sized_by_target:
        model = model.sizes(job.sampler.samples)[0].model
    lossy = job.compression.compression != "half"
    return seconds_after_training(block, model, lossy, job.engine, job.clock)


def _samples(block: Partition) -> int:
    return block.n_voxels * block.n_components
