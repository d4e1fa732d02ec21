"""Zeros along edges: found where the function has kinks too, and never beyond the ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.filters.geometry.edge_roots import CLOSE, MARGIN, EdgeRoots, linear, solve

ZEROS = np.linspace(0.01, 0.99, 99)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("function", "close"),
    [
        (lambda t, zero: t - zero, 1e-12),
        (lambda t, zero: np.sin(1.5 * t) - np.sin(1.5 * zero), 1e-5),
        (lambda t, zero: np.maximum(t, 0.5) + t - np.maximum(zero, 0.5) - zero, 1e-5),
        (lambda t, zero: np.where(t < zero, 0.2, 5.0) * (t - zero), 3e-3),  # the worst place
    ],
)
def test_zeros_are_found(function, sign: int, close: float) -> None:  # type: ignore[no-untyped-def]
    low, high = (sign * function(np.full(99, end), ZEROS) for end in (0.0, 1.0))
    t = solve(low, high, lambda some, t: sign * function(t, ZEROS[some]))
    assert np.abs(t - ZEROS).max() < 10 * close
    assert np.median(np.abs(t - ZEROS)) < close


def test_edges_that_have_arrived_are_not_evaluated_again() -> None:
    asked = []

    def function(some: np.ndarray, t: np.ndarray) -> np.ndarray:
        asked.append(len(some))
        # Straight lines on the first 90 edges, kinks on the others.
        return np.where((some < 90) | (t > 0.5), 1.0, 1e-3) * (t - 0.5) + CLOSE * 1e-3

    solve(np.where(np.arange(99) < 90, -0.5, -5e-4), np.full(99, 0.5), function)
    assert asked[0] == 99 and asked[1] == 9


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_estimates_stay_between_the_ends(seed: int) -> None:
    """Whatever is answered: any numbers at all, and none."""
    random = np.random.default_rng(seed)
    size = 10 ** random.uniform(-300, 300, (2, 20))
    low, high = size * np.where(random.random(20) < 0.5, 1, -1) * np.array([[1], [-1]])
    low[0] = 0.0 if high[0] < 0 else low[0]
    crossings = EdgeRoots(low, high)
    for _ in range(10):
        answer = random.normal(0, 1, 20) * size[0]
        answer[random.random(20) < 0.2] = np.nan
        before = crossings.t
        crossings.refine(answer)
        assert ((crossings.t >= MARGIN) & (crossings.t <= 1 - MARGIN)).all()
        np.testing.assert_array_equal(crossings.t[np.isnan(answer)], before[np.isnan(answer)])


def test_a_zero_at_an_end_keeps_its_distance() -> None:
    t = linear(np.array([0.0, -1.0, 1e300]), np.array([-1.0, 0.0, -1e300]))
    np.testing.assert_allclose(t, [MARGIN, 1 - MARGIN, 0.5])
