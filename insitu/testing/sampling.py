"""Tests of raw blocks and of the sample points of training.

In: an engine. Out: whether its sampler and `draw` agree with the reference.
"""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from insitu.testing import cases
from insitu.testing.cases import NO_GHOSTS, Block
from insitu.testing.suite import EngineSuite


class SamplingTests(EngineSuite):
    @pytest.mark.parametrize("share", [0.0, 0.15, 1.0])
    @pytest.mark.parametrize("iteration", [0, 5])
    def test_draw(self, share: float, iteration: int) -> None:
        got = self.engine.draw(7, share, 0.005, iteration, 1000)
        expected = self.reference.draw(7, share, 0.005, iteration, 1000)
        assert got.dtype == np.float32 and got.shape == (1000, 3)
        np.testing.assert_allclose(got, expected, atol=1e-6)
        assert got.min() >= 0 and got.max() <= 1

    def test_uniform_samples_are_the_same_to_the_bit(self) -> None:
        got = self.engine.draw(2**32 - 1, 0.0, 0.005, 123456, 1000)
        expected = self.reference.draw(2**32 - 1, 0.0, 0.005, 123456, 1000)
        np.testing.assert_array_equal(got, expected)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("vertex", [False, True])
    @pytest.mark.parametrize("count", [1, 3])
    def test_sampler(self, dtype: Any, vertex: bool, count: int) -> None:
        block, points = Block.random(count, dtype, vertex=vertex), cases.points(1000)
        sampler = block.sampler(self.engine)
        got = sampler.sample(points)
        assert got.dtype == np.float32
        assert sampler.components == count
        assert sampler.samples == int(np.prod([n + vertex for n in block.cells]))
        expected = block.sampler(self.reference).sample(points)
        np.testing.assert_allclose(got, expected, atol=2e-5)

    def test_sampler_of_known_values(self) -> None:
        """Trilinear interpolation of a trilinear function, including ghost layers."""
        z, y, x = np.meshgrid(*(np.arange(n) - 0.5 for n in (6, 7, 8)), indexing="ij")
        values = 1 + x + 10 * y + 100 * z + 0.1 * x * y * z
        sampler = self.engine.sampler((values,), ((1, 1),) * 3, (4, 5, 6), False)
        p = cases.points(200) * [6, 5, 4]
        expected = 1 + p[:, 0] + 10 * p[:, 1] + 100 * p[:, 2] + 0.1 * p.prod(axis=1)
        got = sampler.sample((p / [6, 5, 4]).astype(np.float32))
        np.testing.assert_allclose(got[:, 0], expected, rtol=2e-5)

    def test_sampler_of_strided_arrays(self) -> None:
        whole = np.random.default_rng(1).random((12, 14, 16, 3))
        views = tuple(whole[::2, ::-2, 1:15:2, c] for c in range(3))
        block = Block(views, NO_GHOSTS, (6, 7, 7))
        points = cases.points(200)
        expected = block.sampler(self.reference).sample(points)
        np.testing.assert_allclose(block.sampler(self.engine).sample(points), expected, atol=2e-6)

    def test_sampler_keeps_its_arrays(self) -> None:
        sampler = self.engine.sampler((np.full((40, 40, 40), 2.5),), NO_GHOSTS, (40,) * 3, False)
        gc.collect()
        assert (sampler.sample(np.full((5, 3), 0.5, np.float32)) == 2.5).all()

    def test_one_cell_is_constant(self) -> None:
        sampler = self.engine.sampler((np.full((1, 1, 1), 3.0),), NO_GHOSTS, (1, 1, 1), False)
        assert (sampler.sample(cases.points(50)) == 3.0).all()

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_bad_samples_reach_as_far_as_their_weight(self, bad: float, dtype: Any) -> None:
        values = np.ones((4, 4, 4), dtype)
        values[1, 1, 1] = bad
        sampler = self.engine.sampler((values,), NO_GHOSTS, (3, 3, 3), True)
        near = np.array([[0.34, 0.34, 0.34], [0.6, 0.4, 0.4]], np.float32)
        beside = np.array([[0.0, 0.34, 0.34], [0.67, 0.34, 0.34], [0.9, 0.9, 0.9]], np.float32)
        assert not np.isfinite(sampler.sample(near)).any()
        assert (np.abs(sampler.sample(beside) - 1) < 1e-6).all()

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("vertex", [False, True])
    @pytest.mark.parametrize("holes", [False, True])
    def test_statistics(self, dtype: Any, vertex: bool, holes: bool) -> None:
        block = Block.random(2, dtype, vertex=vertex, holes=holes)
        sampler, reference = block.sampler(self.engine), block.sampler(self.reference)
        for component in range(2):
            assert sampler.statistics(component) == reference.statistics(component)
        with pytest.raises(IndexError):
            sampler.statistics(2)

    def test_statistics_without_a_finite_sample(self) -> None:
        values = np.full((3, 4, 5), np.nan)
        values[0, 0, 0] = np.inf
        figures = self.engine.sampler((values,), NO_GHOSTS, (3, 4, 5), False).statistics(0)
        assert tuple(figures) == (np.inf, -np.inf, 0, 59, 1)

    def test_ghost_layers_are_not_in_the_statistics(self) -> None:
        values = np.full((4, 4, 4), 9.0)
        values[1:3, 1:3, 1:3] = 2.0
        figures = self.engine.sampler((values,), ((1, 1),) * 3, (2, 2, 2), False).statistics(0)
        assert tuple(figures) == (2.0, 2.0, 8, 0, 0)

    def test_wrong_blocks_are_refused(self) -> None:
        good = Block((np.zeros((3, 3, 3)),), NO_GHOSTS, (3, 3, 3))
        good.sampler(self.engine)
        for change, error, message in (
            ({"cells": (3, 3, 4)}, ValueError, "cells and ghost layers make"),
            ({"cells": (3, 0, 3)}, ValueError, "at least one cell"),
            ({"components": ()}, ValueError, "at least one array"),
            ({"components": (np.zeros((3, 3)),)}, ValueError, r"shape \(nz, ny, nx\)"),
            ({"components": (np.zeros((3, 3, 3), int),)}, TypeError, "float32 or float64"),
            ({"components": ([[[1.0]]],)}, TypeError, "expected NumPy arrays"),
        ):
            with pytest.raises(error, match=message):
                replace(good, **change).sampler(self.engine)
