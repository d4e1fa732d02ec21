"""The grid that a mesh of cells needs for a given error: tried, measured, no finer than needed."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.mesh import GridChoice, Resampler, finer_grid
from tests.support.cell_meshes import add, coordinates, cube, tree

COMM = MPI.COMM_WORLD


def waves(comm: MPI.Comm) -> dict:
    """Every rank has its share of 12^3 hexahedra, dealt out in turn."""
    points, connectivity = cube(12, "hex")
    domain = tree(points, connectivity[comm.rank :: comm.size], "hex")
    x, y, z = coordinates(domain)
    add(domain, "p", np.sin(6 * x) * np.cos(5 * y) + z)
    return domain


def at(cells: tuple[int, int, int]) -> GridChoice:
    resampler = Resampler(COMM, cells)
    boxes = resampler.to_boxes(waves(COMM), ["p"])
    return GridChoice(cells, resampler.error(boxes, "p"))


@pytest.mark.parallel([1, 3])
def test_the_grid_reaches_the_error() -> None:
    start = at((8, 8, 6))
    assert start.error.psnr_db < 40
    found = finer_grid(COMM, waves(COMM), ["p"], 42, start, None)
    assert 42 <= found.error.psnr_db < 55
    assert found == at(found.cells)
    assert all(n % 8 == 0 for n in found.cells) and found.cells[2] <= found.cells[0] <= 32


@pytest.mark.parallel([1, 3])
def test_what_is_fine_enough_stays() -> None:
    start = at((24, 24, 24))
    assert finer_grid(COMM, waves(COMM), ["p"], 30, start, None) is start


@pytest.mark.parallel(2)
def test_what_cannot_be_reached_ends() -> None:
    """The finest grid that was tried: twice as fine, four times."""
    start = at((4, 4, 4))
    found = finer_grid(COMM, waves(COMM), ["p"], 500, start, None)
    assert found.cells == (64, 64, 64) and found.error.psnr_db > start.error.psnr_db + 10
