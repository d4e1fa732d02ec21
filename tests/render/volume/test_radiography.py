"""Radiographs against the closed solution of a uniform medium, over blocks on several ranks."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.fields.raw_block import RawBlock
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.render.camera import Camera
from insitu.render.volume.radiography import radiograph

COMM = MPI.COMM_WORLD
LENGTH = 1.2
"""Of the box along x, over three blocks."""


def block(i: int, value: float) -> RawBlock:
    """The i-th third of a box LENGTH x 1 x 1."""
    x = np.linspace(0.0, LENGTH / 3, 5) + i * LENGTH / 3
    other = np.linspace(0.0, 1.0, 4)
    values = (np.full((3, 3, 4), value),)
    return RawBlock(Partition("a", "element", values, NO_LAYERS, (x, other, other), i))


def blocks(value: float) -> list[RawBlock]:
    return [block(i, value) for i in range(COMM.rank, 3, COMM.size)]


@pytest.mark.parallel([1, 3])
def test_a_uniform_medium_absorbs_and_glows_by_the_law_of_lambert_and_beer() -> None:
    along_x = Camera((8.0, 0.5, 0.5), (0.0, 0.5, 0.5), fov=14.0, width=31, height=31).parallel()
    found = radiograph(COMM, blocks(1.5), blocks(0.7), along_x, unit=2.0)
    if COMM.rank:
        assert found is None
        return
    assert found is not None
    light, share = found
    depth = 2.0 * 1.5 * LENGTH
    middle = (slice(12, 19), slice(12, 19))
    assert share[middle] == pytest.approx(np.exp(-depth), rel=1e-4)
    # The midpoint rule, of second order: sixteen samples of 0.225 each, along a block 0.4 long.
    assert light[middle] == pytest.approx(0.7 / 3.0 * (1 - np.exp(-depth)), rel=5e-3)
    assert (share[0] == 1).all() and (light[0] == 0).all()  # past the box


@pytest.mark.parallel([1])
def test_light_without_absorption_adds_up() -> None:
    camera = Camera((8.0, 0.5, 0.5), (0.0, 0.5, 0.5), fov=14.0, width=5, height=5).parallel()
    found = radiograph(COMM, blocks(0.0), blocks(0.5), camera)
    assert found is not None
    assert found[0][2, 2] == pytest.approx(0.5 * LENGTH, rel=1e-4)
    assert found[1][2, 2] == 1
