"""The training loop on points: batches of them, Adam with a rate for each parameter, schedule.

In: a model, its initial parameters, points and values, options. Out: trained parameters. An engine
gives the gradient of a batch; by default, it is that of the model's own equations in NumPy.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines.base import Doubles, Singles
from insitu.engines.options import TrainerOptions
from insitu.engines.points import PointSampler, batch_size
from insitu.engines.training_loop import TrainingLoop
from insitu.models.base import Model

Sums = tuple[float, float, float]
"""Of a batch: the sum of absolute errors, of squared ones times `error_scale`, number of values."""


class PointTrainer(TrainingLoop):
    """Implements `insitu.engines.base.Trainer`. The loss is the mean of squared errors, since each
    parameter follows few values. `huber`, `boundary_share` and `l2` do not apply."""

    def __init__(
        self,
        model: Model,
        params: Singles,
        sampler: PointSampler,
        origin: Doubles,
        extent: Doubles,
        error_scale: Doubles,
        options: TrainerOptions,
    ) -> None:
        super().__init__(options)
        if params.shape != (model.n_params,):
            raise ValueError(f"params: expected shape ({model.n_params},), found {params.shape}")
        if sampler.components != model.n_outputs:
            raise ValueError(
                f"sampler: {sampler.components} components, the model has {model.n_outputs} outputs"
            )
        if options.drawn != options.batch or options.chosen != options.batch:
            raise ValueError(
                "hardest, candidates: points are trained in their batches, all of them"
            )
        self._model = model
        self._points, self._targets = sampler.targets(origin, extent)
        self._error_scale = np.asarray(error_scale, np.float32)
        self._batch = batch_size(len(self._points), options.batch)

    @property
    @abstractmethod
    def params(self) -> Singles:
        """(n_params,), a copy."""

    @property
    @abstractmethod
    def gradient(self) -> Singles:
        """(n_params,), a copy."""

    @abstractmethod
    def _add_gradient(self) -> Sums:
        """Add the gradient of the next batch."""

    @abstractmethod
    def _update(self, step_size: float, correction: float) -> None:
        """Adam's update by a gradient, which becomes 0. correction: of the second moment's root."""

    def step(self) -> None:
        rate = self._rate()  # by the averages before this batch
        self.compute_gradient()
        t = self.iteration + 1
        self._update(
            rate / (1 - self._options.beta1**t), 1 / float(np.sqrt(1 - self._options.beta2**t))
        )
        self.iteration += 1

    def compute_gradient(self) -> None:
        """As `insitu.engines.base.Trainer.compute_gradient`."""
        loss, squares, count = self._add_gradient()
        self._average(loss, squares, count, count)


class ReferenceTrainer(PointTrainer):
    """By the model's own equations, in double precision."""

    def __init__(
        self,
        model: Model,
        params: Singles,
        sampler: PointSampler,
        origin: Doubles,
        extent: Doubles,
        error_scale: Doubles,
        options: TrainerOptions,
    ) -> None:
        super().__init__(model, params, sampler, origin, extent, error_scale, options)
        self._params = params.astype(np.float64)
        self._rates = model.rates(params)
        self._gradient = np.zeros_like(self._params)
        self._first, self._second = np.zeros_like(self._params), np.zeros_like(self._params)
        self._rng = np.random.default_rng(options.seed)
        self._order = np.arange(len(self._points))
        self._next = len(self._points)

    @property
    def params(self) -> Singles:
        return self._params.astype(np.float32)

    @property
    def gradient(self) -> Singles:
        return self._gradient.astype(np.float32)

    def _add_gradient(self) -> Sums:
        if self._next + self._batch > len(self._points):
            self._rng.shuffle(self._order)
            self._next = 0
        some = self._order[self._next : self._next + self._batch]
        self._next += self._batch
        gradient, difference = self._of_batch(self._points[some], self._targets[some])
        self._gradient += gradient
        squares = np.square(difference * self._error_scale).sum()
        return float(np.abs(difference).sum()), float(squares), float(difference.size)

    def _of_batch(self, points: Floats, targets: Floats) -> tuple[Floats, Floats]:
        """The gradient of the mean squared error, and the differences (n, n_outputs)."""
        difference = self._model.evaluate(self._params, points) - targets
        above = 2 * difference / difference.size
        return self._model.backward(self._params, points, above)[0], difference

    def _update(self, step_size: float, correction: float) -> None:
        o = self._options
        self._first = o.beta1 * self._first + (1 - o.beta1) * self._gradient
        self._second = o.beta2 * self._second + (1 - o.beta2) * self._gradient**2
        step = self._first / (np.sqrt(self._second) * correction + o.epsilon)
        self._params = self._params - step_size * self._rates * step
        self._gradient = np.zeros_like(self._params)
