"""Adaptive grids: where they lie, how they move, when they rest."""

import numpy as np
import pytest

from insitu.models.adaptive_grid.model import AdaptiveGrid
from insitu.models.adaptive_grid.placement import (
    TINY,
    WINDOW,
    GridPlacement,
    density,
    placement_gradient,
)

MODEL = AdaptiveGrid(n_grids=3, resolution=4, n_features=1, n_neurons=16)


def params(seed: int = 0) -> np.ndarray:
    return MODEL.initial(seed).astype(np.float64)


def points(n: int) -> np.ndarray:
    return np.random.default_rng(1).random((n, 3))


def test_grids_start_over_the_whole_block():
    corners = MODEL.boxes(params())
    assert corners.shape == (3, 8, 3)
    ends = np.array(list(np.ndindex(2, 2, 2)))[:, ::-1]
    assert np.abs(corners - ends).max() < 0.4
    np.testing.assert_array_equal(MODEL.boxes(np.zeros(MODEL.n_params)), np.nan)


def test_a_box_is_where_its_grid_has_features():
    """A grid of ones on a quarter of the block, and a network that passes its feature on."""
    model = AdaptiveGrid(n_grids=1, resolution=3, n_features=1, n_neurons=16, n_hidden_layers=1)
    weights = np.zeros(model.n_params, np.float32)
    first, last = model.weights(weights)
    first[0, 0] = last[0, 0] = 1
    model.transforms(weights)[0] = [[2, 0, 0, 1], [0, 1, 0, 0], [0, 0, 4, 0]]
    model.tables(weights)[...] = 1
    lower, upper = model.boxes(weights)[0][[0, 7]]
    np.testing.assert_allclose(lower, [0, 0, 0.375], atol=1e-12)
    np.testing.assert_allclose(upper, [0.5, 1, 0.625])
    at = points(400)
    values = model.evaluate(weights, at.astype(np.float32))[:, 0]
    margin = 0.5 * (upper - lower)  # one cell, over which the grid blends with 0
    inside = ((at > lower) & (at < upper)).all(axis=1)
    outside = ((at < lower - margin) | (at > upper + margin)).any(axis=1)
    np.testing.assert_allclose(values[inside], 1, atol=1e-5)
    np.testing.assert_array_equal(values[outside], 0)
    assert inside.any() and outside.any()


def test_density_is_the_flat_top_of_each_grid():
    """About det(A) / (2 pi)^1.5 within a grid, 0 outside of it."""
    model = AdaptiveGrid(n_grids=2, resolution=2)
    weights = np.zeros(model.n_params)
    transforms = model.transforms(weights)
    transforms[0] = np.diag([2.0, 2, 2, 1])[:3]
    transforms[1] = np.diag([1.0, 1, 1, 1])[:3]
    centre, corner = density(model, weights, np.array([[0.5, 0.5, 0.5], [0.05, 0.05, 0.1]]))
    assert centre == pytest.approx((8 + 1) / (2 * np.pi) ** 1.5)
    assert corner == pytest.approx(1 / (2 * np.pi) ** 1.5, rel=0.3)


def test_gradient_is_that_of_the_divergence():
    """Central differences of sum p (log p - log q), with the target p and the normalization of q
    held, as in the published code."""
    weights, at = params(), points(50)
    errors = np.random.default_rng(2).random(50) ** 2
    _, gradient = placement_gradient(MODEL, weights, at, errors)
    raw = density(MODEL, weights, at)
    total = raw.sum()
    target = np.exp(np.log(raw / total + TINY) * (errors.mean() / (errors + TINY)))
    target = target / target.sum() + TINY

    def divergence(moved: np.ndarray) -> float:
        return float(-(target * np.log(density(MODEL, moved, at) / total + TINY)).sum())

    step = 1e-6
    begin = MODEL.transform_slice.start
    for i, expected in enumerate(gradient.reshape(-1)):
        ends = []
        for sign in (1, -1):
            moved = weights.copy()
            moved[begin + i] += sign * step
            ends.append(divergence(moved))
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_grids_move_to_the_error():
    """Steps along the gradient raise the density where the error is, over where it is not."""
    weights, at = params(), points(400)
    hard = at[:, 0] > 0.7
    errors = np.where(hard, 1.0, 0.1)

    def contrast() -> float:
        raw = density(MODEL, weights, at)
        return float(raw[hard].mean() / raw[~hard].mean())

    before = contrast()
    for _ in range(60):
        _, gradient = placement_gradient(MODEL, weights, at, errors)
        MODEL.transforms(weights)[...] -= 0.01 * gradient / np.abs(gradient).max()
    assert contrast() > 1.2 * before


def test_grids_rest_first_and_last_and_when_nothing_is_gained():
    placement = GridPlacement(MODEL)
    moving = [step for step in range(10000) if placement.active(step, 10000)]
    assert (moving[0], moving[-1]) == (500, 7999)
    for step in range(2 * WINDOW):
        placement.add(1 - 1e-3 * step / WINDOW)
    assert placement.active(600, 10000)
    for _ in range(2 * WINDOW):
        placement.add(0.998)
    assert not placement.active(600, 10000)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"n_grids": 33}, "n_grids: 33 is not in 1..32"),
        ({"resolution": 1}, "resolution: 1 is not in 2..1024"),
        ({"n_grids": 32, "resolution": 900}, "more than"),
        ({"n_features": 3}, "n_features: 3 is not one of 1, 2, 4, 8"),
    ],
)
def test_shapes_out_of_range_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        AdaptiveGrid(**options).check()
