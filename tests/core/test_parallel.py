"""Ranks fail as one, and tag what they log."""

import logging

import pytest
from mpi4py import MPI

from insitu.core.parallel import RemoteError, agree, cpu_share, rank_logger, together

WORLD = MPI.COMM_WORLD


class CountingComm:
    """Forwards to a communicator and counts the collective calls that agree may make."""

    def __init__(self, comm):
        self.comm, self.rank, self.size = comm, comm.rank, comm.size
        self.calls = []

    def Allreduce(self, send, receive, op):
        self.calls.append(("Allreduce", send.nbytes))
        self.comm.Allreduce(send, receive, op=op)

    def bcast(self, value, root):
        self.calls.append(("bcast", root))
        return self.comm.bcast(value, root=root)


@pytest.mark.parallel([1, 3])
def test_no_failure_costs_one_small_allreduce():
    comm = CountingComm(WORLD)
    agree(comm, None, "nothing")
    assert comm.calls == [("Allreduce", 4)]


@pytest.mark.parallel([1, 3])
def test_one_failure_is_everyones():
    culprit = WORLD.size - 1
    error = ValueError("bad deck") if WORLD.rank == culprit else None
    with pytest.raises(RemoteError) as caught:
        agree(WORLD, error, "read the deck")
    assert str(caught.value) == f"read the deck: rank {culprit}: ValueError: bad deck"
    assert caught.value.rank == culprit
    assert caught.value.__cause__ is error


@pytest.mark.parallel([1, 3])
def test_the_lowest_failing_rank_is_quoted_and_each_keeps_its_own_cause():
    error = KeyError(f"key of {WORLD.rank}")
    with pytest.raises(RemoteError, match=r"^x: rank 0: KeyError: 'key of 0'$") as caught:
        agree(WORLD, error, "x")
    assert caught.value.__cause__ is error


@pytest.mark.parallel([1, 3])
def test_together_passes_through_and_fails_as_one():
    with together(WORLD, "fine"):
        value = WORLD.rank + 1
    assert value == WORLD.rank + 1
    failure = pytest.raises(RemoteError, match="divide: rank 0: ZeroDivisionError")
    with failure, together(WORLD, "divide"):
        value /= WORLD.rank
    assert WORLD.allreduce(1) == WORLD.size  # nobody is left inside a collective


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_rank_asked_to_end_ends_and_the_others_learn_of_it(kind):
    expected = kind if WORLD.rank == 0 else RemoteError
    with pytest.raises(expected), together(WORLD, "work"):
        if WORLD.rank == 0:
            raise kind
    assert WORLD.allreduce(1) == WORLD.size


@pytest.mark.parallel([1, 3])
def test_an_agreed_failure_is_not_blamed_twice():
    failure = pytest.raises(RemoteError, match=r"^outer: inner: rank 0: ValueError: v$")
    with failure, together(WORLD, "outer"), together(WORLD, "inner"):
        raise ValueError("v")


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text for you")


@pytest.mark.parallel([1, 3])
def test_an_exception_that_cannot_print_itself_strands_nobody():
    with pytest.raises(RemoteError, match=r"rank 0: Unprintable: \(no text\)$"):
        agree(WORLD, Unprintable() if WORLD.rank == 0 else None, "x")


@pytest.mark.parallel([1, 3])
def test_cpus_are_shared_among_the_ranks_that_may_run_on_them():
    rank, size = WORLD.rank, WORLD.size
    assert cpu_share(WORLD, range(12)) == 12 // size
    assert cpu_share(WORLD, [0]) == 1  # never none
    assert cpu_share(WORLD, [3 * rank, 3 * rank + 1, 3 * rank + 2]) == 3
    # Two of one's own, and one that all share.
    assert cpu_share(WORLD, [2 * rank, 2 * rank + 1, 99]) == (3 if size == 1 else 2)


@pytest.mark.parallel([1, 3])
def test_log_lines_are_tagged_and_other_ranks_quiet(caplog):
    log = rank_logger(WORLD, "insitu.test")
    with caplog.at_level(logging.DEBUG, logger="insitu.test"):
        log.info("step %d", 3)
        log.warning("late")
    warning = f"[{WORLD.rank}] late"
    assert caplog.messages == (["[0] step 3", warning] if WORLD.rank == 0 else [warning])
