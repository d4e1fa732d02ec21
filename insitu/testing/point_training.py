"""Tests of training on points: gradients, steps, what is left out.

In: an engine. Out: whether it agrees with the equations of the model, step by step.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from insitu.engines.base import Engine, Trainer
from insitu.engines.points import PointSampler
from insitu.models.base import Model
from insitu.models.gaussians.model import Gaussians
from insitu.testing.cases import OPTIONS, Singles
from insitu.testing.suite import EngineSuite

_N = 400
_STEPS = 5
_MODELS: list[Model] = [Gaussians(30, n_outputs=2), Gaussians(30, degree=0, n_outputs=2)]


def _values(points: Singles) -> Singles:
    x, y, z = points.T
    return np.stack([np.sin(4 * x) + y * z, x - np.cos(3 * y * z)], axis=1)


def _sampler(seed: int = 5) -> PointSampler:
    """Points, some of them beyond the box."""
    points = np.random.default_rng(seed).uniform(-0.05, 1.05, (_N, 3)).astype(np.float32)
    return PointSampler(points, _values(points))


def _trainer(engine: Engine, model: Model, sampler: PointSampler, batch: int) -> Trainer:
    """Of a target of 0.1 + 2 u and 0.2 + 3 u."""
    origin, extent = np.array([0.1, 0.2]), np.array([2.0, 3.0])
    params = model.place(*sampler.targets(origin, extent))
    options = replace(OPTIONS, batch=batch, learning_rate=5e-3)
    return engine.point_trainer(
        model, params, sampler, origin, extent, np.array([1.0, 0.5]), options
    )


class PointTrainingTests(EngineSuite):
    """Of every engine that supports a `scattered` model."""

    def _models_on_points(self) -> list[Model]:
        return [model for model in _MODELS if self.engine.supports(model)]

    def test_the_gradient_on_points_is_that_of_the_equations(self) -> None:
        """Of a batch of all points; twice, since gradients add up."""
        for model in self._models_on_points():
            sampler = _sampler()
            trainer = _trainer(self.engine, model, sampler, _N)
            params = trainer.params
            trainer.compute_gradient()
            points, targets = sampler.targets(np.array([0.1, 0.2]), np.array([2.0, 3.0]))
            wide = params.astype(np.float64)
            above = 2 * (model.evaluate(wide, points) - targets) / targets.size
            expected = model.backward(wide, points, above)[0]
            size = np.abs(expected).max()
            np.testing.assert_allclose(trainer.gradient, expected, atol=2e-5 * size)
            trainer.compute_gradient()
            np.testing.assert_allclose(trainer.gradient, 2 * expected, atol=4e-5 * size)
            np.testing.assert_array_equal(trainer.params, params)

    def test_steps_on_points_agree_with_the_reference(self) -> None:
        for model in self._models_on_points():
            mine = _trainer(self.engine, model, _sampler(), _N)
            other = _trainer(self.reference, model, _sampler(), _N)
            before = other.params
            for _ in range(_STEPS):
                mine.step()
                other.step()
            # Adam's first steps have the sign of the gradient: where it is 0, that is of rounding.
            close = np.isclose(mine.params, other.params, atol=2e-3 * 5e-3)
            assert close.mean() > 0.98 and not np.allclose(before, other.params)
            np.testing.assert_allclose(mine.loss, other.loss, rtol=1e-3)
            np.testing.assert_allclose(mine.root_mean_square, other.root_mean_square, rtol=1e-3)
            assert mine.iteration == _STEPS and not mine.exhausted

    def test_batches_of_points_make_it_better(self) -> None:
        for model in self._models_on_points():
            sampler = _sampler()
            points, targets = sampler.targets(np.array([0.1, 0.2]), np.array([2.0, 3.0]))
            trainer = _trainer(self.engine, model, sampler, 60)
            errors = []
            for _ in range(2):
                outputs = self.engine.evaluate(model, trainer.params, points)
                errors.append(float(np.square(outputs - targets).mean()))
                while not trainer.run(60.0):
                    pass
            assert trainer.iteration == OPTIONS.iterations
            assert errors[1] < 0.95 * errors[0]

    def test_values_that_are_not_finite_are_left_out(self) -> None:
        for model in self._models_on_points():
            whole = _sampler()
            values = whole.values.copy()
            values[7, 0], values[9, 1] = np.nan, np.inf
            kept = np.delete(np.arange(_N), [7, 9])
            fewer = PointSampler(whole.points[kept], whole.values[kept])
            gradients = []
            for sampler in (PointSampler(whole.points, values), fewer):
                trainer = _trainer(self.engine, model, sampler, _N)
                trainer.compute_gradient()
                gradients.append(trainer.gradient)
            size = np.abs(gradients[1]).max()
            np.testing.assert_allclose(gradients[0], gradients[1], atol=1e-5 * size)
