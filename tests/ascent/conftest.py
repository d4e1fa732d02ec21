"""The libraries, built once for all ranks."""

from collections.abc import Iterator

import pytest
from mpi4py import MPI

from insitu.ascent.build import Libraries, libraries
from tests.support.ascent_calls import Ascent, Conduit


@pytest.fixture(scope="session")
def built() -> Libraries:
    comm = MPI.COMM_WORLD
    return comm.bcast(libraries() if comm.rank == 0 else None)


@pytest.fixture
def conduit(built: Libraries) -> Iterator[Conduit]:
    """libconduit, with what its error handler is told in `errors`."""
    library = Conduit(built)
    yield library
    library.close()


@pytest.fixture
def ascent(built: Libraries, conduit: Conduit) -> Ascent:
    return Ascent(built, conduit)
