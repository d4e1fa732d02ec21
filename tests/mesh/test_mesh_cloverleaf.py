"""The reference case: what CloverLeaf publishes, which ghosts of it are stale, and the repair."""

import sys
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from insitu.mesh import check, exchange, field_names, partitions, state, verify

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tree():
    """This rank's block after three steps of the small deck."""
    sys.path.insert(0, str(ROOT / "examples" / "cloverleaf"))
    from cloverleaf import CloverLeaf

    simulation = CloverLeaf(ROOT / "tests" / "data" / "cloverleaf_small" / "clover.in")
    for _ in range(3):
        simulation.step()
    return simulation.mesh()


@pytest.mark.parallel([1, 4])
def test_density_and_energy_are_stale_and_exchange_repairs_them(tree):
    comm = MPI.COMM_WORLD
    verify(tree)
    assert state(tree).cycle == 3
    assert field_names(tree) == ["density", "energy", "pressure", "velocity"]
    for field in field_names(tree):
        trusted = partitions(tree, field)
        (partition,) = trusted
        assert partition.ghost_layers == ((1, 1),) * 3
        values = tree["fields"][field]["values"]
        leaves = list(values.values()) if isinstance(values, dict) else [values]
        for component, leaf in zip(partition.components, leaves, strict=True):
            assert np.shares_memory(component, leaf)

        report = check(comm, trusted)
        assert (report.compared > 0) == (comm.size > 1)
        assert (report.stale > 0) == (comm.size > 1 and field in ("density", "energy"))
        repaired = exchange(comm, partitions(tree, field, ghosts="exchange"))
        assert check(comm, repaired).stale == 0
        assert check(comm, repaired).compared == report.compared
