"""Contour lines in a plane: where the field has the value, of the right length, on any ranks."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.geometry import Lines, Surface
from insitu.fields.raw_block import RawBlock
from insitu.filters.pipeline import VolumeData
from insitu.filters.surface_filters import Contour
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.store.timestep import TimeStep
from insitu.store.window import Window

COMM = MPI.COMM_WORLD
DOMAIN = (np.zeros(3), np.array([2.0, 1.0, 0.1]))


def halves(dimension: int) -> list[RawBlock]:
    """Of this rank: r^2 about the origin at the nodes of two squares, one layer thick."""
    found = []
    for i in range(COMM.rank, 2, COMM.size):
        lines = (i + np.linspace(0, 1, 17), np.linspace(0, 1, 17), np.array([0.0, 0.1]))
        _, y, x = np.meshgrid(*reversed(lines), indexing="ij")
        part = Partition("r2", "vertex", (x**2 + y**2,), NO_LAYERS, lines, i, dimension)
        found.append(RawBlock(part))
    return found


def contour(dimension: int) -> object:
    data = VolumeData({"r2": halves(dimension)}, DOMAIN)
    step = TimeStep(Window(1), 0, 0.0)
    return Contour("r2", (0.64, 1.0)).apply(COMM, data, frozenset({"r2"}), step)


@pytest.mark.parallel([1, 3])
def test_circles_in_a_plane_are_lines() -> None:
    lines = contour(2)
    assert isinstance(lines, Lines)
    assert (np.diff(lines.offsets) == 2).all()
    np.testing.assert_allclose(lines.points[:, 2], 0.05, atol=1e-12)
    away = np.abs((lines.points[:, :2] ** 2).sum(axis=1) - lines.values["r2"])
    assert away.max(initial=0.0) < 5e-3
    mine = np.linalg.norm(lines.points[1::2] - lines.points[::2], axis=1).sum()
    assert COMM.allreduce(mine) == pytest.approx(0.5 * np.pi * (0.8 + 1.0), rel=5e-3)


@pytest.mark.parallel([1, 3])
def test_the_same_layer_as_a_volume_has_surfaces() -> None:
    assert isinstance(contour(3), Surface)
