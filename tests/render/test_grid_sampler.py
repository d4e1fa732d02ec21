"""The sampler of raw blocks, as pictures of the raw data use it."""

import gc

import numpy as np
import pytest

from insitu.engines.cpu.native import lib
from insitu.models.hash_grid.reference import trilinear

GHOSTS = ((1, 0), (0, 1), (1, 1))
CELLS = (5, 6, 7)


def arrays(vertex: bool, dtype: type, count: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    shape = [n + vertex + lo + hi for n, (lo, hi) in zip(CELLS, GHOSTS, strict=True)]
    return [rng.standard_normal(shape).astype(dtype) for _ in range(count)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("vertex", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_agrees_with_reference(dtype: type, vertex: bool, count: int) -> None:
    components = arrays(vertex, dtype, count)
    points = np.random.default_rng(0).random((1000, 3)).astype(np.float32)
    points[:8] = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, 8).T
    sampler = lib.GridSampler(tuple(components), GHOSTS, CELLS, vertex)
    assert sampler.components == count
    low = tuple(lo for lo, _ in GHOSTS)
    expected = np.stack([trilinear(c, low, CELLS, vertex, points) for c in components], axis=1)
    np.testing.assert_allclose(sampler.sample(points), expected, atol=2e-5)


def test_reads_strided_arrays_in_place() -> None:
    whole = np.random.default_rng(1).random((12, 14, 16, 3))
    views = [whole[::2, ::-2, 1:15:2, c] for c in range(3)]  # interleaved, skipping, backwards
    sampler = lib.GridSampler(tuple(views), ((0, 0),) * 3, views[0].shape, False)
    points = np.random.default_rng(2).random((200, 3)).astype(np.float32)
    expected = np.stack(
        [trilinear(v, (0, 0, 0), views[0].shape, False, points) for v in views], axis=1
    )
    np.testing.assert_allclose(sampler.sample(points), expected, atol=2e-6)
    whole[...] = 4.0
    assert (sampler.sample(points) == 4.0).all()


def test_keeps_its_arrays_alive() -> None:
    sampler = lib.GridSampler((np.full((40, 40, 40), 2.5),), ((0, 0),) * 3, (40, 40, 40), False)
    gc.collect()
    assert (sampler.sample(np.full((5, 3), 0.5, np.float32)) == 2.5).all()


def test_one_cell_is_constant() -> None:
    sampler = lib.GridSampler((np.full((1, 1, 1), 3.0),), ((0, 0),) * 3, (1, 1, 1), False)
    points = np.random.default_rng(0).random((50, 3)).astype(np.float32)
    assert (sampler.sample(points) == 3.0).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_samples_reach_as_far_as_their_weight(bad: float) -> None:
    values = np.ones((4, 4, 4), np.float32)
    values[1, 1, 1] = bad
    sampler = lib.GridSampler((values,), ((0, 0),) * 3, (3, 3, 3), vertex=True)
    near = np.array([[0.34, 0.34, 0.34], [0.6, 0.4, 0.4]], np.float32)
    beside = np.array([[0.0, 0.34, 0.34], [0.67, 0.34, 0.34], [0.9, 0.9, 0.9]], np.float32)
    assert not np.isfinite(sampler.sample(near)).any()
    assert (np.abs(sampler.sample(beside) - 1) < 1e-6).all()
