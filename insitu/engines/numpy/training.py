"""The training loop: gradient of a batch, Adam, schedule.

In: a model, its initial parameters, a block that gives targets, options. Out: trained parameters.
All sums are computed in double precision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines.base import Doubles, Singles
from insitu.engines.numpy.sampler import GridSampler
from insitu.engines.numpy.sampling import boundary_samples, draw
from insitu.engines.options import TrainerOptions
from insitu.engines.training_loop import TrainingLoop
from insitu.models.base import Model


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


class Trainer(TrainingLoop):
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
        super().__init__(options)
        self._model, self._sampler = model, sampler
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
        self._auxiliary, self._objective = model.auxiliary(), math.inf

    @property
    def params(self) -> Singles:
        return self._params.astype(np.float32)

    @property
    def gradient(self) -> Singles:
        return self._gradient.astype(np.float32)

    def step(self) -> None:
        rate = self._rate()  # by the averages before this batch
        self.compute_gradient()
        gradient = self._gradient + self._options.l2 * self._params * self._decayed
        update = self._adam.step(gradient, rate)
        if self._auxiliary:
            update[self._auxiliary.parameters] *= self._auxiliary.rate if self._active else 0
            if self._active:
                self._auxiliary.add(self._objective)
        self._params = self._params + update
        self._gradient = np.zeros_like(self._params)
        self.iteration += 1

    def compute_gradient(self) -> None:
        o = self._options
        points = draw(o.seed, o.boundary_share, o.boundary_sigma, self.iteration, o.drawn)
        targets = self._sampler.sample_normalized(points, self._origin, self._scale)
        counts = np.isfinite(targets)
        # Samples with a nonfinite target do not contribute to the gradient, so that NaN and Inf in
        # the data never reach the weights.
        outputs = self._model.evaluate(self._params, points)
        difference = np.where(counts, outputs - np.where(counts, targets, 0), 0)
        self._count(difference, counts)
        if o.chosen < o.drawn:
            hardest = _largest(np.square(difference).sum(axis=1), o.chosen)
            points, difference, counts = points[hardest], difference[hardest], counts[hardest]
        gradient = self._model.backward(self._params, points, huber_slope(difference, o.huber))[0]
        if self._auxiliary:
            gradient[self._auxiliary.parameters] = self._auxiliary_gradient(
                points, difference, np.asarray(counts.all(axis=1))
            )
        self._gradient += gradient

    @property
    def _active(self) -> bool:
        """Whether the auxiliary objective trains in this step."""
        auxiliary = self._auxiliary
        return bool(auxiliary and auxiliary.active(self.iteration, self._options.iterations))

    def _auxiliary_gradient(
        self, points: Floats, difference: Floats, counts: np.ndarray
    ) -> Floats | float:
        """Of the samples that count (n,); 0 where the objective rests."""
        if not (self._auxiliary and self._active and counts.any()):
            return 0.0
        errors = np.square(difference[counts]).sum(axis=1)
        self._objective, gradient = self._auxiliary.gradient(
            self._params, points[counts].astype(np.float64), errors
        )
        return gradient

    def _count(self, difference: Floats, counts: np.ndarray) -> None:
        first = boundary_samples(self._options.boundary_share, self._options.drawn)
        squares = np.square(difference[first:] * self._error_scale).sum()
        self._average(
            float(np.abs(difference).sum()),
            float(squares),
            float(counts.sum()),
            float(counts[first:].sum()),
        )


def _largest(errors: Floats, n: int) -> np.ndarray:
    """Indices of the n largest errors, of equal ones the first, in increasing order."""
    return np.sort(np.argsort(-errors, kind="stable")[:n])


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
