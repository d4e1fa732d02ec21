"""Lines through periodic sides: right, cut into pieces there, alike on any number of ranks."""

from __future__ import annotations

import numpy as np
import pytest

from insitu.core.parallel import RemoteError
from insitu.filters.particles.pathlines import particle_advection, pathlines, streamlines
from tests.support.flows import COMM, steps, whole

DRIFT = np.array([0.9, 0.7, 0.0])
SEEDS = np.array([[0.8, 0.75, 0.5], [0.3, 0.1, 0.25]])


def drift(points: np.ndarray, time: float) -> np.ndarray:
    return np.broadcast_to(DRIFT, points.shape).copy()


def length(lines: object) -> float:
    """Of this rank's pieces, over all ranks."""
    mine = 0.0
    for first, last in zip(lines.offsets[:-1], lines.offsets[1:], strict=True):
        piece = lines.points[first:last]
        mine += float(np.linalg.norm(np.diff(piece, axis=0), axis=1).sum())
    return float(COMM.allreduce(mine))


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("parts", [(1, 1, 1), (2, 2, 1)])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_line_continues_at_the_other_side(parts: tuple, direction: str) -> None:
    field = steps(drift, (0.0, 1.0, 2.5), parts=parts, how="mixed")
    lines = pathlines(COMM, field, SEEDS, direction=direction, periodic="xy", step=0.04)
    assert length(lines) == pytest.approx(2 * 2.5 * np.linalg.norm(DRIFT), rel=1e-9)
    longest = 0.0
    for first, last in zip(lines.offsets[:-1], lines.offsets[1:], strict=True):
        moves = np.abs(np.diff(lines.points[first:last], axis=0))
        longest = max(longest, moves.max(initial=0.0))
    assert longest < 0.05  # no piece goes back through the domain
    assert ((lines.points >= 0) & (lines.points <= 1)).all()
    found = whole(lines)
    if COMM.rank == 0:
        sign = 1 if direction == "forward" else -1
        steps_from_seed = np.abs(found.values["step"])
        for number, seed in enumerate(SEEDS):
            mine = found.values["line"] == number
            last = found.points[mine][np.argmax(steps_from_seed[mine])]
            there = np.mod(seed + sign * 2.5 * DRIFT, 1.0)
            np.testing.assert_allclose(last, there, atol=1e-9)


@pytest.mark.parallel([1, 3])
def test_sides_that_are_not_periodic_end_lines() -> None:
    field = steps(drift, (0.0,), parts=(2, 2, 1))
    lines = streamlines(COMM, field[0], SEEDS, periodic="x", step=0.04, max_steps=200)
    # The first is at y = 1 after 0.25 / 0.7, the second after 0.9 / 0.7.
    expected = (0.25 + 0.9) / 0.7 * np.linalg.norm(DRIFT)
    assert length(lines) == pytest.approx(expected, rel=1e-5)
    ends = particle_advection(COMM, field, SEEDS, periodic="xy", step=0.05, max_steps=40)
    points = np.concatenate(COMM.allgather(ends.points))
    wanted = np.mod(SEEDS + 2.0 * DRIFT, 1.0)
    np.testing.assert_allclose(points[np.argsort(points[:, 2])], wanted[::-1], atol=1e-9)


@pytest.mark.parallel([1])
def test_other_axes_are_refused() -> None:
    with pytest.raises(RemoteError, match="periodic: 'w'; expected some of x, y and z"):
        streamlines(COMM, steps(drift, (0.0,))[0], SEEDS, periodic="w")
