"""Training of one model on one block, until its compressed weights meet the target.

In: a job, the model at one size, its initial weights. Out: decoded weights and their errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.weights import Weights
from insitu.engines import Engine
from insitu.engines.base import Trainer
from insitu.engines.options import Errors, TrainerOptions
from insitu.engines.points import PointSampler
from insitu.mesh.partition import Partition
from insitu.models.base import Model
from insitu.training.compression import compress_params
from insitu.training.job import TrainingJob
from insitu.training.measure import measure, measure_mapped, seconds_to_measure
from insitu.training.warm_start import InitialState

# Ctrl-C works between slices; well within the 50 ms that users perceive as immediate.
SLICE_SECONDS = 0.02
# Adam as in DVNR, except for beta2 (0.999 there): for short training this gains 0.3 to 0.6 dB.
ADAM = {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "l2": 1e-9}
# Decay of the moving averages: they cover about the last 50 steps.
AVERAGE = 0.98
# Distance from the target at which the learning rate starts to decay.
APPROACH_DB = 6.0
# Where the measured quality misses a target that the moving average has reached, the goal is raised
# by the difference plus this.
RETRY_DB = 0.1
# Number of samples that is sufficient to compare compression attempts.
_SAMPLES = 2**17
# Points at which the slope of a transform is averaged.
_POINTS = 2048
# Typical number of attempts.
_TRIES = 5

Floats = NDArray[np.float64]


def seconds_after_training(
    partition: Partition, model: Model, lossy: bool, engine: Engine, clock: Callable[[], float]
) -> float:
    """Estimated time to compress and measure a trained block. Not collective.

    lossy: whether the codec tries several coarsenesses, as all except `half` do.
    """
    tries = _TRIES if lossy else 1
    passes = 1 + tries * min(1.0, _SAMPLES / partition.n_voxels)
    return passes * seconds_to_measure(partition, model, engine, clock)


class FitResult(NamedTuple):
    """The result of training: decoded weights, number of steps, measured errors."""

    model: Model | None
    """None: a constant."""
    weights: Weights
    iterations: int
    errors: list[Errors]


class Shortfall(NamedTuple):
    """The state of a training that ended short of the target, and the missing accuracy."""

    params: NDArray[np.float32]
    iterations: int
    missing_db: float


class Run(NamedTuple):
    """A training under way."""

    trainer: Trainer
    end: float
    """When it has to end, by the job's clock."""
    margin: float
    """Factor of the error before compression to that afterwards, as the target allows it."""


@dataclass(frozen=True, eq=False)
class Trial:
    """A job with one size of its model, for a block that is not constant."""

    job: TrainingJob
    """Job with the PSNR target of the training."""
    model: Model
    first: InitialState
    steps: int
    """Number of training steps, where the target does not give it."""

    @property
    def extent(self) -> Floats:
        return self.job.extent

    @cached_property
    def scale(self) -> Floats:
        """Factors from units of the block's own range to those of the global range, as for PSNR."""
        extent = self.job.whole.range[:, 1] - self.job.whole.range[:, 0]
        return np.divide(self.extent, extent, out=np.zeros_like(extent), where=extent > 0)

    @cached_property
    def output_scale(self) -> Floats:
        """Factors from units of the outputs to those of the global range. Behind a transform its
        root mean square slope: what is promised is measured."""
        transform = self.job.transform
        if transform is None:
            return self.scale
        _, mapped = self.job.probes(_POINTS)
        slope = np.sqrt(np.nanmean(np.square(transform.slope(mapped)), axis=0))
        return np.asarray(
            slope
            * np.divide(
                self.scale, self.extent, out=np.zeros_like(self.extent), where=self.extent > 0
            )
        )

    @property
    def goal(self) -> float:
        """Sufficient root mean square error, in units of the global range."""
        psnr = self.job.target.psnr
        return 0.0 if psnr is None else 10 ** (-psnr / 20)

    def fit(self, end: float) -> FitResult:
        """Train until the target is met, until the last step, or until just enough time is left to
        measure before `end`, a time of the job's clock. The target applies to the decoded
        weights."""
        fit = self._finish(self.begin(end, 1.0), True)
        assert isinstance(fit, FitResult)
        return fit

    def try_fit(self, end: float, share: float) -> FitResult | Shortfall:
        """As `fit`, with the fraction `share` of the steps. Where these end short of the target and
        there is time left, nothing is compressed."""
        return self.finish(self.begin(end, share))

    def begin(self, end: float, share: float) -> Run:
        """The training of `try_fit`, of which no step has been done."""
        codec, job = self.job.compression, self.job
        lossy = codec.compression != "half"
        if end < np.inf:
            end -= seconds_after_training(job.partition, self.model, lossy, job.engine, job.clock)
        # What a codec may lose has to be gained first.
        margin = 10 ** (-codec.compression_loss / 20) if lossy else 1.0
        seconds = max(end - job.clock(), 1e-9)
        trainer = self._trainer(self._trainer_options(self.goal * margin, seconds, share))
        return Run(trainer, end, margin)

    def finish(self, run: Run) -> FitResult | Shortfall:
        """The result of `try_fit` from what `begin` returned, whatever has been trained since."""
        return self._finish(run, False)

    def finalize(self, missed: Shortfall) -> FitResult:
        """Compress the result although it is short of the target."""
        before = self._error_of_some(missed.params)
        weights = self._compressed(missed.params, before)
        return FitResult(self.model, weights, missed.iterations, self._measure(weights.params))

    def recompress(self, fit: FitResult, loss: float) -> FitResult:
        """The fit in fewer bytes, for an additional loss of `loss` dB."""
        options = replace(self.job.compression, compression_loss=loss)
        trial = replace(self, job=replace(self.job, compression=options))
        before = trial._error_of_some(fit.weights.params)
        weights = trial._compressed(fit.weights.params, before)
        return fit._replace(weights=weights, errors=trial._measure(weights.params))

    def _finish(self, run: Run, last: bool) -> FitResult | Shortfall:
        psnr, (trainer, end, margin) = self.job.target.psnr, run
        while True:
            while not trainer.run(min(SLICE_SECONDS, end - self.job.clock())):
                if self.job.clock() >= end:
                    break
            params = trainer.params
            before = self._error_of_some(params)
            # Whether it ended at the last step, or at the threshold of the loss.
            over = trainer.exhausted or trainer.root_mean_square >= trainer.error_threshold
            late = self.job.clock() >= end
            error = before / margin
            if over and not last and not late and error > self.goal and psnr is not None:
                return Shortfall(params.copy(), trainer.iteration, self._missing_db(error))
            over = over or late
            if over or error <= self.goal:
                weights = self._compressed(params, before)
                errors = self._measure(weights.params)
                error = self._error(errors)
                if over or error <= self.goal or self.job.clock() >= end:
                    return FitResult(self.model, weights, trainer.iteration, errors)
            trainer.error_threshold *= self.goal / error * 10 ** (-RETRY_DB / 20)

    def _trainer(self, options: TrainerOptions) -> Trainer:
        job, origin, params = self.job, self.first.origin, self.first.params
        if isinstance(job.trained, PointSampler):
            return job.engine.point_trainer(
                self.model, params, job.trained, origin, job.unit, self.output_scale, options
            )
        return job.engine.trainer(
            self.model, params, job.trained, origin, job.unit, self.output_scale, options
        )

    def missing_db(self, fit: FitResult) -> float:
        """How far a fit is below the target, in dB; 0 where it is met, or there is no target."""
        return self._missing_db(self._error(fit.errors))

    def _missing_db(self, error: float) -> float:
        return max(0.0, 20 * np.log10(error / self.goal)) if self.goal > 0 and error > 0 else 0.0

    def _compressed(self, params: NDArray[np.float32], before: float) -> Weights:
        return compress_params(
            self.model, params, self.job.compression, lambda p: self._error_of_some(p) ** 2,
            engine=self.job.engine, before=before**2, goal=self.goal**2, scale=self.output_scale,
            samples=min(self.job.sampler.samples, _SAMPLES), seed=self.job.options.seed,
        )  # fmt: skip

    def _measure(self, params: NDArray[np.float32], every: int = 1) -> list[Errors]:
        job = self.job
        if job.transform is not None:
            return measure_mapped(job, job.transform, self.model, params, self.first.origin, every)
        return measure(
            job.engine, self.model, params, job.sampler, self.first.origin, self.extent, every
        )

    def _error_of_some(self, params: NDArray[np.float32]) -> float:
        """`_error` at a part of a large block's samples: sufficient to compare attempts of a codec,
        and to decide whether measuring the whole block is worthwhile."""
        # An odd number, so that samples are not at the same positions in every row.
        return self._error(self._measure(params, max(1, self.job.sampler.samples // _SAMPLES) | 1))

    def _error(self, errors: list[Errors]) -> float:
        """Root mean square error over all components, in units of their global ranges."""
        total, count = 0.0, 0
        for error, scale, extent in zip(errors, self.scale, self.extent, strict=True):
            if extent > 0:
                total += error.sum_of_squares * (scale / extent) ** 2
            count += error.finite
        return float(np.sqrt(total / count)) if count else 0.0

    def _trainer_options(self, goal: float, seconds: float, share: float) -> TrainerOptions:
        options, target = self.job.options, self.job.target
        n_train = round(share * self.steps)
        return TrainerOptions(
            batch=options.batch,
            candidates=options.candidates,
            hardest=options.hardest,
            plateau=options.plateau,
            learning_rate=options.learning_rate,
            final_rate=options.final_rate,
            decay=options.decay,
            iterations=n_train if target.iterations is None else target.iterations,
            seconds=seconds,
            loss_threshold=options.loss_threshold or 0.0,
            error_threshold=goal,
            approach=APPROACH_DB,
            average=AVERAGE,
            huber=options.huber,
            seed=options.seed,
            boundary_share=options.lambda_boundary,
            boundary_sigma=options.sigma,
            **ADAM,
        )
