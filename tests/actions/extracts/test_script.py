"""The python extract: what a script finds, keeps and returns, on any number of ranks."""

from pathlib import Path

import pytest
from mpi4py import MPI

from insitu.actions.extracts.script import Script
from insitu.core.parallel import RemoteError
from insitu.filters.derived import Derive
from insitu.filters.pipeline import Pipeline
from insitu.store.timestep import newest
from tests.support.windows import window

COMM = MPI.COMM_WORLD


def run(script: Script, span: int = 1) -> list[Path]:
    return script.run(COMM, newest(window(COMM), (), span), Path("out"))


@pytest.mark.parallel([1, 3])
def test_what_a_script_finds_and_keeps() -> None:
    source = """
seen = globals().get("seen", [])
density = fields["density"]
assert sorted(fields) == ["density", "velocity"] and len(fields) == 2
assert density.summary.cycle == cycle and density.summary.time == time
blocks = comm.allreduce(len(density.fields))
seen.append((cycle, time, blocks, [entry.summary.cycle for entry in window("velocity")]))
assert result is None and ascent_mpi_comm_id() == comm.py2f()
files.append(f"out/{cycle}.txt")
"""
    script = Script(name="e", source=source, window="all")
    assert run(script, 2) == [Path("out/5.txt"), Path("out/10.txt")]
    assert script._names["seen"] == [(5, 0.5, 2, [5, 10]), (10, 1.0, 2, [5, 10])]


@pytest.mark.parallel([1, 3])
def test_the_result_of_a_pipeline() -> None:
    pipeline = Pipeline("p", (Derive("vector_magnitude", "velocity", "speed"),))
    source = "names = sorted(result.fields); n = comm.allreduce(len(result.fields['speed']))"
    script = Script(name="e", source=source, pipeline=pipeline, fields=("speed",))
    run(script)
    assert script.reads == {"velocity"}
    assert script._names["n"] == 2 and "speed" in script._names["names"]


@pytest.mark.parallel([1, 3])
def test_a_script_that_fails_on_one_rank() -> None:
    script = Script(name="e", source="if comm.rank == comm.size - 1: raise ValueError('no')")
    with pytest.raises(RemoteError, match=f"extract e: rank {COMM.size - 1}: ValueError: no"):
        run(script)


def test_no_such_field() -> None:
    script = Script(name="e", source="fields['nothing']")
    with pytest.raises(RemoteError, match="no field 'nothing'; held are: density, velocity"):
        script.run(MPI.COMM_SELF, newest(window(MPI.COMM_SELF), (), 1), Path())
