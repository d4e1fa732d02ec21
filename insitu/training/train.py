"""Training of a model on one partition.

In: a job. Out: a ModelField whose quality was measured by evaluating it at every owned sample. No
communication.
"""

from __future__ import annotations

import math

import numpy as np

from insitu.codecs.weights import Weights
from insitu.core.arrays import Floats
from insitu.core.scaled import leading_bits
from insitu.engines.options import Errors
from insitu.fields.metrics import FieldMetrics
from insitu.fields.model_field import ModelField
from insitu.fields.validity_mask import ValidityMask
from insitu.mesh.partition import Partition
from insitu.models.base import Model, SizeOption
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.error_bounds import extents
from insitu.training.extreme import in_field_units, in_units, powers_of
from insitu.training.job import TrainingJob
from insitu.training.measure import measure, measured
from insitu.training.ranges import BlockRange, GlobalRange
from insitu.training.ratio import fit_to_bytes
from insitu.training.residual import with_target_residual
from insitu.training.search import search
from insitu.training.sparse_grid import SparseFitter
from insitu.training.trial import FitResult, Trial
from insitu.training.warm_start import choose_start

# Bits of errors and seconds of a sparse grid: its payload may be shorter than its header.
_ERROR_BITS, _SECONDS_BITS = 12, 4
# Added to the PSNR of a constant error equal to the bound.
_MORE_DB = 6.0
# Most training steps where a residual corrects the model to `max_error`, unless `n_min` is more. On
# 96^3 samples with bounds of 1e-4 and 1e-3 of the range, all 14,000 steps save a tenth of the bytes
# for seven times the time; with 1e-2, a quarter.
_STEPS_BESIDE_A_RESIDUAL = 1000
# Training steps of all sizes of a model together, in units of those of one training: with what is
# left to a correction, 2 to 3 CPU seconds for 128^3 samples on one core with AVX2. With 0.5, rough
# fields take 4 to 7 s, and up to a quarter more bytes than with more of a correction.
_STEPS_OF_ALL_SIZES = 0.2


def train(job: TrainingJob) -> ModelField:
    """Fit a model to one partition (DVNR section III). Not collective.

    A residual is added where the model alone exceeds `target.max_error`.

    Ctrl-C interrupts between two slices of training. `target.seconds` includes the pass over the
    block that measures the quality, and is exceeded where that leaves no time for a training step.

    Nonfinite samples are left out of training and counted. A block without a finite sample
    becomes a constant NaN; a constant block becomes exactly that constant, without a model. Where
    a component is NaN (outside the domain, masked, land in an ocean), the field has a hole.
    Raises `residual.TooTight` where rounding of the sum violates `target.max_error`.
    """
    start = job.clock()
    powers = powers_of(job)
    field = _fit(job if powers is None else in_units(job, powers), start)
    if powers is not None:
        field = in_field_units(field, powers)
    in_time = job.target.seconds is None or job.clock() < start + job.target.seconds
    if job.partition.scattered is not None:
        # A residual corrects samples of a grid. These are interpolated; the points are the data.
        if job.bounds is not None:
            raise ValueError(
                f"max_error: field '{job.partition.field}' has its values at points, where model "
                f"{job.model.kind} can guarantee none; give psnr, or a model for grids"
            )
        return field
    corrected = job.bounds is not None or (_sized(job) and in_time)
    return with_target_residual(field, job) if corrected and job.target.ratio is None else field


def _sized(job: TrainingJob) -> bool:
    """Whether the size of the model follows from the target."""
    return job.sized_by_target and job.target.iterations is None


def _fit(job: TrainingJob, start: float) -> ModelField:
    """The model alone. start: when training began, by the job's clock."""
    partition, target, own = job.partition, job.target, job.own
    sized = _sized(job)
    n_voxels = job.sampler.samples
    goal, steps = job, job.options.iterations(n_voxels)
    if job.model.scattered:
        steps = job.options.point_iterations(n_voxels)
    if job.bounds is not None:
        pays = worth(job.bounds, job.whole)
        goal = job.with_target(psnr=max(target.psnr or 1.0, pays))
        # Also where `psnr` asks for more: the residual carries what the model misses of it.
        steps = min(steps, max(_STEPS_BESIDE_A_RESIDUAL, job.options.n_min))
    end = np.inf if target.seconds is None else start + target.seconds

    def trial_for(model: Model) -> Trial:
        return Trial(goal, model, choose_start(job, model), steps)

    def finish(trial: Trial | None, fit: FitResult) -> ModelField:
        warm, origin = False, own.range[:, 0]
        if trial is not None:
            warm, origin = trial.first.warm, trial.first.origin
        seconds = leading_bits(job.clock() - start, _SECONDS_BITS)
        metrics = measured(partition, own, fit.errors, fit.iterations, seconds, warm)
        return _field(job, fit.model, fit.weights, origin, metrics)

    if not np.max(job.extent, initial=0.0) > 0:
        nothing = Weights.none()
        errors = measure(job.engine, None, nothing.params, job.sampler, own.range[:, 0], job.extent)
        field = finish(None, FitResult(None, nothing, 0, errors))
    elif isinstance(job.model, SparseGrid):
        fitted = SparseFitter(job).fit(end)
        seconds = job.clock() - start
        errors = fitted.errors if job.bounds is not None else [_short(e) for e in fitted.errors]
        seconds = leading_bits(seconds, _SECONDS_BITS)
        metrics = measured(partition, own, errors, fitted.trials, seconds, fitted.warm)
        field = _field(job, fitted.model, fitted.weights, fitted.origin, metrics)
    elif target.ratio is not None:
        most = n_voxels * sum(c.dtype.itemsize for c in partition.components)
        options = job.of_block.sizes(n_voxels) if sized else [SizeOption(job.of_block, 1.0)]
        earlier = job.earlier if job.options.warm_start else None
        return fit_to_bytes(trial_for, finish, options, most / target.ratio, earlier, end)
    elif goal.target.psnr is not None and sized:
        before = None if job.earlier is None else job.earlier.model
        paying = job.of_block.sizes(n_voxels, corrected=True)
        smaller = job.memory.smaller_is_due()
        most = max(round(_STEPS_OF_ALL_SIZES * steps), 2 * job.options.n_min)
        trial, fit = search(trial_for, paying, before, end, most=most, smaller=smaller)
        job.memory.update(fit.iterations, steps)
        field = finish(trial, fit)
    else:
        trial = trial_for(job.of_block)
        field = finish(trial, trial.fit(end))
    return field


def _short(errors: Errors) -> Errors:
    """Errors that take few bytes in a header: 0.001 dB, and 0.02 % of the largest one."""
    largest = leading_bits(errors.max, _ERROR_BITS)
    if largest < errors.max:
        largest += math.ulp(errors.max) * 2 ** (52 - _ERROR_BITS)
    squares = leading_bits(errors.sum_of_squares, _ERROR_BITS)
    return errors._replace(sum_of_squares=squares, max=largest)


def _field(
    job: TrainingJob, model: Model | None, weights: Weights, origin: Floats, metrics: FieldMetrics
) -> ModelField:
    partition = job.partition
    trained = model is not None and model.trained
    return ModelField(
        name=partition.field,
        association=partition.association,
        cells=partition.cells,
        nodes=partition.nodes,
        range=job.own.range,
        dtype=partition.components[0].dtype,
        model=model,
        weights=weights,
        metrics=metrics,
        domain_id=partition.domain_id,
        dimension=partition.dimension,
        cycle=job.cycle,
        time=job.time,
        origin=origin,
        transform=job.transform if trained else None,
        holes=_holes(partition, job.own),
        engine=job.engine,
    )


def _holes(partition: Partition, own: BlockRange) -> ValidityMask | None:
    if not own.nan_count and partition.scattered is None:
        return None
    outside = np.any([np.isnan(component) for component in partition.owned], axis=0)
    return ValidityMask.of(outside, partition.association == "vertex") if outside.any() else None


def worth(bounds: Floats, whole: GlobalRange) -> float:
    """PSNR in dB up to which training is worthwhile where a residual ensures these bounds.

    Measured on the volumes of `models.hash_grid.sizes` with bounds of 1e-3 to 3e-2 of the range:
    the total size is smallest where small networks come close to this PSNR.
    """
    extent = extents(whole)
    relative = [b / e for b, e in zip(bounds, extent, strict=True) if e > 0]
    return float(np.clip(_MORE_DB - 20 * np.log10(min(relative, default=1.0)), 1.0, 120.0))
