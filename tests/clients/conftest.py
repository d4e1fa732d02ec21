"""What the clients need: compilers, an MPI for each language, the libraries."""

import pytest

from insitu.ascent.build import Libraries, libraries


@pytest.fixture(scope="session")
def built() -> Libraries:
    return libraries()
