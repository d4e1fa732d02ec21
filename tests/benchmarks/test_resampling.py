"""The meshes that resampling is measured on."""

import numpy as np
from mpi4py import MPI
from resampling import SIDE, field, hexahedra, tetrahedra

from insitu.mesh.cells import read_cells
from insitu.mesh.resample import _volumes


def test_cells_fill_the_box() -> None:
    for mesh, n_cells in ((hexahedra(MPI.COMM_SELF), 74088), (tetrahedra(MPI.COMM_SELF), 82944)):
        cells = read_cells(mesh, "mesh")
        volumes = _volumes(cells)
        assert len(volumes) == n_cells and volumes.min() > 0
        np.testing.assert_allclose(volumes.sum(), SIDE**3)


def test_the_field_is_periodic() -> None:
    points = np.random.default_rng(1).uniform(0, SIDE, (50, 3))
    values = field(points)
    np.testing.assert_allclose(field(points + SIDE * np.array([1, -1, 2])), values, atol=1e-10)
    assert values.std() > 0.5
