"""The suite that a model has to pass, to be subclassed in a test module.

In: a model. Out: pytest tests of its equations, its layout, its round trip through a header and
every codec, and of every engine that supports it against its equations.
"""

from __future__ import annotations

import itertools
import json
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from insitu import models
from insitu.codecs import weight_codecs
from insitu.codecs.frame import FrameError
from insitu.codecs.options import Compression
from insitu.codecs.weights import Weights
from insitu.core.arrays import Floats
from insitu.engines import engine
from insitu.engines.registry import names as engine_names
from insitu.models.base import Model
from insitu.testing import cases
from insitu.training.compression import compress_params

_POINTS = 40
_STEP = 1e-6
_DIRECTIONS = 6


class ModelConformance:
    """Base class. Subclasses set `model`; a small one with at least two outputs is sufficient."""

    model: ClassVar[Model]

    # ---- the equations

    def test_gradients_are_those_of_the_equations(self) -> None:
        """Against central differences, in double precision. A kink, such as that of a ReLU, within
        a difference invalidates it: two of six directions may deviate."""
        params, points, above = self._double()
        gradient, of_points = self.model.backward(params, points, above)
        assert gradient.shape == params.shape and of_points.shape == points.shape
        rng = np.random.default_rng(4)
        for values, derivative in ((params, gradient), (points, of_points)):
            hits = 0
            for _ in range(_DIRECTIONS):
                way = rng.normal(size=values.shape)
                way *= _STEP / np.abs(way).max()
                moved = [params, points]
                at = 0 if values is params else 1
                ends = []
                for sign in (1, -1):
                    moved[at] = values + sign * way
                    ends.append(float((self.model.evaluate(*moved) * above).sum()))
                expected = float((derivative * way).sum())
                found = 0.5 * (ends[0] - ends[1])
                hits += bool(np.isclose(found, expected, rtol=1e-4, atol=1e-11))
            assert hits >= _DIRECTIONS - 2

    def test_outputs_have_their_shape_and_precision(self) -> None:
        params, points, _ = self._double()
        shape = (len(points), self.model.n_outputs)
        assert self.model.evaluate(params, points).shape == shape
        single = self.model.evaluate(self._params(), points.astype(np.float32))
        assert single.shape == shape and single.dtype == np.float32
        np.testing.assert_allclose(
            single, self.model.evaluate(params, points), atol=1e-4 * np.abs(single).max()
        )

    def test_first_weights_depend_on_the_seed_alone(self) -> None:
        first = self.model.initial(3)
        assert first.shape == (self.model.n_params,) and first.dtype == np.float32
        assert np.isfinite(first).all()
        np.testing.assert_array_equal(first, self.model.initial(3))
        assert not np.array_equal(first, self.model.initial(4))

    # ---- the layout

    def test_arrays_are_views_of_all_that_counts(self) -> None:
        params = self._params()
        arrays = self.model.arrays(params)
        assert all(np.shares_memory(array.values, params) for array in arrays)
        names = [array.name for array in arrays]
        assert len(set(names)) == len(names)
        groups = [array.group for array in arrays]
        assert len(set(groups)) == 1 + sum(a != b for a, b in itertools.pairwise(groups))
        counted = np.zeros_like(params)
        for array in self.model.arrays(counted):
            array.values[...] += 1
        assert counted.max() == 1  # no parameter lies in two arrays
        points = cases.points(_POINTS)
        without = np.where(counted > 0, params, 0).astype(np.float32)
        np.testing.assert_array_equal(
            self.model.evaluate(without, points), self.model.evaluate(params, points)
        )

    def test_segments_hold_the_same_parameters(self) -> None:
        groups = {array.group for array in self.model.arrays(self._params())}
        counted = np.zeros(self.model.n_params, np.float32)
        for segment in self.model.segments(counted):
            assert segment.group in groups
            segment.values[...] += 1
        assert counted.max() == 1
        for array in self.model.arrays(counted):
            assert (array.values == 1).all()

    # ---- sizes

    def test_sizes_grow(self) -> None:
        block = self.model.for_block(2, 0.25)
        assert block.n_outputs == 2
        block.check()
        for corrected in (False, True):
            options = block.sizes(20000, corrected=corrected)
            counts = [option.model.n_params for option in options]
            assert counts == sorted(set(counts)) and len(counts) >= 1
            for option in options:
                assert option.share > 0 and option.model.n_outputs == 2
                option.model.check()
        self.model.for_domain(20000).check()
        assert self.model.read_cost.taps >= 0 and self.model.read_cost.flops > 0

    def test_scaled_parameters_are_the_scaled_function(self) -> None:
        factors = np.linspace(0.5, 2, self.model.n_outputs)
        params, points = self._params(), cases.points(_POINTS)
        scaled = self.model.scaled(params, factors)
        if scaled is None:
            return
        assert scaled.dtype == np.float32 and not np.shares_memory(scaled, params)
        expected = self.model.evaluate(params, points) * factors
        np.testing.assert_allclose(
            self.model.evaluate(scaled, points), expected, atol=1e-5 * np.abs(expected).max()
        )

    # ---- headers of frames

    def test_headers_bring_it_back(self) -> None:
        text = json.dumps(models.to_dict(self.model))
        assert models.from_dict(json.loads(text)) == self.model
        assert hash(models.from_dict(json.loads(text))) == hash(self.model)

    @pytest.mark.parametrize("value", [None, -1, 10**12, "a", [], {}, 1e300, float("nan"), True])
    def test_headers_are_read_with_distrust(self, value: Any) -> None:
        whole = self.model.to_dict()
        for key in whole:
            if whole[key] == value and type(whole[key]) is type(value):
                continue
            with pytest.raises(ValueError):
                models.from_dict({"kind": self.model.kind, **whole, key: value})
        wrong: Any
        for wrong in ({**whole, "surprise": 1}, {}, [], None):
            with pytest.raises(ValueError):
                type(self.model).from_dict(wrong)

    # ---- codecs

    def test_sensitivity_is_the_general_one(self) -> None:
        params, points = self._params(), cases.points(12)
        scale = np.linspace(1, 2, self.model.n_outputs).astype(np.float32)
        np.testing.assert_allclose(
            self.model.sensitivity(params, points, scale),
            Model.sensitivity(self.model, params, points, scale),
            rtol=1e-3,
        )

    @pytest.mark.parametrize("codec", weight_codecs.names())
    def test_codecs_bring_it_back(self, codec: str) -> None:
        params, points = self._params(), cases.points(500)
        truth = self.model.evaluate(params, points)
        rng = np.random.default_rng(0)
        noisy = truth + 0.02 * truth.std() * rng.normal(size=truth.shape)

        def mean_square(trial: NDArray[np.float32]) -> float:
            return float(np.square(self.model.evaluate(trial, points) - noisy).mean())

        weights = compress_params(
            self.model, params, Compression(compression=codec), mean_square,
            engine=engine("numpy"), samples=len(points),
        )  # fmt: skip
        again = Weights.from_payload(weights.payload, weights.codec, self.model)
        np.testing.assert_array_equal(again.params, weights.params)
        if weights.codec != "half":
            assert mean_square(again.params) <= 10**0.03 * mean_square(params)
        with pytest.raises(FrameError):
            Weights.from_payload(weights.payload[:-9], weights.codec, self.model)

    def test_no_weights_are_made_for_a_few_bytes(self) -> None:
        largest = self.model.sizes(10**7)[-1].model
        if largest.n_params > 1 << 17:
            with pytest.raises(FrameError, match="bytes for"):
                Weights.from_payload(bytes(20), "half", largest)

    # ---- engines

    @pytest.mark.parametrize("name", engine_names())
    def test_engines_agree_with_the_equations(self, name: str) -> None:
        try:
            by = engine(name)
        except ImportError as error:
            pytest.skip(str(error))  # a package that is not installed
        if not by.supports(self.model):
            assert name != "numpy"  # which supports any model
            return
        params, points = self._params(), cases.points(300)
        expected = self.model.evaluate(params, points)
        size = np.abs(expected).max()
        np.testing.assert_allclose(
            by.evaluate(self.model, params, points), expected, atol=2e-5 * size
        )
        axes = [np.linspace(0, 1, n, dtype=np.float32) for n in (9, 4, 5)]
        z, y, x = np.meshgrid(*axes[::-1], indexing="ij")
        grid = np.stack([x, y, z], axis=-1).reshape(-1, 3)
        np.testing.assert_allclose(
            by.evaluate_grid(self.model, params, *axes),
            self.model.evaluate(params, grid).reshape(*z.shape, -1),
            atol=2e-5 * size,
        )
        slopes = by.gradient(self.model, params, points)
        assert slopes.shape == (len(points), self.model.n_outputs, 3)
        for component in range(self.model.n_outputs):
            above = np.zeros((len(points), self.model.n_outputs), np.float32)
            above[:, component] = 1
            _, of_points = self.model.backward(params, points, above)
            close = np.isclose(
                slopes[:, component], of_points, rtol=1e-3, atol=2e-4 * np.abs(of_points).max()
            )
            assert close.all(axis=1).mean() > 0.95  # except at kinks

    def _params(self) -> NDArray[np.float32]:
        """(n_params,), as large as after training."""
        params = self.model.initial(0)
        rng = np.random.default_rng(0)
        for array in self.model.arrays(params):
            if array.role == "level":
                array.values[...] = rng.normal(0, 0.3, array.values.shape)
        return params

    def _double(self) -> tuple[Floats, Floats, Floats]:
        rng = np.random.default_rng(1)
        points = rng.uniform(size=(_POINTS, 3))
        above = rng.normal(size=(_POINTS, self.model.n_outputs))
        return self._params().astype(np.float64), points, above
