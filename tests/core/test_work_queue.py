"""Every number goes to exactly one rank; a stop is seen by all."""

import time
from pathlib import Path

import pytest
from mpi4py import MPI

from insitu.core.work_queue import WorkQueue


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("n", [0, 1, 40])
def test_each_number_once(n: int) -> None:
    comm = MPI.COMM_WORLD
    with WorkQueue(comm, n) as queue:
        mine = list(queue)
    everyone = comm.allgather(mine)
    assert sorted(number for numbers in everyone for number in numbers) == list(range(n))
    assert all(numbers == sorted(numbers) for numbers in everyone)


@pytest.mark.parallel(3)
def test_nobody_waits_for_a_slow_rank(folder: Path) -> None:
    """Rank 0, where the counter is, computes without MPI until the others have done the rest."""
    comm = MPI.COMM_WORLD
    done = [folder / str(rank) for rank in range(1, comm.size)]
    with WorkQueue(comm, 40) as queue:
        mine = []
        for number in queue:
            mine.append(number)
            hang = time.monotonic() + 60
            while comm.rank == 0 and not all(map(Path.exists, done)) and time.monotonic() < hang:
                time.sleep(0.001)
        if comm.rank > 0:
            done[comm.rank - 1].touch()
    counts = comm.allgather(len(mine))
    assert sum(counts) == 40
    assert counts[0] <= 1


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
