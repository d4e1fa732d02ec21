"""What the ranks of a communicator do together besides computing: fail as one, and write logs.

In: a communicator, and each rank's own outcome or message.
Out: the same exception on every rank, rank-tagged log lines, a rank's share of its node.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

# MPI is imported where it is used: importing it starts MPI, which whoever only reads a record has
# no use for, and which some login nodes do not allow.
if TYPE_CHECKING:
    from mpi4py import MPI

    _Adapter = logging.LoggerAdapter[logging.Logger]
else:  # not subscriptable before Python 3.11
    _Adapter = logging.LoggerAdapter


class RemoteError(RuntimeError):
    """What every rank raises when some rank failed: one text on all of them.

    `rank` is the lowest rank that failed. On a rank that failed itself, `__cause__` is its own
    exception; elsewhere it is None.
    """

    def __init__(self, message: str, rank: int) -> None:
        super().__init__(message)
        self.rank = rank


def agree(comm: MPI.Comm, error: BaseException | None, what: str) -> None:
    """Raise on every rank if any rank holds an error; return on every rank otherwise. Collective.

    Costs one allreduce of one integer when nobody failed, and one broadcast more when somebody
    did. Never called between two halves of another collective.

    Args:
        comm: the communicator whose ranks must agree.
        error: what went wrong on this rank, or None.
        what: what was being done, a few words; opens the message.

    Raises:
        RemoteError: on every rank, "<what>: rank 2: ValueError: <text>", naming the lowest rank
            that failed; raised from `error` where there is one.
        KeyboardInterrupt, SystemExit: on the rank that holds one as `error`, after the others
            have been told (they raise RemoteError): a rank that was asked to end ends, and leaves
            nobody waiting for it.
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
    """Run a block that holds no collective call, then agree on its failure. Collective at its end.

        with together(comm, "read the mesh"):
            ...  # each rank on its own
        # here every rank knows that no rank failed

    The block must not leave by return, break or continue in a way that depends on the rank; any
    exception in it, KeyboardInterrupt and SystemExit included, is handed to `agree`.

    Raises: as `agree`.
    """
    error: BaseException | None = None
    try:
        yield
    except BaseException as caught:
        error = caught
    agree(comm, error, what)


def check_alike(comm: MPI.Comm, name: str, array: np.ndarray) -> None:
    """ValueError on every rank where an array differs between ranks. Collective."""
    from mpi4py import MPI

    mark = np.array([array.size, crc32(np.ascontiguousarray(array).tobytes())], np.int64)
    most = np.empty(4, np.int64)
    comm.Allreduce(np.concatenate([mark, -mark]), most, op=MPI.MAX)
    if (most[:2] != -most[2:]).any():
        raise ValueError(f"{name}: not the same on every rank")


def cpu_share(comm: MPI.Comm, cpus: Collection[int]) -> int:
    """CPUs for this rank alone, at least 1, where the ranks of a node share them. Collective.

    cpus: numbers of the CPUs that this rank may run on. Each is divided among the ranks that may.
    """
    from mpi4py import MPI

    node = comm.Split_type(MPI.COMM_TYPE_SHARED, key=comm.rank)
    try:
        ranks = Counter(cpu for theirs in node.allgather(sorted(cpus)) for cpu in theirs)
    finally:
        node.Free()
    # A rounding error must not cost a CPU: three thirds are one.
    return max(1, int(sum(1 / ranks[cpu] for cpu in cpus) + 1e-6))


class RankLogger(_Adapter):
    """Tags lines with the rank; on ranks above 0 only warnings and worse come through."""

    def __init__(self, logger: logging.Logger, rank: int) -> None:
        super().__init__(logger, {"rank": rank})
        self.rank = rank

    def process(self, msg: object, kwargs):  # type: ignore[no-untyped-def]
        return f"[{self.rank}] {msg}", kwargs

    def isEnabledFor(self, level: int) -> bool:
        return (self.rank == 0 or level >= logging.WARNING) and super().isEnabledFor(level)


def rank_logger(comm: MPI.Comm, name: str = "insitu") -> RankLogger:
    """A logger for this rank: lines start with "[rank] ". Not collective.

    Ranks above 0 are quiet below WARNING. Handlers and levels stay the application's affair, as
    with any library; the logger is `logging.getLogger(name)`.
    """
    return RankLogger(logging.getLogger(name), comm.rank)


def _describe(error: BaseException, rank: int, what: str) -> str:
    """One line saying who failed at what and how; keeps the text of a failure agreed before."""
    if isinstance(error, RemoteError):
        return f"{what}: {error}"
    try:
        text = str(error)
    except Exception:  # an exception that cannot print itself must not strand the others
        text = "(no text)"
    return f"{what}: rank {rank}: {type(error).__name__}" + (f": {text}" if text else "")
