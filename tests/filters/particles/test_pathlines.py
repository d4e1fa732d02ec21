"""Pathlines: right where the answer is known, alike on any number of ranks, one failure for all."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.geometry import Lines
from insitu.core.parallel import RemoteError
from insitu.fields.distributed_field import DistributedField, Summary
from insitu.filters.particles.line_segments import gather_lines
from insitu.filters.particles.pathlines import particle_advection, pathlines, streamlines
from tests.support.flows import (
    COMM,
    UNIT,
    first_points,
    last_points,
    ring,
    rotated,
    rotation,
    steps,
    whole,
)

TIMES = (0.0, 0.3, 0.5, 1.0)


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("how", ["even", "empty", "mixed"] if COMM.size > 1 else ["even"])
@pytest.mark.parametrize("method", ["rk4", "rk45"])
def test_forward_and_backward_as_known(how: str, method: str) -> None:
    field = steps(rotation, TIMES, parts=(2, 2, 1), how=how)
    seeds = ring(7)
    there = whole(
        pathlines(COMM, field, seeds, direction="forward", method=method, step=0.02, tolerance=1e-8)
    )
    assert there.n_lines == 7
    np.testing.assert_array_equal(first_points(there), seeds)
    np.testing.assert_allclose(last_points(there), rotated(seeds, 0.0, 1.0), atol=2e-6)
    # All points are on the known lines, not only the ends.
    numbers = there.values["line"].astype(int)
    for time in np.unique(there.values["time"])[:40]:
        at = there.values["time"] == time
        known = rotated(seeds[numbers[at]], 0.0, time)
        np.testing.assert_allclose(there.points[at], known, atol=2e-6)
    # Back again, from where they came to.
    back = whole(
        pathlines(COMM, field, last_points(there), method=method, step=0.02, tolerance=1e-8)
    )
    np.testing.assert_allclose(first_points(back), seeds, atol=4e-6)
    np.testing.assert_array_equal(last_points(back), last_points(there))
    for lines in (there, back):
        ascending = np.diff(lines.values["time"])
        assert (ascending[np.diff(lines.values["line"]) == 0] > 0).all()
        speed = np.linalg.norm(rotation(lines.points, lines.values["time"]), axis=1)
        np.testing.assert_allclose(lines.values["speed"], speed, rtol=1e-12)


@pytest.mark.parallel([1, 3])
def test_error_falls_at_the_methods_order() -> None:
    field = steps(rotation, TIMES)
    seeds, known = ring(5), rotated(ring(5), 0.0, 1.0)

    def error(**options: object) -> float:
        lines = whole(pathlines(COMM, field, seeds, direction="forward", **options))
        return float(np.abs(last_points(lines) - known).max())

    # Steps that divide every interval between two steps.
    errors = [error(step=step) for step in (0.1, 0.05, 0.025, 0.0125)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders > 3.7).all() and (orders < 4.5).all()
    tolerances = np.array([1e-4, 1e-6, 1e-8, 1e-10])
    errors = [error(method="rk45", tolerance=tolerance) for tolerance in tolerances]
    slope = np.polyfit(np.log(tolerances), np.log(errors), 1)[0]
    assert 0.7 < slope < 1.3 and errors[-1] < 1e-8


@pytest.mark.parallel([1, 3])
def test_a_flow_linear_in_time_is_exact_between_steps() -> None:
    # Everywhere the same, so that only time counts: x = a t + b t^2 / 2, from few or many steps.
    def gust(points: np.ndarray, time: float) -> np.ndarray:
        return np.broadcast_to([0.3 + 0.4 * time, -0.2 * time, 0.1], points.shape).copy()

    seeds = np.array([[0.2, 0.8, 0.5], [0.1, 0.6, 0.3]])
    for times in ((0.0, 1.0), (0.0, 0.25, 1.0)):
        lines = whole(pathlines(COMM, steps(gust, times), seeds, direction="forward"))
        t = lines.values["time"][:, None]
        known = seeds[lines.values["line"].astype(int)] + t * [0.3, 0, 0.1] + t**2 * [0.2, -0.1, 0]
        np.testing.assert_allclose(lines.points, known, atol=1e-14)


@pytest.mark.parallel(3)
@pytest.mark.parametrize("method", ["rk4", "rk45"])
@pytest.mark.parametrize("how", ["even", "empty", "mixed"])
def test_who_holds_which_block_does_not_matter(method: str, how: str) -> None:
    # One rank does all of it alone, on all blocks; and once more in one block.
    seeds = ring(40)
    options = {"direction": "both", "start_time": 0.4, "method": method}
    mine = whole(
        pathlines(COMM, steps(rotation, TIMES, parts=(2, 2, 2), how=how), seeds, **options)
    )
    if COMM.rank > 0:
        return
    for parts in ((2, 2, 2), (1, 1, 1)):
        field = steps(rotation, TIMES, parts=parts, comm=MPI.COMM_SELF)
        alone = gather_lines(MPI.COMM_SELF, pathlines(MPI.COMM_SELF, field, seeds, **options))
        np.testing.assert_array_equal(mine.points, alone.points)
        np.testing.assert_array_equal(mine.offsets, alone.offsets)
        for name, values in alone.values.items():
            np.testing.assert_array_equal(mine.values[name], values)


@pytest.mark.parallel([1, 3])
def test_pieces_lie_in_blocks_and_make_up_the_lines() -> None:
    field = steps(rotation, TIMES, parts=(3, 2, 2), cells=(8, 8, 9), how="mixed")
    lines = pathlines(COMM, field, ring(20), direction="forward")
    for i in range(lines.n_lines):
        points = lines.points[lines.offsets[i] : lines.offsets[i + 1]]
        assert len(points) > 1
        assert any(
            ((points >= low) & (points <= high)).all()
            for low, high in (block.bounds for block in field[0].fields)
        )
        assert (np.diff(lines.values["time"][lines.offsets[i] : lines.offsets[i + 1]]) > 0).all()

    def length(some: Lines) -> float:
        moves = np.linalg.norm(np.diff(some.points, axis=0), axis=1)
        moves[some.offsets[1:-1] - 1] = 0
        return float(moves.sum())

    total = COMM.allreduce(length(lines) if lines.n_lines else 0.0)
    np.testing.assert_allclose(total, length(whole(lines)), rtol=1e-12)


@pytest.mark.parallel([1, 3])
def test_leaving_the_domain_ends_a_line_on_the_boundary() -> None:
    # Around the corner of the cube: circles that leave through the face x = 0.
    def around(points: np.ndarray, time: float) -> np.ndarray:
        x, y, _ = points.T
        return np.stack([-y, x, np.zeros(len(x))], axis=1)

    seeds = np.array([[0.3, 0.0, 0.5], [0.6, 0.1, 0.2], [0.9, 0.2, 0.7]])
    for method in ("rk4", "rk45"):
        lines = whole(
            pathlines(
                COMM, steps(around, (0.0, 5.0)), seeds, direction="forward", method=method,
                step=0.05, tolerance=1e-8,
            )
        )  # fmt: skip
        out = last_points(lines)
        np.testing.assert_allclose(out[:, 0], 0.0, atol=1e-12)
        np.testing.assert_allclose(out[:, 1], np.hypot(seeds[:, 0], seeds[:, 1]), atol=1e-6)
        angle = np.pi / 2 - np.arctan2(seeds[:, 1], seeds[:, 0])
        np.testing.assert_allclose(lines.values["time"][lines.offsets[1:] - 1], angle, atol=1e-6)


@pytest.mark.parallel([1, 3])
def test_a_hole_between_blocks_is_outside() -> None:
    def along_x(points: np.ndarray, time: float) -> np.ndarray:
        return np.broadcast_to([1.0, 0.0, 0.0], points.shape).copy()

    field = steps(along_x, (0.0, 2.0), parts=(4, 1, 1))
    holed = [
        DistributedField(tuple(b for b in f.fields if b.box[0][0] != 0.5), f.summary) for f in field
    ]
    lines = whole(pathlines(COMM, holed, [[0.1, 0.5, 0.5], [0.6, 0.5, 0.5]], direction="forward"))
    assert lines.values["line"].max() == 0  # the second one begins in the hole
    np.testing.assert_allclose(last_points(lines), [[0.5, 0.5, 0.5]], atol=1e-8)


@pytest.mark.parallel([1, 3])
def test_no_velocity_and_nan() -> None:
    def half(points: np.ndarray, time: float) -> np.ndarray:
        values = np.where(points[:, :1] < 0.3, 0.0, [[0.2, 0.0, 0.0]])
        values[points[:, 0] > 0.7] = np.nan
        return values

    seeds = [[0.1, 0.5, 0.5], [0.4, 0.5, 0.5], [0.8, 0.5, 0.5], [1.5, 0.5, 0.5]]
    field = steps(half, (0.0, 5.0))
    lines = whole(pathlines(COMM, field, seeds, direction="forward", step=0.1))
    assert sorted(set(lines.values["line"])) == [0, 1]
    still, moving = (lines.points[lines.values["line"] == i] for i in (0, 1))
    assert (still == seeds[0]).all() and len(still) == 51
    assert 0.6 < moving[-1, 0] <= 0.7
    # Steady: a particle that stays is at its end.
    one = whole(streamlines(COMM, field[0], seeds, step=0.1, max_steps=20))
    assert (one.values["line"] == 0).sum() == 1
    ends = whole(particle_advection(COMM, field, seeds, step=0.1))
    np.testing.assert_array_equal(ends.points, last_points(lines))


@pytest.mark.parallel([1, 3])
def test_streamlines_end_where_they_are_told_to() -> None:
    field = steps(rotation, (0.0,))
    seeds = ring(3)
    lines = whole(streamlines(COMM, field[0], seeds, step=0.05, max_steps=12, direction="both"))
    assert np.diff(lines.offsets).tolist() == [25] * 3
    assert lines.values["step"][:25].tolist() == list(range(-12, 13))
    radius = np.hypot(*(seeds - 0.5)[:, :2].T)
    found = np.hypot(*(lines.points - 0.5)[:, :2].T)
    np.testing.assert_allclose(found, np.repeat(radius, 25), atol=1e-7)
    short = whole(streamlines(COMM, field[0], seeds, step=0.05, max_length=0.31))
    lengths = [
        np.linalg.norm(np.diff(short.points[a:b], axis=0), axis=1).sum()
        for a, b in pairwise(short.offsets)
    ]
    np.testing.assert_allclose(lengths, 0.31, atol=1e-8)


@pytest.mark.parallel([1, 4])
def test_ends_alone_are_those_of_the_lines() -> None:
    field = steps(rotation, TIMES, how="mixed")
    seeds = np.concatenate([ring(9), [[0.97, 0.9, 0.9], [0.5, 0.5, 0.95]]])  # two leave
    lines = whole(pathlines(COMM, field, seeds, direction="forward"))
    ends = particle_advection(COMM, field, seeds, direction="forward")
    assert (np.diff(ends.offsets) == 1).all()
    for point in ends.points:
        assert any(
            ((point >= low) & (point <= high)).all()
            for low, high in (block.bounds for block in field[0].fields)
        )
    there = whole(ends)
    np.testing.assert_array_equal(there.points, last_points(lines))
    np.testing.assert_array_equal(there.values["time"], lines.values["time"][lines.offsets[1:] - 1])


@dataclass
class Lazy:
    """An entry of a window: opened when asked, and not held."""

    field: DistributedField
    opened: list[weakref.ref]

    @property
    def summary(self) -> Summary:
        return self.field.summary

    def open(self) -> DistributedField:
        import copy

        blocks = tuple(copy.copy(block) for block in self.field.fields)
        self.opened.extend(weakref.ref(block) for block in blocks)
        alive = sum(ref() is not None for ref in self.opened)
        assert alive <= 2 * len(blocks), "more than two steps are decoded"
        return DistributedField(blocks, self.field.summary)


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_two_steps_are_open_at_once(direction: str) -> None:
    opened: list[weakref.ref] = []
    field = steps(rotation, TIMES)
    lazy = [Lazy(step, opened) for step in field]
    lines = whole(pathlines(COMM, lazy, ring(6), direction=direction))
    expected = whole(pathlines(COMM, field, ring(6), direction=direction))
    np.testing.assert_array_equal(lines.points, expected.points)
    assert len(opened) == len(TIMES) * len(field[0].fields)  # each step once


@pytest.mark.parallel([1, 3])
def test_one_evaluation_for_all_particles_of_a_block() -> None:
    field = steps(rotation, (0.0, 0.5))
    pathlines(COMM, field, ring(64), direction="forward", step=0.05)
    asked = [n for block in field[0].fields for n in block.asked]
    # 11 points of 4 stages at most for each of 64; as many calls as stages, and some for particles
    # that come later.
    total = COMM.allreduce(sum(asked))
    assert 64 * 40 < total < 64 * 45
    assert len(asked) < total / 4


@pytest.mark.parallel([1, 3])
def test_fewer_particles_than_ranks_and_none() -> None:
    field = steps(rotation, TIMES)
    one = whole(pathlines(COMM, field, ring(1), direction="forward"))
    np.testing.assert_allclose(last_points(one), rotated(ring(1), 0.0, 1.0), atol=1e-4)
    none = whole(pathlines(COMM, field, np.empty((0, 3))))
    assert none.n_lines == 0 and len(none.points) == 0
    at_end = whole(pathlines(COMM, field, ring(2), direction="forward", start_time=1.0))
    assert at_end.n_lines == 2 and len(at_end.points) == 2


@pytest.mark.parallel([1, 3])
def test_failures_reach_all() -> None:
    field = steps(rotation, TIMES)
    seeds = ring(3)
    for wrong, message in (
        ({"direction": "up"}, "direction: 'up' is not one of forward"),
        ({"method": "euler"}, "method: 'euler' is not one of rk4, rk45"),
        ({"step": -1.0}, "step: -1.0; expected a positive"),
        ({"start_time": 7.0}, "start_time: 7.0 is outside the times of the steps, 0.0 to 1.0"),
    ):
        with pytest.raises(RemoteError, match=message):
            pathlines(COMM, field, seeds, **wrong)
    with pytest.raises(RemoteError, match=r"seeds: shape \(3,\)"):
        pathlines(COMM, field, seeds[0])
    scalar = [replace(f, summary=replace(f.summary, range=np.zeros((1, 2)))) for f in field]
    with pytest.raises(RemoteError, match="1 components; expected a velocity of 3"):
        pathlines(COMM, scalar, seeds)
    with pytest.raises(RemoteError, match="do not increase"):
        pathlines(COMM, field[::-1], seeds)
    with pytest.raises(RemoteError, match="expected at least one"):
        pathlines(COMM, [], seeds)
    with pytest.raises(RemoteError, match="the same decomposition"):
        pathlines(COMM, [*steps(rotation, (0.0,), parts=(1, 2, 2)), field[-1]], seeds)
    if COMM.size > 1:
        with pytest.raises(ValueError, match="not the same on every rank"):
            pathlines(COMM, field, seeds + 0.01 * COMM.rank)

    def fails(points: np.ndarray, time: float) -> np.ndarray:
        raise OSError("the block cannot be read")

    for step in field:
        for block in step.fields:
            if block.box[0] == UNIT[0]:
                block.velocity = fails
    with pytest.raises(RemoteError, match="the block cannot be read"):
        pathlines(COMM, field, seeds)
