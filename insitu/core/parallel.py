"""Coordination of the ranks of a communicator: common failure, logging, shares of a node's CPUs.

In: a communicator, and each rank's own result or message.
Out: the same exception on every rank, rank-tagged log lines, a rank's number of CPUs.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

# MPI is imported where it is used: the import initializes MPI, which is not needed for reading a
# record, and which some login nodes do not allow.
if TYPE_CHECKING:
    from mpi4py import MPI

    _Adapter = logging.LoggerAdapter[logging.Logger]
else:  # not subscriptable before Python 3.11
    _Adapter = logging.LoggerAdapter


class RemoteError(RuntimeError):
    """Raised on every rank when any rank has failed, with the same message.

    `rank` is the lowest rank that failed. On a rank that failed, `__cause__` is its own exception;
    on the others it is None.
    """

    def __init__(self, message: str, rank: int) -> None:
        super().__init__(message)
        self.rank = rank


def agree(comm: MPI.Comm, error: BaseException | None, what: str) -> None:
    """Raise on every rank if any rank holds an error; return on every rank otherwise. Collective.

    Costs one allreduce of one integer, plus one broadcast when a rank failed. Must not be called
    in the middle of another collective operation.

    Args:
        comm: the communicator whose ranks must agree.
        error: the exception on this rank, or None.
        what: short description of the operation; the message starts with it.

    Raises:
        RemoteError: on every rank, "<what>: rank 2: ValueError: <text>", naming the lowest rank
            that failed; raised from `error` on the ranks that have one.
        KeyboardInterrupt, SystemExit: on a rank that has one as `error`, after the others have
            been notified (they raise RemoteError). So an interrupted rank exits, and no other rank
            waits for it.
    """
    from mpi4py import MPI

    mine = np.array(comm.size if error is None else comm.rank, dtype=np.int32)
    lowest = np.empty_like(mine)
    comm.Allreduce(mine, lowest, op=MPI.MIN)
    failed = int(lowest)
    if failed == comm.size:
        return
    text = _describe(error, failed, what) if comm.rank == failed and error is not None else ""
    message = comm.bcast(text, root=failed)
    if error is not None and not isinstance(error, Exception):
        raise error
    raise RemoteError(message, failed) from error


@contextmanager
def together(comm: MPI.Comm, what: str) -> Iterator[None]:
    """Run a block without collective calls, then `agree` on its result. Collective at its end.

        with together(comm, "read the mesh"):
            ...  # each rank independently
        # no rank has failed if this line is reached

    The block must not leave by return, break or continue in a way that depends on the rank; any
    exception in it, KeyboardInterrupt and SystemExit included, is passed to `agree`.

    Raises: as `agree`.
    """
    error: BaseException | None = None
    try:
        yield
    except BaseException as caught:
        error = caught
    agree(comm, error, what)


def check_alike(comm: MPI.Comm, name: str, array: np.ndarray) -> None:
    """Raises ValueError on every rank if an array differs between ranks. Collective."""
    from mpi4py import MPI

    mark = np.array([array.size, crc32(np.ascontiguousarray(array).tobytes())], np.int64)
    most = np.empty(4, np.int64)
    comm.Allreduce(np.concatenate([mark, -mark]), most, op=MPI.MAX)
    if (most[:2] != -most[2:]).any():
        raise ValueError(f"{name}: not the same on every rank")


def cpu_share(comm: MPI.Comm, cpus: Collection[int]) -> int:
    """Number of CPUs for this rank, at least 1, where the ranks of a node share them. Collective.

    cpus: the CPUs that this rank may run on. Each is divided among the ranks that may use it.
    """
    from mpi4py import MPI

    node = comm.Split_type(MPI.COMM_TYPE_SHARED, key=comm.rank)
    try:
        ranks = Counter(cpu for theirs in node.allgather(sorted(cpus)) for cpu in theirs)
    finally:
        node.Free()
    # The small term makes sums such as three times 1/3 count as one CPU in spite of rounding.
    return max(1, int(sum(1 / ranks[cpu] for cpu in cpus) + 1e-6))


class RankLogger(_Adapter):
    """Tags lines with the rank; ranks above 0 log only warnings and errors."""

    def __init__(self, logger: logging.Logger, rank: int) -> None:
        super().__init__(logger, {"rank": rank})
        self.rank = rank

    def process(self, msg: object, kwargs):  # type: ignore[no-untyped-def]
        return f"[{self.rank}] {msg}", kwargs

    def isEnabledFor(self, level: int) -> bool:
        return (self.rank == 0 or level >= logging.WARNING) and super().isEnabledFor(level)


def rank_logger(comm: MPI.Comm, name: str = "insitu") -> RankLogger:
    """A logger for this rank: lines start with "[rank] ". Not collective.

    Ranks above 0 log nothing below WARNING. Handlers and levels are left to the application; the
    logger is `logging.getLogger(name)`.
    """
    return RankLogger(logging.getLogger(name), comm.rank)


def _describe(error: BaseException, rank: int, what: str) -> str:
    """One line: operation, rank and exception. The text of an earlier RemoteError is kept."""
    if isinstance(error, RemoteError):
        return f"{what}: {error}"
    try:
        text = str(error)
    except Exception:  # a failing __str__ must not leave the other ranks waiting
        text = "(no text)"
    return f"{what}: rank {rank}: {type(error).__name__}" + (f": {text}" if text else "")
