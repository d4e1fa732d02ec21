"""Recorded steps: the newest at which fields are held together, and their past."""

import pytest
from mpi4py import MPI

from insitu.store.timestep import newest
from tests.support.windows import window


def test_steps_at_which_all_fields_are_held() -> None:
    held = window(MPI.COMM_SELF, (5, 10, 15))
    held._held["velocity"].popleft()  # recorded at two of the three steps

    def cycles(fields: set[str], span: object) -> list[int]:
        return [step.cycle for step in newest(held, fields, span)]

    assert cycles({"density"}, "all") == [5, 10, 15]
    assert cycles({"density", "velocity"}, "all") == [10, 15]
    assert cycles({"density", "velocity"}, 1) == [15]
    assert cycles(set(), 9) == [5, 10, 15]
    with pytest.raises(KeyError, match="no field 'energy'"):
        newest(held, {"energy"}, 1)


def test_a_step() -> None:
    held = window(MPI.COMM_SELF, (5, 10))
    first, second = newest(held, {"density"}, 2)
    assert (first.cycle, first.time) == (5, 0.5)
    assert second.names == ["density", "velocity"]
    field = second.open("density")
    assert field.summary.cycle == 10 and second.open("density") is field
    assert [e.summary.cycle for e in first.past("velocity")] == [5]
    assert [e.summary.cycle for e in second.past("velocity")] == [5, 10]
    assert [e.summary.cycle for e in second.past("velocity", 1)] == [10]
    held._held["velocity"].pop()
    assert second.names == ["density"]
    with pytest.raises(KeyError, match="cycle 10: the window holds no 'velocity'"):
        second.open("velocity")
