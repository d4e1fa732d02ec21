"""A running simulation: whose crash copy is shown, and in which order its fields appear."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from insitu.cli import main
from insitu.codecs import frame
from insitu.store.crash_file import SUFFIX, CrashFile, Owner
from insitu.store.liveness import Process
from insitu.store.manifest import Units
from insitu.viewer.running import Running


def crash_copy(folder: Path, run: str, process: Process) -> CrashFile:
    record = str((folder / "record").absolute())
    return CrashFile(folder / f"{run}{SUFFIX}", Owner(run, "", 0, 1, record, Units(), process))


def add(file: CrashFile, sequence: int, name: str, cycle: int) -> None:
    what = {"name": name, "cycle": cycle, "n_blocks": 1}
    file.append(sequence, what, [frame.pack({"of": file.path.name}, [])])


def test_the_run_that_is_alive_is_shown_alone_after_one_that_crashed(tmp_path: Path) -> None:
    this = Process.this()
    dead = replace(this, start=this.start + 1)
    crashed = crash_copy(tmp_path, "crashed", dead)
    for i, cycle in enumerate((0, 5, 10)):
        add(crashed, i, "density", cycle)
    crashed.close(remove=False)
    running = Running(tmp_path / "record", tmp_path)
    assert running.look() and not running.alive and running.run == "crashed"
    assert len(running.entries("density")) == 3
    again = crash_copy(tmp_path, "again", this)
    add(again, 0, "density", 0)
    os.utime(again.path, ns=(0, 0))  # older on disk: being alive counts
    assert running.look() and running.alive and running.run == "again"
    (step,) = running.entries("density")
    assert frame.unpack(step.frames[0])[0]["of"] == f"again{SUFFIX}"
    again.close(remove=True)
    assert running.look() and not running.alive  # it has ended; its steps stay
    assert len(running.entries("density")) == 1 and not running.look()


def test_a_new_field_comes_last(tmp_path: Path) -> None:
    file = crash_copy(tmp_path, "run", Process.this())
    running = Running(tmp_path / "record", tmp_path)
    add(file, 0, "energy", 0)
    assert running.look() and running.names == ["energy"]
    add(file, 1, "density", 5)
    assert running.look() and running.names == ["energy", "density"]
    file.close(remove=True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["record", "--scratch", "."], "only with --live"),
        (["record", "--step", "3"], "--step: only of arrays"),
        (["four.npy"], "has 4 axes"),
        (["four.npy", "--step", "2"], "2"),
        (["--live", "record", "--scratch", "nowhere"], "nowhere: no such folder"),
        (["--live", "file.npy"], "not a file"),
        (["file.npy", "--port", "65536"], "is not in 0..65535"),
    ],
)
def test_words_that_would_do_nothing_are_refused(
    tmp_path: Path,
    words: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.npy").touch()
    (tmp_path / "record").mkdir()
    np.save(tmp_path / "four.npy", np.zeros((2, 3, 4, 5)))
    assert main(["view", *words]) == 2
    assert message in capsys.readouterr().err
