"""The model of one block, by bytes: a sparse grid, or a network where that can take fewer.

In: a job whose model is a network. Out: the field of either, and why. No communication.

A sparse grid costs milliseconds. A network is trained only if a pilot, its smallest size with a
part of the steps, suggests that it reaches the same quality in fewer bytes. The winner is kept for
the following steps, and compared again after some. The other one has to be clearly better then: a
change of model costs a whole frame where a difference would do. Nothing of this outlives the
process: after a restart both are compared at the first step.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import Choice
from insitu.models.base import SizeOption
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.error_bounds import extents
from insitu.training.extreme import powers_of
from insitu.training.job import TrainingJob
from insitu.training.train import train, worth
from insitu.training.trial import FitResult, Trial
from insitu.training.warm_start import choose_start

# Both are compared again after this many steps.
_TRY_AGAIN = 20
# The kind that a block has is kept unless the other takes less than this part of its bytes, or with
# a ratio is so many dB better.
_CLEARLY, _CLEARLY_DB = 0.95, 0.5
# Bytes of a network: at least, and typically, per parameter; of its frame.
_LEAST_PER_PARAMETER, _PER_PARAMETER, _OVERHEAD = 0.12, 0.4, 250
# Part of the steps of a training of the smallest size.
_PILOT = 0.25
# Factor from one size to the next, and what it gains on rough fields.
_GROWTH, _DB_PER_SIZE = 1.5, 1.5


def train_smallest(job: TrainingJob) -> BlockField:
    """The block as the job's network or as a sparse grid, whichever takes fewer bytes for the
    target, or, with `target.ratio`, is the more accurate. Not collective.

    The choice is noted in `job.memory`. Raises as `train`.
    """
    memory = job.memory
    if not _codable(job):
        return train(job)
    due = memory.model is None or memory.model_age >= _TRY_AGAIN
    memory.model_age += 1
    field: BlockField
    if not due:
        field = train(_as_sparse(job) if memory.model == SparseGrid.kind else job)
    else:
        field, memory.other_nbytes = _compared(job)
        known = field.as_model
        model = known and known.model
        # A constant has no model: whatever comes after it is compared.
        memory.model, memory.model_age = model.kind if model else None, 0
    if memory.model is not None:
        memory.choice = Choice(memory.model, 1, field.nbytes, memory.other_nbytes)
    else:
        memory.choice = None
    return field


def _compared(job: TrainingJob) -> tuple[BlockField, int]:
    """The better field, and the bytes that the other model takes, about."""
    start, seconds = job.clock(), job.target.seconds
    sparse = train(_as_sparse(job))
    if not np.max(job.extent, initial=0.0) > 0:
        return sparse, 0
    end = np.inf if seconds is None else start + seconds
    misses = _misses(sparse, job)
    expected: float = _least_nbytes(job)
    if (misses or expected < sparse.nbytes) and job.clock() < end:
        expected = max(expected, _expected_nbytes(job, sparse, end))
    if (misses or expected < sparse.nbytes) and job.clock() < end:
        left = None if seconds is None else max(end - job.clock(), 1e-3)
        network = train(job.with_target(seconds=left))
        spent = sparse.metrics.seconds + network.metrics.seconds
        best, other = _in_order(sparse, network, job)
        best = replace(best, metrics=replace(best.metrics, seconds=spent), _bytes=None)
        return best, other.nbytes
    return sparse, round(expected) if np.isfinite(expected) else 0


def _in_order(
    sparse: BlockField, network: BlockField, job: TrainingJob
) -> tuple[BlockField, BlockField]:
    """The better one first; between equals, the kind that the block has."""
    best, other = sorted((sparse, network), key=lambda field: rank(field, job))
    kind = job.memory.model
    mine = sparse if kind == SparseGrid.kind else network
    if kind is None or mine is best or _misses(mine, job):
        return best, other
    extent = extents(job.whole).tolist()
    more_db = best.metrics.psnr_db(extent) - mine.metrics.psnr_db(extent)
    close = best.nbytes > _CLEARLY * mine.nbytes
    if job.target.ratio is not None:
        close = more_db < _CLEARLY_DB
    return (mine, best) if close else (best, other)


def rank(field: BlockField, job: TrainingJob) -> tuple[bool, float, float]:
    """Order of fields by how well they serve the job's target: smaller is better."""
    target = job.target
    psnr = field.metrics.psnr_db(extents(job.whole).tolist())
    if target.ratio is not None:
        large = field.metrics.raw_nbytes < target.ratio * field.nbytes
        return large, field.nbytes if large else 0.0, -psnr
    return target.psnr is not None and psnr < target.psnr, float(field.nbytes), -psnr


def _misses(field: BlockField, job: TrainingJob) -> bool:
    return rank(field, job)[0]


def _codable(job: TrainingJob) -> bool:
    """Whether the block fits into a sparse grid."""
    nz, ny, nx = job.partition.owned[0].shape
    try:
        SparseGrid(shape=(nx, ny, nz), n_outputs=job.partition.n_components).check()
    except ValueError:
        return False
    return True


def _as_sparse(job: TrainingJob) -> TrainingJob:
    return replace(job, model=SparseGrid(), any_model=False)


def _smallest(job: TrainingJob) -> SizeOption:
    if job.sized_by_target:
        return job.of_block.sizes(job.partition.n_voxels)[0]
    return SizeOption(job.of_block, 1.0)


def _least_nbytes(job: TrainingJob) -> int:
    """Bytes below which no network is."""
    return round(_LEAST_PER_PARAMETER * _smallest(job).model.n_params) + _OVERHEAD


def _expected_nbytes(job: TrainingJob, sparse: BlockField, end: float) -> float:
    """Bytes of a network with the quality of the sparse grid, from a pilot; infinite where that is
    unknown. end: of the time for it, by the job's clock."""
    if powers_of(job) is not None:
        return math.inf  # errors are only known in other units
    size = _smallest(job)
    goal = job.target.psnr or sparse.metrics.psnr_db(extents(job.whole).tolist())
    if job.bounds is not None:
        goal = max(job.target.psnr or 1.0, worth(job.bounds, job.whole))
    pilot = Trial(
        job.with_target(psnr=goal),
        size.model,
        choose_start(job, size.model),
        job.options.iterations(job.partition.n_voxels),
    )
    result = pilot.try_fit(end, _PILOT * size.share)
    if isinstance(result, FitResult):
        missing, nbytes = pilot.missing_db(result), len(result.weights.payload)
    else:
        missing, nbytes = result.missing_db, round(_PER_PARAMETER * size.model.n_params)
    if missing and not job.sized_by_target:
        return math.inf
    return float(nbytes * _GROWTH ** (missing / _DB_PER_SIZE)) + _OVERHEAD
