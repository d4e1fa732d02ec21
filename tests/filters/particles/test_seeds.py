"""Seeds: where they should be, and the same on every rank."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.geometry import Surface
from insitu.core.parallel import RemoteError
from insitu.filters.particles.seeds import box_seeds, grid_seeds, line_seeds, surface_seeds

COMM = MPI.COMM_WORLD


@pytest.mark.parallel(1)
def test_lines_and_boxes() -> None:
    line = line_seeds((0, 0, 0), (1, 2, 4), 5)
    np.testing.assert_array_equal(line[[0, 2, 4]], [[0, 0, 0], [0.5, 1, 2], [1, 2, 4]])
    np.testing.assert_array_equal(line_seeds((0, 0, 0), (1, 2, 4), 1), [[0.5, 1, 2]])
    grid = grid_seeds((0, 0, 0), (1, 2, 3), (2, 1, 3))
    assert grid.shape == (6, 3)
    np.testing.assert_array_equal(grid[:3], [[0, 1, 0], [1, 1, 0], [0, 1, 1.5]])
    box = box_seeds((0, -1, 2), (1, 0, 4), 4000, seed=3)
    np.testing.assert_array_equal(box, box_seeds((0, -1, 2), (1, 0, 4), 4000, seed=3))
    assert (box >= [0, -1, 2]).all() and (box < [1, 0, 4]).all()
    np.testing.assert_allclose(box.mean(axis=0), [0.5, -0.5, 3], atol=0.05)
    assert not np.array_equal(box, box_seeds((0, -1, 2), (1, 0, 4), 4000, seed=4))


@pytest.mark.parallel(1)
def test_what_is_no_shape() -> None:
    with pytest.raises(ValueError, match=r"start: .* is not a point"):
        line_seeds((0, 0), (1, 1, 1), 3)
    with pytest.raises(ValueError, match=r"high: .* is not a point"):
        box_seeds((0, 0, 0), (1, 1, np.nan), 3)
    with pytest.raises(ValueError, match="seeds: 0; expected"):
        grid_seeds((0, 0, 0), (1, 1, 1), (2, 0, 2))


def piece(first: int, last: int) -> Surface:
    """Strips of the plane z = x + y over the unit square; each wider than the one before."""
    edges = (np.arange(13) / 12) ** 2
    points, triangles = [], []
    for i in range(first, last):
        for x, y in ((edges[i], 0), (edges[i + 1], 0), (edges[i + 1], 1), (edges[i], 1)):
            points.append((x, y, x + y))
        n = 4 * (i - first)
        triangles += [(n, n + 1, n + 2), (n, n + 2, n + 3)]
    return Surface(np.array(points).reshape(-1, 3), np.array(triangles, int).reshape(-1, 3))


@pytest.mark.parallel([1, 3])
def test_a_surface_by_its_area() -> None:
    # The last rank has nothing, unless it is alone.
    ranks = max(COMM.size - 1, 1)
    r = min(COMM.rank, ranks)
    ends = (12 * r // ranks, 12 * (r + 1) // ranks) if COMM.rank < ranks else (0, 0)
    n = 3000
    seeds = surface_seeds(COMM, piece(*ends), n, seed=5)
    assert seeds.shape == (n, 3)
    assert all(np.array_equal(seeds, other) for other in COMM.allgather(seeds))
    np.testing.assert_allclose(seeds, surface_seeds(MPI.COMM_SELF, piece(0, 12), n, 5), atol=1e-12)
    np.testing.assert_allclose(seeds[:, 2], seeds[:, 0] + seeds[:, 1], atol=1e-12)
    # Evenly over the square, however unequal the triangles.
    counts, _, _ = np.histogram2d(seeds[:, 0], seeds[:, 1], bins=4, range=((0, 1), (0, 1)))
    assert counts.sum() == n and abs(counts / n * 16 - 1).max() < 0.2


@pytest.mark.parallel([1, 3])
def test_no_area() -> None:
    nothing = Surface(np.empty((0, 3)), np.empty((0, 3), int))
    with pytest.raises(RemoteError, match="zero area"):
        surface_seeds(COMM, nothing, 4)
