"""One rank of several as a process that was started without mpiexec.

In: a block of code. Out: inside, MPI's world is this rank, and no launcher says otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from mpi4py import MPI

from insitu.core import launcher


@contextmanager
def alone() -> Iterator[None]:
    """Not collective; not for code that communicates with the other ranks."""
    names = [name for name in (*launcher.RANKS, *launcher.SIZES) if name in os.environ]
    told = {name: os.environ.pop(name) for name in names}
    world, MPI.COMM_WORLD = MPI.COMM_WORLD, MPI.COMM_SELF
    try:
        yield
    finally:
        MPI.COMM_WORLD = world
        os.environ.update(told)
