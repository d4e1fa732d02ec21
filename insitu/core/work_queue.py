"""Numbers handed out to ranks as they ask, so that none waits for the slowest.

In: a communicator and how many. Out: each number once, on one rank or another.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

import numpy as np
from mpi4py import MPI


class WorkQueue:
    """The numbers 0, 1, ... n - 1 in turn. Construction and leaving `with` are collective.

    The counter is one integer in the memory of rank 0, which all ranks fetch and increase
    one-sided: rank 0 works like any other.
    """

    def __init__(self, comm: MPI.Intracomm, n: int) -> None:
        self._n = n
        size = MPI.INT64_T.Get_size()
        self._window = MPI.Win.Allocate(size if comm.rank == 0 else 0, size, comm=comm)
        # Without NOCHECK a lock is a message that rank 0 answers when it next calls MPI: after its
        # block. Nobody locks exclusively, so there is nothing to check.
        self._window.Lock_all(MPI.MODE_NOCHECK)
        if comm.rank == 0:
            self._window.Put(np.zeros(1, np.int64), 0)
            self._window.Flush(0)
        comm.Barrier()

    def __enter__(self) -> WorkQueue:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._window.Unlock_all()
        self._window.Free()

    def __iter__(self) -> Iterator[int]:
        """This rank's numbers. Not collective."""
        while (number := self._add(1)) < self._n:
            yield number

    def stop(self) -> None:
        """No rank gets a further number. Not collective."""
        self._add(self._n)

    def _add(self, value: int) -> int:
        given, before = np.array([value], np.int64), np.empty(1, np.int64)
        self._window.Fetch_and_op(given, before, 0, op=MPI.SUM)
        self._window.Flush(0)
        return int(before[0])
