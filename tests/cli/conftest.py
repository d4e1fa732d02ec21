"""What tests of several commands read."""

from pathlib import Path

import pytest
from mpi4py import MPI

from tests.support import records


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of 8 blocks, written once by rank 0: density and height at the cycles 0, 5 and 10,
    velocity at 0 and 5. To be copied, not changed."""
    comm = MPI.COMM_WORLD
    path = comm.bcast(tmp_path_factory.mktemp("written") / "record")
    if comm.rank == 0:
        records.write(path)
    comm.Barrier()
    return path
