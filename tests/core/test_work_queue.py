"""Every number goes to exactly one rank; a stop is seen by all."""

import time

import pytest
from mpi4py import MPI

from insitu.core.work_queue import WorkQueue


@pytest.mark.parallel([1, 2, 3, 4])
@pytest.mark.parametrize("n", [0, 1, 40])
def test_each_number_once(n: int) -> None:
    comm = MPI.COMM_WORLD
    with WorkQueue(comm, n) as queue:
        mine = list(queue)
    everyone = comm.allgather(mine)
    assert sorted(number for numbers in everyone for number in numbers) == list(range(n))
    assert all(numbers == sorted(numbers) for numbers in everyone)


@pytest.mark.parallel([2, 4])
def test_a_slow_rank_gets_less() -> None:
    comm = MPI.COMM_WORLD
    with WorkQueue(comm, 40) as queue:
        mine = []
        for number in queue:
            time.sleep(0.05 if comm.rank == 0 else 0.002)
            mine.append(number)
    counts = comm.allgather(len(mine))
    assert sum(counts) == 40
    assert counts[0] == min(counts)


@pytest.mark.parallel([1, 3])
def test_stop_ends_it_for_all() -> None:
    comm = MPI.COMM_WORLD
    with WorkQueue(comm, 10**9) as queue:
        mine = 0
        for _ in queue:
            mine += 1
            if comm.rank == comm.size - 1:
                queue.stop()
    assert comm.allreduce(mine) < 10**7
