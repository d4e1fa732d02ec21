"""One rank of several fails in some phase of a step: all skip the same, and the run goes on.

A fault is an exception raised inside a real function, on one rank, in one cycle.
"""

import builtins
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

import insitu
from insitu.core.parallel import RemoteError
from insitu.session import Session
from tests.support.moving import CELLS, Moving
from tests.support.sessions import run_file

COMM = MPI.COMM_WORLD
FIRED = 8  # the cycle in which the trigger of `run_file` fires

PHASES = {
    "publish": ("insitu.mesh.published_step.trees", 6),
    "ranges": ("insitu.training.distributed.local_ranges", 6),
    "train": ("insitu.training.trial.Trial.fit", 6),
    "compress": ("insitu.training.trial.compress_params", 6),
    "frames": ("insitu.fields.model_field.ModelField.to_bytes", 6),
    "trigger": ("insitu.session.step_fields.StepFields.owned", 6),
    "open the window": ("insitu.store.window.Entry.open", FIRED),
    "render": ("insitu.render.volume.volume.march", FIRED),
    "blocks": ("insitu.render.volume.bricks._made", FIRED),
    "picture": ("insitu.render.picture.scene.write_png", FIRED),
    "write": ("insitu.store.frame_file.open", FIRED),
}
"""Phase -> what fails in it, and when."""


def faulty(phase: str) -> int:
    """The rank that fails; only rank 0 writes pictures."""
    return 0 if phase == "picture" else COMM.size - 1


class Fault(Exception):
    """What no part of insitu expects."""


def break_in(
    monkeypatch: pytest.MonkeyPatch, target: str, rank: int, when: Callable[[], bool]
) -> list[int]:
    """Have a function raise on one rank while `when`; the list returned counts how often."""
    raised: list[int] = []
    owner, name = _resolve(target)
    whole = getattr(owner, name, None) or getattr(builtins, name)

    def broken(*args: Any, **kwargs: Any) -> Any:
        if COMM.rank == rank and when():
            raised.append(1)
            raise Fault(f"in {target}")
        return whole(*args, **kwargs)

    monkeypatch.setattr(owner, name, broken, raising=False)
    return raised


def _resolve(target: str) -> tuple[Any, str]:
    parts = target.split(".")
    for n in range(len(parts) - 1, 0, -1):
        try:
            owner: Any = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        for part in parts[n:-1]:
            owner = getattr(owner, part)
        return owner, parts[-1]
    raise AssertionError(target)


def run(session: Session, simulation: Moving) -> list[int]:
    """The cycles that are reported."""
    done = []
    while not simulation.done:
        simulation.step()
        session.publish(simulation.mesh())
        if report := session.execute():
            done.append(report.cycle)
    return done


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("phase", PHASES)
def test_the_run_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, phase: str
) -> None:
    target, cycle = PHASES[phase]
    simulation = Moving(COMM, steps=12)
    raised = break_in(monkeypatch, target, faulty(phase), lambda: simulation.cycle == cycle)
    session = insitu.open(run_file(folder), COMM)
    done = run(session, simulation)
    assert COMM.bcast(len(raised), root=faulty(phase)) > 0
    assert [c for c in done if c != cycle] == [c for c in (2, 4, 6, 8, 10, 12) if c != cycle]
    assert COMM.allgather(done) == [done] * COMM.size
    session.close()
    if COMM.rank == 0:
        assert "Fault" in caplog.text or (COMM.size > 1 and target in caplog.text)
    # What came later is in the record, whole.
    record = insitu.open_record(folder / "record")
    assert {e["cycle"] for e in record.steps["density"]} >= {10, 12}
    latest = record.load("density")
    assert sum(block.decode().size for block in latest.fields) == np.prod(CELLS)


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("phase", PHASES)
def test_everyone_raises_if_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    target, cycle = PHASES[phase]
    simulation = Moving(COMM, steps=12)
    break_in(monkeypatch, target, faulty(phase), lambda: simulation.cycle == cycle)
    session = insitu.open(run_file(folder, on_error="raise"), COMM)
    with pytest.raises(RemoteError, match=f"rank {faulty(phase)}: Fault: in {target}") as caught:
        run(session, simulation)
    assert simulation.cycle == cycle
    assert COMM.allgather(str(caught.value)) == [str(caught.value)] * COMM.size
    session.comm.Free()
