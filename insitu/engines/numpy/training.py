"""The training loop: gradient of a batch, Adam, schedule.

In: a model, its initial parameters, a block that gives targets, options. Out: trained parameters.
All sums are computed in double precision.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines.base import Doubles, Singles
from insitu.engines.numpy.sampler import GridSampler
from insitu.engines.numpy.sampling import boundary_samples, draw
from insitu.engines.options import TrainerOptions
from insitu.models.base import Model

BELIEVED = 16  # steps until the averages are reliable


def huber_slope(difference: Floats, huber: float) -> Floats:
    """Gradient of the Huber loss (1964), averaged over all values of difference (n, c): quadratic
    for errors below `huber`, linear for larger ones; 0: L1 loss."""
    slope = np.clip(difference / huber, -1, 1) if huber > 0 else np.sign(difference)
    return np.asarray(slope / difference.size)


@dataclass
class Adam:
    """Kingma and Ba 2015, algorithm 1."""

    beta1: float
    beta2: float
    epsilon: float
    m: Floats
    v: Floats
    t: int = 0

    def step(self, gradient: Floats, rate: float) -> Floats:
        """The update to add to the parameters (n_params,)."""
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * gradient
        self.v = self.beta2 * self.v + (1 - self.beta2) * gradient**2
        m = self.m / (1 - self.beta1**self.t)
        v = self.v / (1 - self.beta2**self.t)
        return np.asarray(-rate * m / (np.sqrt(v) + self.epsilon))


@dataclass
class Averages:
    """Moving averages over the batches; NaN until a sample has been counted."""

    most: float
    """Maximum decay."""
    absolute: float = 0.0
    squares: float = 0.0
    weight: float = field(default=0.0)

    def add(self, iteration: int, absolute: float, squares: float) -> None:
        # After few steps, average over the last tenth only: the error still decreases fast.
        w = min(self.most, iteration / (iteration + 10))
        self.weight = w * self.weight + (1 - w)
        self.absolute = w * self.absolute + (1 - w) * absolute
        self.squares = w * self.squares + (1 - w) * squares

    @property
    def loss(self) -> float:
        return self.absolute / self.weight if self.weight > 0 else math.nan

    @property
    def root_mean_square(self) -> float:
        return math.sqrt(self.squares / self.weight) if self.weight > 0 else math.nan


class Trainer:
    """`insitu.engines.base.Trainer`."""

    def __init__(
        self,
        model: Model,
        params: Singles,
        sampler: GridSampler,
        origin: Doubles,
        extent: Doubles,
        error_scale: Doubles,
        options: TrainerOptions,
    ) -> None:
        self.iteration = 0
        self.elapsed = 0.0
        self.error_threshold = options.error_threshold
        self._model, self._sampler, self._options = model, sampler, options
        self._params = params.astype(np.float64)
        self._gradient = np.zeros_like(self._params)
        self._decayed = _decayed(model)
        self._origin = np.asarray(origin, np.float64)
        self._scale = np.array(
            [_inverse(e, p.dtype) for e, p in zip(extent, sampler.parts, strict=True)]
        )
        self._error_scale = np.asarray(error_scale, np.float64)
        zeros = np.zeros_like(self._params)
        self._adam = Adam(options.beta1, options.beta2, options.epsilon, zeros, zeros)
        self._averages = Averages(options.average)

    @property
    def exhausted(self) -> bool:
        return self.iteration >= self._options.iterations or self.elapsed >= self._options.seconds

    @property
    def loss(self) -> float:
        return self._averages.loss

    @property
    def root_mean_square(self) -> float:
        return self._averages.root_mean_square

    @property
    def params(self) -> Singles:
        return self._params.astype(np.float32)

    @property
    def gradient(self) -> Singles:
        return self._gradient.astype(np.float32)

    def run(self, seconds: float) -> bool:
        start, before = time.monotonic(), self.elapsed
        more = not self._done()
        while more:
            self.step()
            self.elapsed = before + time.monotonic() - start
            more = not self._done() and self.elapsed - before < seconds
        return self._done()

    def step(self) -> None:
        rate = self._rate()  # by the averages before this batch
        self.compute_gradient()
        gradient = self._gradient + self._options.l2 * self._params * self._decayed
        self._params = self._params + self._adam.step(gradient, rate)
        self._gradient = np.zeros_like(self._params)
        self.iteration += 1

    def compute_gradient(self) -> None:
        o = self._options
        points = draw(o.seed, o.boundary_share, o.boundary_sigma, self.iteration, o.batch)
        targets = self._sampler.sample_normalized(points, self._origin, self._scale)
        counts = np.isfinite(targets)
        # Samples with a nonfinite target do not contribute to the gradient, so that NaN and Inf in
        # the data never reach the weights.
        outputs = self._model.evaluate(self._params, points)
        difference = np.where(counts, outputs - np.where(counts, targets, 0), 0)
        self._gradient += self._model.backward(
            self._params, points, huber_slope(difference, o.huber)
        )[0]
        self._average(difference, counts)

    def _average(self, difference: Floats, counts: np.ndarray) -> None:
        if not counts.any():
            return
        # The error over the volume: samples close to the faces are not representative.
        first = boundary_samples(self._options.boundary_share, self._options.batch)
        uniform = counts[first:].sum()
        squares = np.square(difference[first:] * self._error_scale).sum()
        self._averages.add(
            self.iteration,
            float(np.abs(difference).sum() / counts.sum()),
            float(squares / uniform) if uniform else math.inf,
        )

    def _done(self) -> bool:
        if self.exhausted:
            return True
        if self.iteration < BELIEVED:
            return False
        below = self.root_mean_square < self.error_threshold
        return self.loss < self._options.loss_threshold or below

    def _rate(self) -> float:
        o = self._options
        p = max(_share(self.iteration, o.iterations), _share(self.elapsed, o.seconds))
        if o.decay == "cosine":
            factor = o.final_rate + (1 - o.final_rate) * 0.5 * (1 + math.cos(math.pi * p))
        else:
            factor = o.final_rate**p
        return o.learning_rate * min(factor, max(o.final_rate, self._approach()))

    def _approach(self) -> float:
        """Close to the target the rate decays with the square root of the missing dB: a schedule
        that does not need to know its length."""
        threshold, width = self.error_threshold, self._options.approach
        error = self.root_mean_square
        if threshold <= 0 or width <= 0 or math.isnan(error):
            return 1.0
        if error == 0:
            return 0.0
        return math.sqrt(min(max(20 * math.log10(error / threshold) / width, 0.0), 1.0))


def _share(used: float, of: float) -> float:
    return 1.0 if used >= of else used / of


def _inverse(extent: float, dtype: np.dtype[np.floating]) -> float:
    """1 / extent; 0 for a constant component, or one whose range has no inverse in the data's
    precision: there is nothing to learn, and its target is 0."""
    return 1 / extent if extent >= np.finfo(dtype).tiny else 0.0


def _decayed(model: Model) -> np.ndarray:
    """(n_params,) bool: parameters with L2 regularization, which are those of the matrices."""
    chosen = np.zeros(model.n_params, np.float32)
    for array in model.arrays(chosen):
        if array.role == "matrix":
            array.values[...] = 1
    return chosen > 0
