"""A step that records nothing costs one small reduction over the ranks."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
from mpi4py import MPI

import insitu
from tests.support.trees import uniform

COMM = MPI.COMM_WORLD
COLLECTIVE = (
    *("Allreduce", "allreduce", "Allgather", "allgather", "Alltoall", "alltoall", "Alltoallv"),
    *("Bcast", "bcast", "Barrier", "Reduce", "reduce", "Gather", "gather", "Scatter", "scatter"),
)


class Counting(MPI.Intracomm):
    """A communicator that notes its collective calls; its duplicates do so, too."""

    made: ClassVar[list[str]] = []


def _counted(name: str) -> Any:
    right = getattr(MPI.Intracomm, name)

    def call(self: Counting, *arguments: Any, **named: Any) -> Any:
        Counting.made.append(name)
        return right(self, *arguments, **named)

    return call


for _name in COLLECTIVE:
    setattr(Counting, _name, _counted(_name))


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("signals", [False, True])
def test_a_step_that_records_nothing(signals: bool, tmp_path_factory: Any) -> None:
    folder: Path = COMM.bcast(tmp_path_factory.mktemp("idle") if COMM.rank == 0 else None)
    config = {
        "fields": {"p": {"max_error": 1e-3, "codec": "zfp"}},
        "window": {"every": 10},
        "record": {"path": folder / "rec", "scratch": folder},
        "output": folder,
        "signals": signals,
    }
    tree = uniform((4, 4, 4))
    made = []
    with insitu.open(config, Counting(COMM), quiet=True) as session:
        for cycle in range(12):
            tree["state"] = {"cycle": cycle, "time": 0.1 * cycle, "domain_id": COMM.rank}
            tree["coordsets"]["coords"]["origin"] = {"x": 2.0 * COMM.rank, "y": 0.0, "z": 0.0}
            session.publish(tree)
            Counting.made.clear()
            recorded = session.execute() is not None
            assert recorded == (cycle % 10 == 0)
            made.append(list(Counting.made))
    # With signals, ranks agree on whether one came.
    idle = ["Allreduce"] * (2 if signals else 1)
    assert made[1:10] == [idle] * 9
    assert len(made[10]) > 2
