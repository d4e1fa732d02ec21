"""The integrator of many particles against the one that is written to be read."""

from __future__ import annotations

import numpy as np
import pytest

from insitu.filters.particles.integrate import CFL, METHODS
from insitu.filters.particles.pathlines import pathlines
from insitu.filters.particles.reference import courant_step, pathline
from tests.support.flows import COMM, UNIT, ring, rotation, steps, whole


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("method", ["rk4", "rk45"])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("step", [None, 0.07])
def test_as_the_reference(method: str, sign: int, step: float | None) -> None:
    times = (0.0, 0.4, 1.1)
    field = steps(rotation, times, parts=(2, 3, 1), cells=(8, 9, 8), how="mixed", fastest=2.0)
    seeds = np.concatenate([ring(6), [[0.95, 0.9, 0.3], [0.5, 0.1, 0.9]]])  # the last two leave
    lines = whole(
        pathlines(
            COMM, field, seeds, direction="forward" if sign > 0 else "backward", method=method,
            step=step, tolerance=1e-7,
        )
    )  # fmt: skip
    spacing = np.array([1 / 8, 1 / 9, 1 / 8])
    courant = [courant_step(spacing, np.full(3, 2.0))] * 2
    assert courant[0] == CFL / 9 / 2

    def velocity(point: np.ndarray, time: float) -> np.ndarray:
        low = max(t for t in times[:-1] if t <= time)
        high = min(t for t in times if t > low)
        share = (time - low) / (high - low)
        early, late = (rotation(point[None], t)[0] for t in (low, high))
        return (1 - share) * early + share * late

    for number in range(COMM.rank, len(seeds), COMM.size):  # the reference takes its time
        points, moments = pathline(
            velocity, (np.array(UNIT[0]), np.array(UNIT[1])), times[::sign], seeds[number], courant,
            sign=sign, method=method, step=step, tolerance=1e-7,
        )  # fmt: skip
        mine = lines.values["line"] == number
        np.testing.assert_allclose(lines.points[mine][::sign], points, atol=1e-11)
        np.testing.assert_allclose(lines.values["time"][mine][::sign], moments, atol=1e-11)


@pytest.mark.parallel(1)
@pytest.mark.parametrize("name", METHODS)
def test_conditions_of_order(name: str) -> None:
    # Hairer, Nørsett, Wanner: Solving Ordinary Differential Equations I, table II.2.1: to order 4,
    # for the embedded method too.
    method = METHODS[name]
    a, c = method.a, method.c
    embedded = [] if method.error is None else [method.b - method.error]
    for b in [method.b, *embedded]:
        for left, right in (
            (b.sum(), 1), (b @ c, 1 / 2), (b @ c**2, 1 / 3), (b @ a @ c, 1 / 6), (b @ c**3, 1 / 4),
            ((b * c) @ a @ c, 1 / 8), (b @ a @ c**2, 1 / 12), (b @ a @ a @ c, 1 / 24),
        ):  # fmt: skip
            assert left == pytest.approx(right, abs=1e-15)
    if method.error is not None:
        assert method.b @ c**4 == pytest.approx(1 / 5, abs=1e-15)
        np.testing.assert_array_equal(a[-1], method.b)  # the last stage is the end of the step
