"""Tests of training: gradients, steps, schedules, thresholds, averages.

In: an engine. Out: whether it agrees, step by step, with the reference.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from insitu.engines.base import Doubles, Engine, Trainer
from insitu.engines.options import TrainerOptions
from insitu.models.base import Model
from insitu.testing import cases
from insitu.testing.cases import NO_GHOSTS, OPTIONS, Block, Singles
from insitu.testing.suite import EngineSuite

STEPS = 6

# One change of `OPTIONS` for every option that a step depends on.
VARIANTS: dict[str, dict[str, Any]] = {
    "exponential": {},
    "cosine": {"decay": "cosine"},
    "l1": {"huber": 0.0},
    "no boundary": {"boundary_share": 0.0},
    "wide boundary": {"boundary_share": 0.6, "boundary_sigma": 0.1},
    "l2": {"l2": 0.05},
    "seed": {"seed": 2**32 - 1},
    "adam": {"beta1": 0.7, "beta2": 0.9, "epsilon": 1e-3},
    "rate": {"learning_rate": 3e-3, "final_rate": 0.5},
    "average": {"average": 0.2},
    "approach": {"error_threshold": 0.2, "approach": 12.0},
    "odd batch": {"batch": 129},
    "end of schedule": {"iterations": 3},
    "hard samples": {"candidates": 2.5, "hardest": 0.25},
    "plateau": {"plateau": 2},
}


def trainer_of(
    engine: Engine,
    model: Model,
    block: Block,
    options: TrainerOptions,
    *,
    params: Singles | None = None,
    origin: Doubles | None = None,
    extent: Doubles | None = None,
    error_scale: Doubles | None = None,
) -> Trainer:
    """By default with a target of 0.1 + 0.7 u, and errors in units of its range."""
    n = model.n_outputs
    extent = np.full(n, 0.7) if extent is None else extent
    return engine.trainer(
        model,
        cases.parameters(model) if params is None else params,
        block.sampler(engine),
        np.full(n, 0.1) if origin is None else origin,
        extent,
        extent if error_scale is None else error_scale,
        options,
    )


class TrainingTests(EngineSuite):
    def both(self, model: Model, block: Block, options: TrainerOptions, **more: Any) -> Any:
        return [
            trainer_of(engine, model, block, options, **more)
            for engine in (self.engine, self.reference)
        ]

    @pytest.mark.parametrize("holes", [False, True])
    @pytest.mark.parametrize("huber", [0.0, 0.3])
    def test_gradient(self, model: Model, holes: bool, huber: float) -> None:
        """Gradient of the Huber loss by its definition, over the finite targets."""
        block = Block.random(model.n_outputs, holes=holes)
        trainer = trainer_of(self.engine, model, block, replace(OPTIONS, huber=huber))
        trainer.compute_gradient()

        points = self.reference.draw(7, 0.15, 0.005, 0, 300)
        targets = (block.sampler(self.reference).sample(points) - 0.1) / 0.7
        finite = np.isfinite(targets)
        params = cases.parameters(model).astype(np.float64)
        outputs = model.evaluate(params, points)
        error = np.where(finite, outputs - np.where(finite, targets, 0), 0)
        slope = np.clip(error / huber, -1, 1) if huber else np.sign(error)
        expected, _ = model.backward(params, points, slope / error.size)
        if auxiliary := model.auxiliary():
            expected[auxiliary.parameters] = 0
        assert trainer.loss == pytest.approx(np.abs(error).sum() / finite.sum(), rel=1e-4)
        assert trainer.gradient.dtype == np.float32
        np.testing.assert_allclose(
            trainer.gradient, expected, atol=1e-4 * np.abs(expected).max(), rtol=1e-3
        )

    def test_gradient_of_an_auxiliary_objective(self, model: Model) -> None:
        """At its first step, with weights that have not moved."""
        auxiliary = model.auxiliary()
        if auxiliary is None:
            return
        first = next(i for i in range(10_000) if auxiliary.active(i, 10_000))
        block = Block.random(model.n_outputs, holes=True)
        options = replace(OPTIONS, learning_rate=1e-12, iterations=10 * first, huber=0.3)
        params = model.initial(5)
        trainer = trainer_of(self.engine, model, block, options, params=params)
        for _ in range(first):
            trainer.step()
        trainer.compute_gradient()

        points = self.reference.draw(7, 0.15, 0.005, first, 300)
        targets = (block.sampler(self.reference).sample(points) - 0.1) / 0.7
        counts = np.isfinite(targets).all(axis=1)
        wide, at = params.astype(np.float64), points[counts].astype(np.float64)
        errors = np.square(model.evaluate(wide, at) - targets[counts]).sum(axis=1)
        _, expected = auxiliary.gradient(wide, at, errors)
        np.testing.assert_allclose(
            trainer.gradient[auxiliary.parameters],
            expected,
            atol=1e-3 * np.abs(expected).max(),
            rtol=1e-2,
        )

    def test_parameters_of_an_auxiliary_objective_rest_until_it_is_active(
        self, model: Model
    ) -> None:
        auxiliary = model.auxiliary()
        if auxiliary is None:
            return
        first = next(i for i in range(10_000) if auxiliary.active(i, 10_000))
        options = replace(OPTIONS, iterations=10 * first, decay="cosine")
        params = model.initial(5)
        trainer = trainer_of(
            self.engine, model, Block.random(model.n_outputs), options, params=params
        )
        for _ in range(first):
            trainer.step()
        own = auxiliary.parameters
        np.testing.assert_array_equal(trainer.params[own], params[own])
        trainer.step()
        moved = np.abs(trainer.params[own] - params[own]).max()
        # Adam's step after many zero gradients: at most (1 - beta1) / sqrt(1 - beta2) = 1 rate.
        assert 0 < moved < 1.1 * auxiliary.rate * options.learning_rate

    def test_first_step(self, model: Model) -> None:
        """Adam's first step (Kingma and Ba), from the engine's own gradient."""
        block = Block.random(model.n_outputs)
        first = cases.parameters(model)
        probe = trainer_of(self.engine, model, block, OPTIONS)
        probe.compute_gradient()
        trainer = trainer_of(self.engine, model, block, OPTIONS)
        trainer.step()
        g = probe.gradient.astype(np.float64)
        expected = first - OPTIONS.learning_rate * g / (np.abs(g) + OPTIONS.epsilon)
        close = np.isclose(trainer.params, expected, atol=1e-4)
        assert close[np.abs(g) > 1e-6 * np.abs(g).max()].all()
        assert trainer.iteration == 1
        assert not trainer.gradient.any()

    def test_first_step_towards_a_target(self, model: Model) -> None:
        """At the final rate, since no error is known yet: it must not undo a warm start."""
        options = replace(OPTIONS, error_threshold=1e-3, approach=6.0)
        trainer = trainer_of(self.engine, model, Block.random(model.n_outputs), options)
        trainer.step()
        moved = np.abs(trainer.params - cases.parameters(model)).max()
        assert moved == pytest.approx(options.learning_rate * options.final_rate, rel=1e-2)

    @pytest.mark.parametrize("name", VARIANTS)
    def test_steps(self, model: Model, name: str) -> None:
        block = Block.random(model.n_outputs, holes=True)
        if refused := self.engine.refused_options & VARIANTS[name].keys():
            with pytest.raises(ValueError, match="|".join(refused)):
                trainer_of(self.engine, model, block, replace(OPTIONS, **VARIANTS[name]))
            return
        mine, reference = self.both(model, block, replace(OPTIONS, **VARIANTS[name]))
        for _ in range(STEPS):
            mine.step()
            reference.step()
            # Adam divides by the gradient's magnitude: entries with a gradient as small as the
            # rounding error may step either way; all others agree.
            close = np.isclose(mine.params, reference.params, atol=1e-4)
            assert close.mean() > 0.995
            assert mine.loss == pytest.approx(reference.loss, rel=1e-3)
            assert mine.root_mean_square == pytest.approx(reference.root_mean_square, rel=1e-3)

    def test_every_option_of_a_step_has_a_case(self) -> None:
        told = {name for change in VARIANTS.values() for name in change}
        others = {"seconds", "loss_threshold"}  # when training ends: see below
        assert told | others == set(TrainerOptions.__dataclass_fields__)

    def test_float32_blocks(self, model: Model) -> None:
        block = Block.random(model.n_outputs, np.float32, vertex=True)
        mine, reference = self.both(model, block, OPTIONS)
        for _ in range(STEPS):
            mine.step()
            reference.step()
        assert np.isclose(mine.params, reference.params, atol=1e-4).mean() > 0.995

    def test_gradients_add_up_until_the_step(self, model: Model) -> None:
        trainer = trainer_of(self.engine, model, Block.random(model.n_outputs), OPTIONS)
        trainer.compute_gradient()
        once = trainer.gradient
        trainer.compute_gradient()
        np.testing.assert_allclose(trainer.gradient, 2 * once, atol=1e-6 * np.abs(once).max())
        assert trainer.iteration == 0

    def test_errors_are_scaled(self, model: Model) -> None:
        block = Block.random(model.n_outputs)
        scales = [np.full(model.n_outputs, scale) for scale in (1.0, 5.0)]
        small, large = (
            trainer_of(self.engine, model, block, OPTIONS, error_scale=scale) for scale in scales
        )
        small.compute_gradient()
        large.compute_gradient()
        assert large.root_mean_square == pytest.approx(5 * small.root_mean_square, rel=1e-5)
        assert large.loss == pytest.approx(small.loss, rel=1e-5)

    def test_before_any_sample_counted_the_averages_are_nan(self, model: Model) -> None:
        trainer = trainer_of(self.engine, model, Block.random(model.n_outputs), OPTIONS)
        assert np.isnan(trainer.loss) and np.isnan(trainer.root_mean_square)
        assert trainer.elapsed == 0 and not trainer.exhausted

    def test_a_block_without_a_finite_sample_teaches_nothing(self, model: Model) -> None:
        nothing = tuple(np.full((4, 4, 4), np.nan) for _ in range(model.n_outputs))
        block = Block(nothing, NO_GHOSTS, (4, 4, 4))
        options = replace(OPTIONS, loss_threshold=1.0, error_threshold=1.0, approach=12.0)
        trainer = trainer_of(self.engine, model, block, options)
        assert trainer.run(1e9)
        assert trainer.iteration == options.iterations
        assert np.isnan(trainer.loss) and np.isnan(trainer.root_mean_square)
        np.testing.assert_array_equal(trainer.params, cases.parameters(model))

    def test_boundary_samples_say_nothing_of_the_volume(self, model: Model) -> None:
        options = replace(OPTIONS, boundary_share=1.0)
        trainer = trainer_of(self.engine, model, Block.random(model.n_outputs), options)
        trainer.step()
        assert np.isfinite(trainer.loss) and np.isinf(trainer.root_mean_square)

    def test_a_constant_component_has_the_target_zero(self, model: Model) -> None:
        extent = np.full(model.n_outputs, 0.7)
        extent[0] = 0.0
        params = np.zeros(model.n_params, np.float32)
        trainer = trainer_of(
            self.engine, model, Block.random(model.n_outputs), OPTIONS, params=params, extent=extent
        )
        trainer.compute_gradient()
        other = self.reference.draw(7, 0.15, 0.005, 0, 300)
        block = Block.random(model.n_outputs).sampler(self.reference)
        targets = (block.sample(other)[:, 1:] - 0.1) / 0.7
        assert trainer.loss == pytest.approx(
            float(np.abs(targets).sum() / (300 * model.n_outputs)), rel=1e-4
        )

    @pytest.mark.parametrize("scale, offset", [(1e-150, 0.0), (1e100, 0.0), (1e-3, 1e6)])
    def test_double_precision_reaches_the_model(
        self, model: Model, scale: float, offset: float
    ) -> None:
        """Small variations around a large mean, or far from 1, give the same training."""
        block = Block.random(model.n_outputs)
        gradients = []
        for factor, shift in ((1.0, 0.0), (scale, offset)):
            arrays = tuple(values * factor + shift for values in block.components)
            origin = np.array([values.min() for values in arrays])
            extent = np.array([np.ptp(values) for values in arrays])
            trainer = trainer_of(
                self.engine, model, replace(block, components=arrays), OPTIONS,
                origin=origin, extent=extent, error_scale=np.ones(model.n_outputs),
            )  # fmt: skip
            trainer.compute_gradient()
            gradients.append(trainer.gradient)
        one, other = gradients
        np.testing.assert_allclose(one, other, atol=2e-5 * np.abs(other).max())

    def test_a_range_without_an_inverse_counts_as_constant(self, model: Model) -> None:
        data = (np.random.default_rng(0).random((4, 4, 4)) * 1e-40).astype(np.float32)
        block = Block((data,) * model.n_outputs, NO_GHOSTS, (4, 4, 4))
        zero, tiny = np.zeros(model.n_outputs), np.full(model.n_outputs, 1e-40)
        trainer = trainer_of(
            self.engine, model, block, OPTIONS, params=model.initial(0), origin=zero, extent=tiny,
            error_scale=np.ones(model.n_outputs),
        )  # fmt: skip
        assert trainer.run(1e9)
        assert np.isfinite(trainer.params).all() and trainer.loss < 0.1

    @pytest.mark.parametrize("threshold", ["loss_threshold", "error_threshold"])
    def test_training_stops_on_its_thresholds(self, threshold: str) -> None:
        (model, *_) = self.models()
        change: dict[str, Any] = {threshold: 10.0}
        options = replace(OPTIONS, iterations=1000, **change)
        trainer = trainer_of(self.engine, model, Block.random(model.n_outputs), options)
        assert trainer.run(1e9)
        assert trainer.iteration == 16  # the averages are not reliable earlier
        assert not trainer.exhausted

    def test_a_threshold_may_be_changed_between_two_runs(self) -> None:
        (model, *_) = self.models()
        options = replace(OPTIONS, iterations=1000, error_threshold=10.0)
        trainer = trainer_of(self.engine, model, Block.random(model.n_outputs), options)
        trainer.run(1e9)
        assert trainer.error_threshold == 10.0
        trainer.error_threshold = 0.0
        trainer.run(0.0)
        assert trainer.iteration == 17  # a step at least

    def test_training_ends_at_the_third_plateau(self) -> None:
        """A loss of 0 does not fall. Its first window is the lowest so far."""
        (model, *_) = self.models()
        if "plateau" in self.engine.refused_options:
            return
        options = replace(OPTIONS, iterations=1000, plateau=5)
        nothing = np.zeros(model.n_outputs)
        trainer = trainer_of(
            self.engine, model, Block.random(model.n_outputs), options, extent=nothing,
            params=np.zeros(model.n_params, np.float32),
        )  # fmt: skip
        assert trainer.run(1e9) and trainer.exhausted
        assert trainer.iteration == 4 * 5

    def test_training_ends_with_its_budget(self) -> None:
        (model, *_) = self.models()
        block = Block.random(model.n_outputs)
        trainer = trainer_of(self.engine, model, block, OPTIONS)
        assert trainer.run(1e9) and trainer.exhausted
        assert trainer.iteration == OPTIONS.iterations and trainer.elapsed > 0
        trainer = trainer_of(self.engine, model, block, replace(OPTIONS, seconds=1e-9))
        assert trainer.run(1e9) and trainer.exhausted
        assert trainer.iteration == 1 and trainer.elapsed > 1e-9

    def test_the_rate_falls_with_the_distance_from_the_threshold(self) -> None:
        """Within `approach` dB of it, with the square root of the missing dB, down to the last."""
        (model, *_) = self.models()
        options = replace(OPTIONS, approach=12.0, decay="cosine", iterations=10**9, epsilon=1e-12)
        change = {}
        first = cases.parameters(model)
        for threshold in (0.0, 1e-6, 0.5, 1.0, 1.9):  # of the first batch's error
            trainer = trainer_of(self.engine, model, Block.random(model.n_outputs), options)
            trainer.compute_gradient()
            trainer.error_threshold = threshold * trainer.root_mean_square
            trainer.step()  # adds the same batch's gradient again: Adam's first step has size 1
            change[threshold] = np.abs(trainer.params - first).max()
        assert change[0.0] == pytest.approx(1e-2, rel=1e-3)
        assert change[1e-6] == pytest.approx(1e-2, rel=1e-3)
        assert change[0.5] == pytest.approx(1e-2 * np.sqrt(20 * np.log10(2) / 12), rel=1e-3)
        assert change[1.0] == pytest.approx(1e-3, rel=1e-3)
        assert change[1.9] == pytest.approx(1e-3, rel=1e-3)

    def test_training_is_deterministic(self, model: Model) -> None:
        results = []
        for _ in range(2):
            trainer = trainer_of(self.engine, model, Block.random(model.n_outputs), OPTIONS)
            trainer.run(1e9)
            results.append(trainer.params)
        one, other = results
        if self.engine.reproducible:
            np.testing.assert_array_equal(one, other)
        else:  # see test_steps
            assert np.isclose(one, other, atol=1e-3).mean() > 0.98

    def test_params_are_a_copy(self) -> None:
        (model, *_) = self.models()
        first = cases.parameters(model)
        trainer = trainer_of(self.engine, model, Block.random(model.n_outputs), OPTIONS)
        trainer.params[...] = 7
        np.testing.assert_array_equal(trainer.params, first)
        before = first.copy()
        trainer.step()
        np.testing.assert_array_equal(first, before)

    def test_wrong_trainings_are_refused(self, model: Model) -> None:
        block = Block.random(model.n_outputs)
        wrong = np.zeros(model.n_outputs + 1)
        with pytest.raises(ValueError, match="params"):
            trainer_of(self.engine, model, block, OPTIONS, params=np.zeros(3, np.float32))
        for name in ("origin", "extent", "error_scale"):
            change: dict[str, Any] = {name: wrong}
            with pytest.raises(ValueError, match="one value per component"):
                trainer_of(self.engine, model, block, OPTIONS, **change)
        with pytest.raises(ValueError, match="components"):
            trainer_of(self.engine, model, Block.random(model.n_outputs + 1), OPTIONS)
        with pytest.raises(ValueError, match="batch"):
            trainer_of(self.engine, model, block, replace(OPTIONS, batch=0))
