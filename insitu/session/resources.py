"""What a session uses of its process: threads, decoded bricks, the engine.

In: the run's engine and size of the brick cache, the ranks that share a node. Out: a context in
which these are the defaults; a process may have several sessions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mpi4py import MPI

from insitu.core.parallel import cpu_share
from insitu.engines import Engine, threads, using
from insitu.render.volume.bricks import BrickCache


class Resources:
    """A share of the node's CPUs, a cache of bricks and an engine."""

    def __init__(self, comm: MPI.Comm, engine: Engine, brick_cache: int) -> None:
        """Collective. brick_cache: bytes."""
        self.engine = engine
        self.brick_cache = BrickCache(brick_cache)
        # If OMP_NUM_THREADS is set everywhere, there is nothing to share out.
        shared = comm.allreduce(threads.omp_num_threads() is None, op=MPI.LOR)
        self._cpu_share = cpu_share(comm, threads.cpus()) if shared else None

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Inside, threads, decoded bricks and the default engine are these."""
        with threads.sharing(self._cpu_share), using(self.engine), self.brick_cache.in_use():
            yield
