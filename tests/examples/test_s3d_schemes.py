"""The reacting flow's numerical schemes, each against what theory says of it.

In: smooth functions, waves, polynomials. Out: nothing but pass or fail.
"""

from __future__ import annotations

import numpy as np
import pytest
from s3d import runge_kutta
from s3d.derivatives import LARGEST_WAVENUMBER, derivative_matrix
from s3d.filter import filter_matrix
from s3d.grid import open_axis, periodic_axis


def order(errors: list[float]) -> float:
    """Of convergence, for resolutions that double."""
    return float(np.log2(errors[-2] / errors[-1]))


def test_derivative_is_of_eighth_order_inside() -> None:
    errors = []
    for n in (16, 32, 64):
        axis = periodic_axis(n, 2.0)
        wave = np.exp(np.sin(np.pi * axis.points))
        slope = np.pi * np.cos(np.pi * axis.points) * wave
        errors.append(np.abs(axis.derivative @ wave - slope).max())
    assert order(errors) == pytest.approx(8.0, abs=0.3)


def test_derivative_of_a_stretched_axis_is_of_eighth_order_inside_and_fourth_at_its_ends() -> None:
    inside, ends = [], []
    for n in (65, 129):
        axis = open_axis(n, 2.0, 1.0)
        error = np.abs(axis.derivative @ np.sin(4 * axis.points) - 4 * np.cos(4 * axis.points))
        inside.append(error[n // 4 : -n // 4].max())
        ends.append(error.max())
    assert order(inside) == pytest.approx(8.0, abs=0.4)
    assert order(ends) == pytest.approx(4.0, abs=0.4)


def test_derivatives_near_ends_are_exact_for_polynomials() -> None:
    x = np.linspace(0.0, 1.0, 20)
    matrix = derivative_matrix(20, x[1], periodic=False)
    for power in range(5):
        slope = power * x ** max(power - 1, 0)
        np.testing.assert_allclose(matrix @ x**power, slope, atol=1e-11, err_msg=str(power))


def test_largest_wavenumber() -> None:
    found = np.abs(np.linalg.eigvals(derivative_matrix(200, 1.0, periodic=True))).max()
    assert found == pytest.approx(LARGEST_WAVENUMBER, rel=1e-3)
    # No mode of the scheme with open ends grows faster than outflow takes it out.
    ends = np.linalg.eigvals(derivative_matrix(64, 1.0, periodic=False))
    assert np.abs(ends.real).max() < 0.01 and np.abs(ends).max() < LARGEST_WAVENUMBER


def test_axis_stretches_and_ends_where_it_should() -> None:
    axis = open_axis(65, 2.0, 1.0)
    assert axis.points[0] == pytest.approx(-1.0) and axis.points[-1] == pytest.approx(1.0)
    steps = np.diff(axis.points)
    assert steps.max() / steps.min() == pytest.approx(np.cosh(1.0), rel=0.02)
    np.testing.assert_allclose(axis.widths[1:-1], (steps[1:] + steps[:-1]) / 2, rtol=1e-3)


def test_filter_damps_waves_by_the_tenth_power_of_the_sine() -> None:
    n = 40
    smooth = filter_matrix(n, periodic=True)
    for waves in (1, 5, 10, 15, 20):
        angle = 2 * np.pi * waves / n
        wave = np.cos(angle * np.arange(n))
        expected = (1.0 - np.sin(angle / 2) ** 10) * wave
        np.testing.assert_allclose(smooth @ wave, expected, atol=1e-13)


def test_filter_with_open_ends_keeps_sums_and_polynomials_and_lets_nothing_grow() -> None:
    n = 30
    smooth = filter_matrix(n, periodic=False)
    np.testing.assert_allclose(smooth.sum(axis=0), 1.0, rtol=1e-12)
    values = np.linalg.eigvalsh(smooth)
    assert values.min() > -1e-12 and values.max() < 1.0 + 1e-12
    x = np.linspace(-1.0, 1.0, n)
    for power in range(5):
        np.testing.assert_allclose(smooth @ x**power, x**power, atol=1e-13)


@pytest.mark.parametrize("make", [derivative_matrix, filter_matrix])
def test_axes_of_one_point_pass_and_short_ones_do_not(make) -> None:
    spacing = () if make is filter_matrix else (1.0,)
    assert make(1, *spacing, True).shape == (1, 1)
    with pytest.raises(ValueError, match="7 points along an axis"):
        make(7, *spacing, True)


def test_runge_kutta_is_of_fourth_order() -> None:
    """A pendulum, nonlinear, against itself with steps a hundred times shorter."""

    def rate(y: np.ndarray) -> np.ndarray:
        return np.array([y[1], -np.sin(y[0])])

    def run(steps: int) -> np.ndarray:
        y = np.array([2.0, 0.5])
        for _ in range(steps):
            runge_kutta.advance(y, 4.0 / steps, rate, np.empty(2))
        return y

    exact = run(8000)
    errors = [float(np.abs(run(steps) - exact).max()) for steps in (20, 40, 80)]
    assert order(errors) == pytest.approx(4.0, abs=0.25)


def test_runge_kutta_meets_the_order_conditions() -> None:
    b = np.array(runge_kutta.B)
    a = np.zeros((5, 5))
    for i in range(1, 5):
        a[i, : i - 1], a[i, i - 1] = b[: i - 1], runge_kutta.A[i - 1]
    c = a.sum(axis=1)
    sums = [b.sum(), b @ c, b @ c**2, b @ a @ c, b @ c**3, (b * c) @ a @ c, b @ a @ c**2]
    sums.append(b @ a @ a @ c)
    expected = [1, 1 / 2, 1 / 3, 1 / 6, 1 / 4, 1 / 8, 1 / 12, 1 / 24]
    np.testing.assert_allclose(sums, expected, rtol=1e-12)
