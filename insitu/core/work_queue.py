"""Dynamic distribution of work items to ranks, so that no rank waits for the slowest.

In: a communicator and the number of items. Out: each index once, on one of the ranks.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mpi4py import MPI


class WorkQueue:
    """Hands out the indices 0, 1, ... n - 1. Construction and leaving `with` are collective.

    The counter is one integer in the memory of rank 0, which all ranks read and increment with
    one-sided communication; rank 0 takes items like any other rank.
    """

    def __init__(self, comm: MPI.Intracomm, n: int) -> None:
        from mpi4py import MPI

        self._n, self._sum = n, MPI.SUM
        size = MPI.INT64_T.Get_size()
        self._window = MPI.Win.Allocate(size if comm.rank == 0 else 0, size, comm=comm)
        # Without NOCHECK, a lock needs an answer from rank 0, which comes when rank 0 next calls
        # MPI: only after its block. No rank locks exclusively, so the check is not needed.
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
        """The indices for this rank. Not collective."""
        while (number := self._add(1)) < self._n:
            yield number

    def stop(self) -> None:
        """Hand out no more indices to any rank. Not collective."""
        self._add(self._n)

    def _add(self, value: int) -> int:
        given, before = np.array([value], np.int64), np.empty(1, np.int64)
        self._window.Fetch_and_op(given, before, 0, op=self._sum)
        self._window.Flush(0)
        return int(before[0])
