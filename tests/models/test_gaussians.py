"""Sums of Gaussians: what they reach, what they reproduce, where they begin."""

import numpy as np
import pytest

from insitu.models.gaussians import neighbours
from insitu.models.gaussians.model import Gaussians


def points(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 3))


def bent(at: np.ndarray) -> np.ndarray:
    """Flat where x < 0.5, waves elsewhere."""
    return np.where(at[:, :1] < 0.5, at[:, 1:2], np.sin(25 * at).sum(axis=1, keepdims=True))


def test_pairs_are_all_that_are_near_and_few_more() -> None:
    """Against all pairs, with Gaussians of very different sizes and shapes."""
    model = Gaussians(n_gaussians=200)
    rows = model.rows(model.initial(0))
    rng = np.random.default_rng(2)
    rows[3:6] += rng.normal(0, 1, (3, 200))
    rows[6:9] = rng.normal(0, 1, (3, 200))
    at = points(300)
    d = at[:, None] - rows[:3].T
    xy, xz, yz = rows[6:9]
    local = (
        np.stack(
            [d[..., 0] + xy * d[..., 1] + xz * d[..., 2], d[..., 1] + yz * d[..., 2], d[..., 2]]
        )
        * np.exp(-rows[3:6])[:, None]
    )
    near = np.square(local).sum(axis=0) < neighbours.REACH
    point, which = neighbours.pairs(rows, at)
    found = np.zeros_like(near)
    found[point, which] = True
    assert found.sum() == len(point) and (np.diff(point) >= 0).all()
    assert not (near & ~found).any()
    boxes = (np.abs(d) <= neighbours.half_widths(rows).T).all(axis=2)
    np.testing.assert_array_equal(found, boxes)


def test_one_huge_gaussian_fills_no_lists() -> None:
    model = Gaussians(n_gaussians=4000)
    rows = model.rows(model.initial(0))
    rows[3:6] = 4.0
    point, _ = neighbours.pairs(rows, points(3))
    assert len(point) == 3 * 4000 and (np.bincount(point) == 4000).all()
    assert not len(neighbours.pairs(rows, np.empty((0, 3)))[0])


def test_far_from_all_gaussians_is_nothing() -> None:
    model = Gaussians(n_gaussians=1)
    params = np.zeros(model.n_params)
    model.rows(params)[:, 0] = [0.5, 0.5, 0.5, *[np.log(0.1)] * 3, 0, 0, 0, 2.0, 0, 0, 0]
    at = np.array([[0.5, 0.5, 0.5], [0.75, 0.5, 0.5], [0.5 + 0.1 * np.sqrt(8), 0.5, 0.5]])
    # The only one, whatever its weight; then the end of its reach.
    np.testing.assert_allclose(model.evaluate(params, at)[:, 0], [2, 2, 0], rtol=1e-3)


def test_linear_functions_are_reproduced() -> None:
    at = points(3000)
    linear = (at @ [1.0, -2.0, 0.5] + 0.3)[:, None]
    model = Gaussians(n_gaussians=100)
    params = model.place(at, linear)
    inside = 0.1 + 0.8 * points(200, 2)
    found = model.evaluate(params.astype(np.float64), inside)[:, 0]
    np.testing.assert_allclose(found, inside @ [1.0, -2.0, 0.5] + 0.3, atol=0.01)


@pytest.mark.parametrize("degree", [0, 1])
def test_they_begin_close_to_the_values(degree: int) -> None:
    at = points(4000)
    values = bent(at)
    model = Gaussians(n_gaussians=800, degree=degree)
    params = model.place(at, values)
    np.testing.assert_array_equal(params, model.place(at, values))
    error = model.evaluate(params, at.astype(np.float32)) - values
    assert np.square(error).mean() < 0.25 * values.var()


def test_more_of_them_lie_where_values_bend() -> None:
    at = points(4000)
    model = Gaussians(n_gaussians=400)
    x = model.rows(model.place(at, bent(at)))[0]
    assert (x > 0.5).sum() > 2.5 * (x < 0.5).sum()
    even = model.rows(model.place(at, np.zeros((4000, 1))))[0]
    assert 0.8 < (even > 0.5).sum() / (even < 0.5).sum() < 1.25


def test_sizes_follow_the_distances_of_points() -> None:
    at = points(4000) ** 2  # dense near 0
    model = Gaussians(n_gaussians=400)
    rows = model.rows(model.place(at, np.zeros((4000, 1))))
    distance = np.linalg.norm(rows[:3], axis=0)
    sizes = rows[3:6].mean(axis=0)
    assert sizes[distance > 1].mean() - sizes[distance < 0.3].mean() > np.log(3)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_few_points(n: int) -> None:
    """As many as Gaussians, fewer, or one and the same place."""
    for at in (points(n), np.full((n, 3), 0.25)):
        model = Gaussians(n_gaussians=5)
        params = model.place(at, np.arange(n, dtype=float)[:, None])
        assert np.isfinite(params).all()
        assert np.isfinite(model.evaluate(params, at.astype(np.float32))).all()
