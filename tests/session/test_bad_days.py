"""Full disks, removed folders, closed sessions, second runs: told in words, and nothing is lost."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from mpi4py import MPI

import insitu
from insitu.core.errors import ConfigError
from insitu.core.parallel import RemoteError
from insitu.queries.session_file import SESSION_FILE
from insitu.store import recovery
from tests.support.moving import Moving
from tests.support.sessions import drive, run_file, steps

COMM = MPI.COMM_WORLD
FIRED = 8
SMALL = {"density": {"iterations": 5, "network": {"log2_hashmap_size": 6, "n_levels": 2}}}


def small(folder: Path, **changes: Any) -> dict[str, Any]:
    """`run_file` with one small field and no picture: its trigger fires in cycle 8."""
    run = run_file(folder, fields=SMALL, **changes)
    if len(run["actions"]) > 1:
        run["actions"][1]["triggers"]["t"]["params"]["actions"] = []
    return run


def no_space(*_: Any, **__: Any) -> None:
    raise OSError(28, "No space left on device")


def crash_files(folder: Path) -> int:
    COMM.barrier()
    return len(list(folder.glob("insitu.*/*.crash")))


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("full", ["frame_file.append", "manifest.Manifest.write"])
def test_what_could_not_be_written_at_a_trigger_is_not_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    record = {"path": str(folder / "record"), "scratch": str(folder), "on": ["trigger", "crash"]}
    if COMM.rank == 0:
        monkeypatch.setattr(f"insitu.store.{full}", no_space)
    session = insitu.open(small(folder, record=record), COMM)
    steps(session, Moving(COMM))
    session.close()
    assert "No space left on device" in session.record_problem
    assert crash_files(folder) == COMM.size
    if full == "manifest.Manifest.write":  # the frames were written, and say what they are
        opened = insitu.open_record(folder / "record")
        assert opened["density"].cycles.tolist()[:3] == [4, 6, 8]
        assert "manifest.json is missing" in opened.problems[0]
    else:
        assert not list(folder.glob("record/*"))


@pytest.mark.parallel([1, 3])
def test_a_disk_that_has_room_again_gets_the_window(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = {"path": str(folder / "record"), "scratch": str(folder), "on": ["trigger", "crash"]}
    session, simulation = insitu.open(small(folder, record=record), COMM), Moving(COMM)
    with monkeypatch.context() as patch:
        patch.setattr("insitu.store.frame_file.append", no_space)
        steps(session, simulation)
    session.close()
    assert session.record_problem == "" and crash_files(folder) == 0
    found = insitu.open_record(folder / "record")
    assert found["density"].cycles.tolist()[-1] == simulation.cycle and not found.problems


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("on_error", ["warn", "raise"])
@pytest.mark.parametrize(
    "full", ["manifest.Manifest.write", "record_writer.RecordWriter.append", "session_file"]
)
def test_callbacks_are_called_though_nothing_can_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, full: str, on_error: str
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RemoteError("disk full", 0)

    target = "insitu.queries.restart.SessionFile.write"
    monkeypatch.setattr(target if full == "session_file" else f"insitu.store.{full}", fails)
    called: list[int] = []
    session = insitu.open(small(folder, on_error=on_error), COMM)
    session.on("t", lambda event: called.append(event.cycle))
    simulation = Moving(COMM, steps=FIRED)
    if on_error == "raise":
        with pytest.raises(RemoteError, match="disk full"):
            steps(session, simulation)
    else:
        steps(session, simulation)
    assert called == [FIRED]
    if on_error == "raise":
        with pytest.raises(RemoteError, match="disk full"):
            session.close()
    else:
        session.close()
    assert COMM.allgather(called) == [[FIRED]] * COMM.size


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("cleaned", ["run", "scratch"])
def test_a_removed_scratch_folder_is_told_and_made_again(
    folder: Path, caplog: pytest.LogCaptureFixture, cleaned: str
) -> None:
    scratch = folder / "scratch"
    if COMM.rank == 0:
        scratch.mkdir(parents=True)
    COMM.barrier()
    record = {"path": str(folder / "record"), "scratch": str(scratch)}
    session = insitu.open(small(folder, record=record, actions=[]), COMM)
    simulation = Moving(COMM, steps=8)
    for cycle in range(1, 9):
        simulation.step()
        session.publish(simulation.mesh())
        session.execute()
        COMM.barrier()
        if cycle == 5 and COMM.rank == 0:
            for path in [scratch] if cleaned == "scratch" else list(scratch.iterdir()):
                shutil.rmtree(path)
        COMM.barrier()
    if COMM.rank == 0:
        told = [r.getMessage() for r in caplog.records if "made again" in r.getMessage()]
        assert len(told) == 1 and "was removed" in told[0]
        (run,), _ = recovery.find([scratch])
        found = recovery.recover(run, folder / "saved")
        assert found.steps["density"][-3:] == [4, 6, 8] and not found.problems
    COMM.barrier()
    session.close()
    COMM.barrier()
    assert not list(scratch.iterdir())


@pytest.mark.parallel([1, 3])
def test_a_scratch_folder_that_is_away_for_a_while_gets_the_window(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scratch = folder / "scratch"
    if COMM.rank == 0:
        scratch.mkdir(parents=True)
    COMM.barrier()
    record = {"path": str(folder / "record"), "scratch": str(scratch)}
    session = insitu.open(
        small(folder, record=record, actions=[], window={"every": 1, "steps": 4}), COMM
    )
    simulation = Moving(COMM, steps=8)
    for cycle in range(1, 9):
        simulation.step()
        session.publish(simulation.mesh())
        session.execute()
        COMM.barrier()
        if COMM.rank == 0 and cycle == 4:
            shutil.rmtree(scratch)
            scratch.write_text("")
        if COMM.rank == 0 and cycle == 7:
            scratch.unlink()
        COMM.barrier()
    if COMM.rank == 0:
        told = [r.getMessage() for r in caplog.records if "crash copy failed" in r.getMessage()]
        assert len(told) == 1 and "scratch" in told[0]
        (run,), _ = recovery.find([scratch])
        found = recovery.recover(run, folder / "saved")
        assert found.steps["density"] == [5, 6, 7, 8] and not found.problems
    COMM.barrier()
    session.close()
    COMM.barrier()
    assert not list(scratch.iterdir())


@pytest.mark.parallel([1, 3])
def test_crash_files_that_cannot_be_removed_are_told_on_every_rank(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise OSError(30, "Read-only file system")

    record = {"path": str(folder / "record"), "scratch": str(folder)}
    session = insitu.open(small(folder, record=record, on_error="raise"), COMM)
    steps(session, Moving(COMM, steps=2))
    if COMM.rank == COMM.size - 1:
        monkeypatch.setattr("insitu.store.crash_file.CrashFile.close", fails)
    with pytest.raises(RemoteError, match="Read-only file system"):
        session.close()
    COMM.barrier()
    assert insitu.open_record(folder / "record")["density"].cycles.tolist() == [2]
    assert results(folder) == [1, 2]


@pytest.mark.parallel([1, 3])
def test_a_closed_session_says_so(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    simulation = Moving(COMM, steps=2)
    for on_error in ("warn", "raise"):
        session = insitu.open(small(folder / on_error, on_error=on_error, actions=[]), COMM)
        simulation.step()
        session.publish(simulation.mesh())
        session.execute()
        summary = session.close()
        assert session.close() is summary
        session.publish(simulation.mesh())
        with pytest.raises(RuntimeError, match="check: this session is closed"):
            session.check(simulation.mesh())
        if on_error == "warn":
            assert session.execute() is None
        else:
            with pytest.raises(RuntimeError, match="execute: this session is closed"):
                session.execute()
    if COMM.rank == 0:
        assert "execute: this session is closed; open another one" in caplog.text


def results(folder: Path) -> list[int]:
    COMM.barrier()
    found = sorted(yaml.safe_load((folder / SESSION_FILE).read_text())["peak"])
    COMM.barrier()
    return found


@pytest.mark.parallel([1, 3])
def test_results_of_queries_go_on_over_restarts(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def run(first: int, last: int, **record: Any) -> None:
        record = {"path": str(folder / "record"), "scratch": str(folder), **record}
        simulation = Moving(COMM, steps=last)
        while simulation.cycle < first - 1:
            simulation.step()
        drive(small(folder, record=record), simulation)

    run(1, 4)
    run(3, 6)
    assert results(folder) == [1, 2, 3, 4, 5, 6]
    found = insitu.open_record(folder / "record")["density"].cycles.tolist()
    assert found == [2, 4, 6]
    COMM.barrier()
    insitu.open(small(folder), COMM).close()  # a run without a step
    assert results(folder) == [1, 2, 3, 4, 5, 6]
    run(1, 2)  # anew: what was there stays under another name
    assert results(folder) == [1, 2]
    assert len(yaml.safe_load((folder / "ascent_session.1.yaml").read_text())["peak"]) == 6
    assert insitu.open_record(folder / "record.2")["density"].cycles.tolist() == [2]
    if COMM.rank == 0:
        again = "continued at cycle 3; replaces its cycles 3 to 4"
        assert f"{folder / SESSION_FILE}: {again}" in caplog.text
        assert "of an earlier run is now" in caplog.text
    COMM.barrier()
    run(1, 2, overwrite=True)
    COMM.barrier()
    assert not (folder / "ascent_session.2.yaml").exists()
    assert insitu.open_record(folder / "record")["density"].cycles.tolist() == [2]


@pytest.mark.parallel([1, 3])
def test_a_record_that_cannot_be_made_is_refused_at_the_start(folder: Path) -> None:
    if COMM.rank == 0:
        (folder / "file").write_text("")
    COMM.barrier()
    record = {"path": str(folder / "file" / "record"), "scratch": str(folder)}
    with pytest.raises(ConfigError, match=r"record\.path: cannot write to .*file/record"):
        insitu.open(small(folder, record=record), COMM)
    session = insitu.open(small(folder), COMM)
    with pytest.raises(ConfigError, match="another session of this process"):
        insitu.open(small(folder), COMM)
    session.close()


@pytest.mark.parallel([1, 3])
def test_a_simulation_that_goes_back_is_recorded_from_there(folder: Path) -> None:
    simulation = Moving(COMM, steps=20)
    session = insitu.open(small(folder, actions=[], window={"every": 1, "steps": 9}), COMM)
    for cycle in (1, 2, 3, 4, 3, 4, 5, 5):
        simulation.step()
        simulation.cycle = cycle
        session.publish(simulation.mesh())
        assert session.execute() is not None
    session.close()
    COMM.barrier()
    density = insitu.open_record(folder / "record")["density"]
    assert density.cycles.tolist() == [1, 2, 3, 4, 5]
    assert [density.sel(step=i).summary.cycle for i in range(5)] == [1, 2, 3, 4, 5]
    assert density.times[2] > 4 * density.times[0]  # the later one of the two


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("cycle", [2.5, 2**63, -(2**63) - 4096])
def test_a_cycle_that_is_no_whole_number_is_refused_by_name(folder: Path, cycle: Any) -> None:
    simulation = Moving(COMM, steps=2)
    session = insitu.open(small(folder, actions=[], on_error="raise"), COMM)
    simulation.step()
    mesh = simulation.mesh()
    for domain in mesh if isinstance(mesh, list) else [mesh]:
        domain["state"]["cycle"] = cycle
    session.publish(mesh)
    with pytest.raises(RemoteError, match=r"state/cycle: .*whole number"):
        session.execute()
    session.close()
