"""The training of one model on one block, until what is kept of it is good enough.

In: a job, the model at one size, where its weights start. Out: weights as they will be read back,
with their errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.weights import Weights
from insitu.engines import Engine
from insitu.engines.options import Errors, TrainerOptions
from insitu.mesh.partition import Partition
from insitu.models.base import Model
from insitu.training.compression import compress_params
from insitu.training.job import TrainingJob
from insitu.training.measure import measure, seconds_to_measure
from insitu.training.warm_start import InitialState

# Between slices Python gets to see a Ctrl-C; well within the 50 ms in which one feels prompt.
SLICE_SECONDS = 0.02
# Adam as in DVNR, but for beta2 (0.999 there), which follows a short training: 0.3 to 0.6 dB.
ADAM = {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "l2": 1e-9}
# Most weight of the past in the moving averages: about the last 50 steps count.
AVERAGE = 0.98
# So far above its target the learning rate begins to fall.
APPROACH_DB = 6.0
# Where the measured quality misses the target that the moving average promised, training aims
# higher by as much, and by this.
RETRY_DB = 0.1
# Samples whose error tells one try to compress from another.
_SAMPLES = 2**17
# How many tries there are mostly.
_TRIES = 5

Floats = NDArray[np.float64]


def seconds_after_training(
    partition: Partition, model: Model, lossy: bool, engine: Engine, clock: Callable[[], float]
) -> float:
    """What compressing and measuring a trained block will take. Not collective.

    lossy: whether the codec tries several coarsenesses, as all but `half` do.
    """
    tries = _TRIES if lossy else 1
    passes = 1 + tries * min(1.0, _SAMPLES / partition.n_voxels)
    return passes * seconds_to_measure(partition, model, engine, clock)


class FitResult(NamedTuple):
    """What training comes to: weights as they will be read back, steps, errors measured."""

    model: Model | None
    """None: a constant."""
    weights: Weights
    iterations: int
    errors: list[Errors]


class Shortfall(NamedTuple):
    """What training left that ended short of the target, and how short."""

    params: NDArray[np.float32]
    iterations: int
    missing_db: float


@dataclass(frozen=True, eq=False)
class Trial:
    """A job, for a block that has something to learn, at one size of its model."""

    job: TrainingJob
    """With the target of PSNR to train to."""
    model: Model
    first: InitialState

    @property
    def extent(self) -> Floats:
        return self.job.extent

    @property
    def scale(self) -> Floats:
        """From units of the block's own range to the global range's, in which PSNR is defined."""
        extent = self.job.whole.range[:, 1] - self.job.whole.range[:, 0]
        return np.divide(self.extent, extent, out=np.zeros_like(extent), where=extent > 0)

    @property
    def goal(self) -> float:
        """Root mean square error that is good enough, in units of the global range."""
        psnr = self.job.target.psnr
        return 0.0 if psnr is None else 10 ** (-psnr / 20)

    def fit(self, end: float) -> FitResult:
        """Train until the target, the last step, or just in time to be measured before `end`, a
        time of the job's clock. The target is met by what the kept weights decode to."""
        fit = self._train(end, 1.0, True)
        assert isinstance(fit, FitResult)
        return fit

    def try_fit(self, end: float, share: float) -> FitResult | Shortfall:
        """As `fit`, with `share` of the steps; where these end short of the target and there is
        time left, nothing is compressed."""
        return self._train(end, share, False)

    def finalize(self, missed: Shortfall) -> FitResult:
        """What training left, compressed although it is short of the target."""
        before = self._error_of_some(missed.params)
        weights = self._compressed(missed.params, before)
        return FitResult(self.model, weights, missed.iterations, self._measure(weights.params))

    def recompress(self, fit: FitResult, loss: float) -> FitResult:
        """The fit in fewer bytes, for `loss` dB more."""
        options = replace(self.job.compression, compression_loss=loss)
        trial = replace(self, job=replace(self.job, compression=options))
        before = trial._error_of_some(fit.weights.params)
        weights = trial._compressed(fit.weights.params, before)
        return fit._replace(weights=weights, errors=trial._measure(weights.params))

    def _train(self, end: float, share: float, last: bool) -> FitResult | Shortfall:
        psnr, codec = self.job.target.psnr, self.job.compression
        lossy = codec.compression != "half"
        if end < np.inf:
            job = self.job
            end -= seconds_after_training(job.partition, self.model, lossy, job.engine, job.clock)
        # What a codec may lose has to be gained first.
        margin = 10 ** (-codec.compression_loss / 20) if lossy else 1.0
        seconds = max(end - self.job.clock(), 1e-9)
        trainer = self.job.engine.trainer(
            self.model, self.first.params, self.job.sampler, self.first.origin, self.extent,
            self.scale, self._trainer_options(self.goal * margin, seconds, share),
        )  # fmt: skip
        while True:
            while not trainer.run(min(SLICE_SECONDS, end - self.job.clock())):
                if self.job.clock() >= end:
                    break
            params = trainer.params
            before = self._error_of_some(params)
            # Whether it was the last step, or the threshold of the loss.
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

    def missing_db(self, fit: FitResult) -> float:
        """How far a fit is below the target; 0 where it is met, or there is none."""
        return self._missing_db(self._error(fit.errors))

    def _missing_db(self, error: float) -> float:
        return max(0.0, 20 * np.log10(error / self.goal)) if self.goal > 0 and error > 0 else 0.0

    def _compressed(self, params: NDArray[np.float32], before: float) -> Weights:
        return compress_params(
            self.model, params, self.job.compression, lambda p: self._error_of_some(p) ** 2,
            engine=self.job.engine, before=before**2, goal=self.goal**2, scale=self.scale,
            seed=self.job.options.seed,
        )  # fmt: skip

    def _measure(self, params: NDArray[np.float32], every: int = 1) -> list[Errors]:
        return measure(
            self.job.engine, self.model, params, self.job.sampler, self.first.origin, self.extent,
            every,
        )  # fmt: skip

    def _error_of_some(self, params: NDArray[np.float32]) -> float:
        """`_error` at a part of a large block's samples: enough to compare one codec's try with
        another, and to see whether measuring all of it is worthwhile."""
        # An odd number, so that it is not the same part of every row.
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
        n_train = round(share * options.iterations(self.job.partition.n_voxels))
        return TrainerOptions(
            batch=options.batch,
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
