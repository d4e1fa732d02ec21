"""Seeds: where Ascent has them, the same on every rank."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.filters.seeds import Box, Line, OnIsosurface, Points, Seeds
from insitu.store.timestep import newest
from tests.support.windows import window

COMM = MPI.COMM_WORLD
BOUNDS = (np.array([0.0, 0, 0]), np.array([1.0, 2, 4]))


def points(seeds: Seeds) -> np.ndarray:
    return seeds.points(MPI.COMM_SELF, None, BOUNDS)  # type: ignore[arg-type]


def test_points_and_lines() -> None:
    assert points(Points(((1.0, 2.0, 3.0),))).tolist() == [[1, 2, 3]]
    line = Line((0.0, 0.0, 0.0), (1.0, 2.0, 4.0), 3)
    assert points(line).tolist() == [[0, 0, 0], [0.5, 1, 2], [1, 2, 4]]
    drawn = points(Line((0.0, 0.0, 0.0), (1.0, 2.0, 4.0), 50, random=True))
    share = drawn[:, 0]
    np.testing.assert_allclose(drawn, share[:, None] * [1, 2, 4])
    assert 0 <= share.min() < 0.1 and 0.9 < share.max() <= 1
    np.testing.assert_array_equal(drawn, points(Line((0.0,) * 3, (1.0, 2.0, 4.0), 50, random=True)))


def test_boxes() -> None:
    assert len(points(Box((2, 3, 4)))) == 24
    inner = points(Box((2, 1, 1), extents=((0.2, 0.4), (0.0, 1.0), (0.0, 2.0))))
    np.testing.assert_allclose(inner, [[0.2, 0.5, 1], [0.4, 0.5, 1]])
    drawn = points(Box(random=200))
    assert (drawn >= 0).all() and (drawn <= BOUNDS[1]).all() and len(drawn) == 200


@pytest.mark.parametrize("box", [Box((3, 4, 5), boundary=True), Box(random=200, boundary=True)])
def test_the_sides_of_a_box(box: Box) -> None:
    found = points(box)
    # Two sides of 3 x 5 across y, two of 4 x 5 across x.
    assert len(found) == (200 if box.random else 2 * 15 + 2 * 20)
    on_x = np.isin(found[:, 0], [0, 1])
    on_y = np.isin(found[:, 1], [0, 2])
    assert (on_x | on_y).all() and on_x.any() and on_y.any()
    assert len(np.unique(found[on_x, 0])) == 2 and len(np.unique(found[on_y, 1])) == 2


@pytest.mark.parallel([1, 3])
def test_on_an_isosurface() -> None:
    pytest.importorskip("vtkmodules")
    held = window(COMM, (5,))
    (step,) = newest(held, {"density"}, 1)
    bounds = step.open("density").summary.bounds
    found = OnIsosurface("density", 0.5, 40).points(COMM, step, bounds)
    assert found.shape == (40, 3)
    for block in step.open("density").fields:
        values = block(found)
        there = np.isfinite(values)
        np.testing.assert_allclose(values[there], 0.5, atol=0.05)
    assert all(np.array_equal(found, other) for other in COMM.allgather(found))
