"""The first hour with a session in own code: what is recorded, shown, and said of mistakes."""

import csv
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

import insitu
from insitu.core.errors import ConfigError
from tests.support.moving import Moving
from tests.support.sessions import cycles, run_file, steps
from tests.support.waves import waves

COMM = MPI.COMM_WORLD
SMALL = {"network": {"log2_hashmap_size": 8, "n_levels": 2}, "iterations": 40}


@pytest.fixture
def simulation() -> Moving:
    return Moving(COMM)


def fields_only(folder: Path, **changes: Any) -> dict[str, Any]:
    return {"fields": {"u": SMALL}, "output": folder, **changes}


def mesh(cycle: int, **fields: Any) -> dict[str, Any]:
    """One block of every rank, one above the other."""
    fields = fields or {"u": waves((6, 6, 6)) + 0.1 * cycle}
    at = {"cycle": cycle, "time": 0.5 * cycle, "domain_id": COMM.rank}
    return insitu.mesh.uniform(fields, spacing=0.5, origin=(0, 0, 3 * COMM.rank), **at)


@pytest.mark.parallel([1, 3])
def test_fields_alone_are_recorded_and_it_is_said(folder: Path, capsys: Any) -> None:
    with insitu.open(fields_only(folder), COMM) as session:
        for cycle in range(11):
            session.publish(mesh(cycle))
            session.execute()
    COMM.barrier()
    record = insitu.open_record(folder / "record")
    assert record["u"].cycles.tolist() == [0, 5, 10]
    said = capsys.readouterr().out
    if COMM.rank > 0:
        assert said == ""
        return
    assert f"recording u: the last 20 steps, one every 5 cycles, in {folder}/record" in said
    assert said.count("\ncycle ") == 3 and "recorded steps: 3" in said
    assert "Wrote:" in said and f"{folder}/insitu_timings.csv" in said
    with (folder / "insitu_timings.csv").open() as file:
        assert [row["cycle"] for row in csv.DictReader(file)] == ["0", "5", "10"]


@pytest.mark.parametrize(
    "changes",
    [{"window": {"keep": "all"}}, {"actions": [{"action": "add_queries", "queries": {}}]}],
)
def test_a_run_file_that_says_what_its_fields_are_for_gets_no_record(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    if "actions" in changes:
        params = {"name": "top", "expression": "max(field('u'))"}
        changes["actions"][0]["queries"] = {"q": {"params": params}}
    with insitu.open(fields_only(tmp_path, **changes), quiet=True) as session:
        session.publish(mesh(0))
        session.execute()
    assert not (tmp_path / "record").exists()


def test_quiet_prints_nothing_and_writes_the_timings(tmp_path: Path, capsys: Any) -> None:
    with insitu.open(fields_only(tmp_path), quiet=True) as session:
        session.publish(mesh(0))
        assert session.execute() is not None
    assert capsys.readouterr().out == ""
    assert (tmp_path / "insitu_timings.csv").exists()


def test_steps_that_are_never_due_are_explained(tmp_path: Path, caplog: Any) -> None:
    with insitu.open(fields_only(tmp_path), quiet=True) as session:
        for cycle in range(1, 4):
            session.publish(mesh(cycle))
            assert session.execute() is None
    assert "no cycle from 1 to 3 is a multiple of 5 (window.every)" in caplog.text
    assert not (tmp_path / "insitu_timings.csv").exists()


def test_an_output_folder_that_cannot_be_made_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"output: cannot write to .*Not a directory"):
        insitu.open(fields_only(tmp_path / "file" / "out"))


@pytest.mark.parallel([1, 3])
def test_an_exception_leaves_the_block_without_waiting(folder: Path) -> None:
    """One rank alone leaves a `with`: it waits for no other."""
    config = fields_only(folder, window={"every": 1})
    config["record"] = {"path": folder / "rec", "scratch": folder}
    failed = False
    try:
        with insitu.open(config, COMM, quiet=True) as session:
            session.publish(mesh(0))
            session.execute()
            if COMM.rank == 0:
                raise RuntimeError("the solver diverged")
            if COMM.size > 1:
                raise KeyboardInterrupt
    except (RuntimeError, KeyboardInterrupt):
        failed = True
    assert failed
    COMM.barrier()
    assert (folder / "insitu_timings.csv").exists()
    # One process has nobody to wait for and writes its record; several leave crash files.
    assert (folder / "rec" / "manifest.json").exists() == (COMM.size == 1)
    assert bool(list(folder.glob("insitu.*"))) == (COMM.size > 1)


@pytest.mark.parallel([1, 3])
def test_a_field_that_comes_later_costs_the_others_nothing(folder: Path, caplog: Any) -> None:
    config = {
        "fields": {"u": SMALL, "burnt": SMALL},
        "window": {"every": 1},
        "record": {"path": folder / "rec", "scratch": folder},
        "output": folder,
    }
    with insitu.open(config, COMM, quiet=True) as session:
        for cycle in range(4):
            late = {"burnt": waves((6, 6, 6)) ** 2} if cycle > 1 else {}
            session.publish(mesh(cycle, u=waves((6, 6, 6)), **late))
            session.execute()
    COMM.barrier()
    record = insitu.open_record(folder / "rec")
    assert record["u"].cycles.tolist() == [0, 1, 2, 3]
    assert record["burnt"].cycles.tolist() == [2, 3]
    if COMM.rank == 0:
        told = [r.message for r in caplog.records if "burnt" in r.message]
        assert len(told) == 1, told
        assert "the simulation publishes no field 'burnt' (there are u)" in told[0]


@pytest.mark.parallel([1, 3])
def test_a_field_that_vanishes_costs_that_field(folder: Path, caplog: Any) -> None:
    config = {
        "fields": {"u": SMALL, "burnt": SMALL},
        "window": {"every": 1},
        "record": {"path": folder / "rec", "scratch": folder},
        "output": folder,
    }
    with insitu.open(config, COMM, quiet=True) as session:
        for cycle in range(7):
            there = {} if cycle in (2, 3, 5) else {"burnt": waves((6, 6, 6)) ** 2}
            session.publish(mesh(cycle, u=waves((6, 6, 6)), **there))
            session.execute()
            assert not session.dropped
    COMM.barrier()
    record = insitu.open_record(folder / "rec")
    assert record["u"].cycles.tolist() == list(range(7))
    assert record["burnt"].cycles.tolist() == [0, 1, 4, 6]
    if COMM.rank == 0:
        told = [r.message for r in caplog.records if "burnt" in r.message]
        assert len(told) == 1, told
        assert "the simulation publishes no field 'burnt' (there are u)" in told[0]


def test_scenes_and_queries_wait_for_a_field_that_comes_later(tmp_path: Path, caplog: Any) -> None:
    query = {"params": {"name": "top", "expression": "max(field('burnt'))"}}
    trigger = {"params": {"condition": "top > 0.5", "actions": []}}
    render = {"image_prefix": "b_%03d", "image_width": 16, "image_height": 16}
    scene = {"plots": {"p": {"type": "volume", "field": "burnt"}}, "renders": {"r": render}}
    config = {
        "fields": {"u": SMALL, "burnt": SMALL},
        "window": {"every": 1},
        "record": {"path": tmp_path / "rec", "scratch": tmp_path},
        "output": tmp_path,
        "actions": [
            {"action": "add_queries", "queries": {"q": query}},
            {"action": "add_triggers", "triggers": {"t": trigger}},
            {"action": "add_scenes", "scenes": {"s": scene}},
        ],
    }
    reports = []
    with insitu.open(config, quiet=True) as session:
        for cycle in range(3):
            late = {"burnt": 1 + waves((6, 6, 6)) ** 2} if cycle > 0 else {}
            session.publish(mesh(cycle, u=waves((6, 6, 6)), **late))
            reports.append(session.execute())
    assert [[field.name for field in report.fields] for report in reports] == [
        ["u"],
        ["u", "burnt"],
        ["u", "burnt"],
    ]
    assert [report.fired for report in reports] == [(), ("t",), ("t",)]
    assert sorted(p.name for p in tmp_path.glob("*.png")) == ["b_001.png", "b_002.png"]
    assert [r.levelname for r in caplog.records if r.levelno >= logging.WARNING] == ["WARNING"]
    assert "queries and triggers that read it have no value before" in caplog.text


def test_queries_wait_for_a_component_that_comes_later(tmp_path: Path, caplog: Any) -> None:
    query = {"params": {"name": "top", "expression": "max(field('vx'))"}}
    config = {
        "fields": {"u": SMALL, "v": {**SMALL, "components": ["vx", "vy", "vz"]}},
        "window": {"every": 1},
        "record": {"path": tmp_path / "rec", "scratch": tmp_path},
        "output": tmp_path,
        "actions": [{"action": "add_queries", "queries": {"q": query}}],
    }
    one = waves((6, 6, 6))
    with insitu.open(config, quiet=True) as session:
        for cycle in range(3):
            late = {"vx": one, "vy": one, "vz": one} if cycle > 0 else {"vy": one}
            session.publish(mesh(cycle, u=one, **late))
            session.execute()
    record = insitu.open_record(tmp_path / "rec")
    assert record["u"].cycles.tolist() == [0, 1, 2]
    assert record["v"].cycles.tolist() == [1, 2]
    told = [r.message for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(told) == 1, told
    assert "publishes no field 'vx' and 'vz'" in told[0]
    assert "queries and triggers that read it have no value before" in told[0]


@pytest.mark.parametrize("on_error", ["warn", "raise"])
def test_a_misspelt_field_is_told_once(on_error: str, tmp_path: Path, caplog: Any) -> None:
    config = {"fields": {"density": SMALL}, "output": tmp_path, "on_error": on_error}
    problem = r"fields.density: the simulation publishes no field 'density'; did you mean 'densty'"
    session = insitu.open(config, quiet=True)
    with pytest.raises(ConfigError, match=problem):
        session.check(mesh(0, densty=waves((6, 6, 6))))
    for cycle in range(3):
        session.publish(mesh(cycle, densty=waves((6, 6, 6))))
        if on_error == "raise":
            with pytest.raises(ConfigError, match=problem):
                session.execute()
        else:
            assert session.execute() is None
    assert caplog.text.count("publishes no field") == (on_error == "warn")
    session.close()
    assert ("(3 times in all)" in caplog.text) == (on_error == "warn")


def test_a_mapping_of_arrays_is_told_what_a_mesh_is(tmp_path: Path, caplog: Any) -> None:
    session = insitu.open(fields_only(tmp_path), quiet=True)
    for _ in range(2):
        session.publish({"u": np.zeros((4, 4, 4))})
        assert session.execute() is None
    session.close()
    assert caplog.text.count("session.publish(insitu.mesh.uniform({'u': array}") == 2
    with caplog.at_level(logging.WARNING):
        assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 2


@pytest.mark.parallel([1, 3])
def test_own_code_and_the_runner_show_the_same(
    folder: Path, simulation: Moving, capsys: Any
) -> None:
    session = insitu.open(run_file(folder), COMM)
    reports = steps(session, simulation)
    session.close()
    shown = capsys.readouterr().out
    if COMM.rank == 0:
        lines = [line for line in shown.splitlines() if line.startswith("cycle")]
        assert [int(line.split()[1]) for line in lines] == cycles(reports)
        assert "density" in shown.split("recorded steps:")[1]


def test_a_session_that_is_not_closed_is_told(tmp_path: Path, caplog: Any) -> None:
    session = insitu.open(fields_only(tmp_path), quiet=True)
    del session
    assert "session was not closed" in caplog.text
    caplog.clear()
    with insitu.open(fields_only(tmp_path), quiet=True) as session:
        pass
    del session
    assert caplog.text == ""


def test_a_program_that_ends_without_closing_is_told(tmp_path: Path) -> None:
    script = "import insitu; s = insitu.open({'output': 'out'}); print('over')"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout == "over\n" and done.stderr.count("session was not closed") == 1
