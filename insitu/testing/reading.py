"""Tests of evaluating models: values, grids, derivatives, errors against a block.

In: an engine. Out: whether it agrees with the models' own equations in double precision.
"""

from __future__ import annotations

import numpy as np
import pytest

from insitu.core.arrays import Floats
from insitu.models.base import Model
from insitu.testing import cases
from insitu.testing.cases import Block
from insitu.testing.suite import EngineSuite


def exact(model: Model, params: Floats, points: Floats) -> Floats:
    return model.evaluate(params.astype(np.float64), points)


class ReadingTests(EngineSuite):
    @pytest.mark.parametrize("n", [1, 7, 128, 333])
    def test_values(self, model: Model, n: int) -> None:
        params, points = cases.parameters(model), cases.points(n)
        expected = exact(model, params, points)
        got = self.engine.evaluate(model, params, points)
        assert got.dtype == np.float32 and got.shape == (n, model.n_outputs)
        np.testing.assert_allclose(got, expected, atol=2e-5 * np.abs(expected).max())
        again = self.engine.evaluate(model, params, points.astype(np.float64))
        np.testing.assert_allclose(again, got, atol=1e-6 * np.abs(expected).max())

    def test_several_models_in_one_call(self, model: Model) -> None:
        """Of one shape; one without a point."""
        params = [cases.parameters(model, seed) for seed in range(4)]
        points, ends = cases.points(1500), [300, 300, 1400, 1500]
        got = self.engine.evaluate_blocks([model] * 4, params, points, ends)
        assert got.dtype == np.float32 and got.shape == (len(points), model.n_outputs)
        for values, begin, end in zip(params, [0, *ends[:-1]], ends, strict=True):
            if begin < end:
                alone = self.engine.evaluate(model, values, points[begin:end])
                np.testing.assert_allclose(got[begin:end], alone, atol=1e-6 * np.abs(alone).max())

    def test_no_points(self, model: Model) -> None:
        params, nothing = cases.parameters(model), np.zeros((0, 3), np.float32)
        assert self.engine.evaluate(model, params, nothing).shape == (0, model.n_outputs)
        assert self.engine.gradient(model, params, nothing).shape == (0, model.n_outputs, 3)

    @pytest.mark.parametrize("shape", [(5, 7, 11), (300, 3, 2), (1, 1, 1), (1, 40, 9)])
    def test_grid_is_points(self, model: Model, shape: tuple[int, int, int]) -> None:
        params = cases.parameters(model)
        xs, ys, zs = (np.linspace(0, 1, n, dtype=np.float32) for n in shape)
        z, y, x = np.meshgrid(zs, ys, xs, indexing="ij")
        got = self.engine.evaluate_grid(model, params, xs, ys, zs)
        assert got.dtype == np.float32 and got.shape == (*shape[::-1], model.n_outputs)
        expected = exact(model, params, np.stack((x, y, z), axis=-1).reshape(-1, 3))
        np.testing.assert_allclose(
            got.reshape(expected.shape), expected, atol=2e-5 * np.abs(expected).max()
        )

    def test_a_grid_need_not_be_sorted_or_even(self, model: Model) -> None:
        params, rng = cases.parameters(model), np.random.default_rng(0)
        xs, ys, zs = (rng.random(n, dtype=np.float32) for n in (70, 3, 2))
        z, y, x = np.meshgrid(zs, ys, xs, indexing="ij")
        expected = exact(model, params, np.stack((x, y, z), axis=-1).reshape(-1, 3))
        got = self.engine.evaluate_grid(model, params, xs, ys, zs)
        np.testing.assert_allclose(
            got.reshape(expected.shape), expected, atol=5e-5 * np.abs(expected).max()
        )

    def test_derivatives(self, model: Model) -> None:
        params, points = cases.parameters(model), cases.points(200)[8:]
        got = self.engine.gradient(model, params, points)
        assert got.dtype == np.float32
        for output in range(model.n_outputs):
            one = np.zeros((len(points), model.n_outputs))
            one[:, output] = 1
            _, expected = model.backward(params.astype(np.float64), points, one)
            # A point within rounding error of a cell's face may get the slope of either side.
            close = np.isclose(got[:, output], expected, atol=1e-3 * np.abs(expected).max())
            assert close.mean() > 0.99

    def test_derivatives_are_slopes(self, model: Model) -> None:
        params, points = cases.parameters(model), cases.points(120)[8:]
        got = self.engine.gradient(model, params, points)
        for axis, step in enumerate(1e-6 * np.eye(3)):
            up = exact(model, params, points.astype(np.float64) + step)
            down = exact(model, params, points.astype(np.float64) - step)
            slope = (up - down) / 2e-6
            close = np.isclose(got[..., axis], slope, rtol=1e-3, atol=1e-3 * np.abs(slope).max())
            assert close.mean() > 0.95  # the others are at a face or a kink of the MLP

    @pytest.mark.parametrize("vertex", [False, True])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_errors(self, model: Model, vertex: bool, dtype: type) -> None:
        params = cases.parameters(model)
        block = Block.random(model.n_outputs, dtype, vertex=vertex, holes=True)
        sampler, reference = block.sampler(self.engine), block.sampler(self.reference)
        scale = np.linspace(0.5, 1, model.n_outputs), np.linspace(0.7, 2, model.n_outputs)
        for begin, end, every in ((0, sampler.samples, 1), (0, sampler.samples, 2), (37, 190, 1)):
            got = self.engine.measure(model, params, sampler, *scale, begin, end, every)
            expected = self.reference.measure(model, params, reference, *scale, begin, end, every)
            for one, other in zip(got, expected, strict=True):
                assert one.finite == other.finite > 0
                assert one.max == pytest.approx(other.max, rel=1e-4)
                assert one.sum_of_squares == pytest.approx(other.sum_of_squares, rel=1e-4)

    def test_errors_of_a_constant(self) -> None:
        values = np.arange(60.0).reshape(3, 4, 5)
        values[2, 3, 4] = np.nan
        sampler = self.engine.sampler((values,), cases.NO_GHOSTS, (3, 4, 5), False)
        nothing = np.zeros(0, np.float32)
        (errors,) = self.engine.measure(
            None, nothing, sampler, np.array([10.0]), np.array([0.0]), 5, 60
        )
        differences = np.arange(5, 59) - 10.0
        assert errors.finite == 54
        assert errors.max == np.abs(differences).max()
        assert errors.sum_of_squares == pytest.approx(np.square(differences).sum())

    def test_wrong_arrays_are_refused(self, model: Model) -> None:
        params, points = cases.parameters(model), cases.points(9)
        with pytest.raises(ValueError, match="params"):
            self.engine.evaluate(model, params[:-1], points)
        with pytest.raises(ValueError, match="points"):
            self.engine.evaluate(model, params, points[:, :2])
        sampler = Block.random(model.n_outputs).sampler(self.engine)
        zero = np.zeros(model.n_outputs)
        with pytest.raises(IndexError, match="not in the block"):
            self.engine.measure(model, params, sampler, zero, zero, 0, sampler.samples + 1)

    def test_histogram(self) -> None:
        values = np.array([-1.0, 0.0, 0.1, 0.5, 0.99, 1.0, 7.0, np.nan, np.inf])
        counts = self.engine.histogram(values, np.array([0.0, 0.5, 1.0]))
        np.testing.assert_array_equal(counts, [3, 4])
