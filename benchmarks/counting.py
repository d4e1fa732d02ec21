"""A communicator that counts what passes through it.

In: any communicator. Out: the same, with calls, bytes and CPU seconds in MPI by method. Bytes are
those that this rank hands to a call: the buffer's, or the pickled object's. What MPI makes of them
on the wire, such as a reduction in log2(ranks) messages, is its own.
"""

from __future__ import annotations

import pickle
import time
from collections import Counter
from typing import Any

import numpy as np
from mpi4py import MPI

SENDING = (
    "Send", "Isend", "Bcast", "Gather", "Gatherv", "Allgather", "Allgatherv", "Scatter",
    "Scatterv", "Alltoall", "Alltoallv", "Reduce", "Allreduce", "Scan", "Exscan",
)  # fmt: skip
"""Methods whose first argument is what this rank sends; each has a twin in lower case that pickles
it, but for those that end in v."""


class CountingComm(MPI.Intracomm):
    """Counts from its making on; duplicates of it count for themselves."""

    def __init__(self, comm: MPI.Intracomm) -> None:
        self.calls: Counter[str] = Counter()
        self.nbytes: Counter[str] = Counter()
        self.seconds = 0.0
        """CPU time in these calls: waiting for other ranks is most of it."""

    def Dup(self, info: MPI.Info | None = None) -> CountingComm:
        """mpi4py keeps the class of what it duplicates, but does not initialise it."""
        return CountingComm(super().Dup(info))


def _counted(name: str) -> Any:
    method = getattr(MPI.Intracomm, name)

    def call(self: CountingComm, sent: Any, *arguments: Any, **options: Any) -> Any:
        self.calls[name] += 1
        if name[0].islower():
            self.nbytes[name] += len(pickle.dumps(sent, pickle.HIGHEST_PROTOCOL))
        elif sent is not MPI.IN_PLACE:
            self.nbytes[name] += np.asarray(sent[0] if isinstance(sent, list) else sent).nbytes
        start = time.process_time()
        try:
            return method(self, sent, *arguments, **options)
        finally:
            self.seconds += time.process_time() - start

    return call


for _name in SENDING:
    setattr(CountingComm, _name, _counted(_name))
    if not _name.endswith("v"):
        setattr(CountingComm, _name.lower(), _counted(_name.lower()))
