"""Files that others, or nobody, have put where crash files are: not followed, not waited for."""

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

import insitu
from insitu.cli.command_line import main
from insitu.codecs import frame
from insitu.codecs.frame import FrameError
from insitu.core.parallel import RemoteError
from insitu.fields.read import read_field
from insitu.io.chunk_grid import ChunkGrid
from insitu.store import crash_file, recovery
from insitu.store.crash_file import CrashFile, NotOwnError, Owner
from insitu.store.crash_log import CrashLog
from insitu.store.liveness import Process
from insitu.store.manifest import Units
from tests.support.crash_entries import add
from tests.support.paths import ROOT

GONE = Process("node7", "another machine", 1, 1)


def leave(folder: Path, run: str = "run", n_ranks: int = 1, record: str = "r") -> Path:
    """The crash file of a rank that died."""
    folder.mkdir(parents=True, exist_ok=True)
    owner = Owner(run, "", 0, n_ranks, record, Units(), GONE)
    file = CrashFile(folder / owner.file_name, owner)
    add(file, 1)
    file.close(remove=False)
    return file.path


def test_what_is_no_file_of_ones_own_is_passed_over(
    tmp_path: Path, no_launcher: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a process of its own: a FIFO would stop it."""
    own = leave(tmp_path / "insitu.run")
    os.mkfifo(tmp_path / "fifo.crash")
    (tmp_path / "folder.crash").mkdir()
    (tmp_path / "insitu.linked").symlink_to(tmp_path / "insitu.run")
    (tmp_path / "insitu.run" / "linked.crash").symlink_to(own)
    (tmp_path / "insitu.fifo").touch()
    code = "import sys; from insitu.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "recover", "--scratch", str(tmp_path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (dead,) = json.loads(done.stdout)["dead_runs"]
    assert dead["folders"] == [str(tmp_path / "insitu.run")] and dead["ranks"] == [0]


def test_files_of_another_user_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = leave(tmp_path / "insitu.run")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert recovery.find([tmp_path]) == ([], [])
    assert recovery.find([tmp_path / "insitu.run"]) == ([], [])
    with pytest.raises(NotOwnError, match="not a regular file of this user"):
        crash_file.read(path)


def test_a_file_that_may_not_be_read_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another user, in a folder of one's own; root, who runs some tests, may read any."""
    own = leave(tmp_path / "insitu.run")
    other = own.with_name("other.crash")
    other.touch()
    opened = os.open

    def refuses(path: object, *arguments: int) -> int:
        if path == other:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuses)
    (run,), _ = recovery.find([tmp_path])
    assert [path for path, _ in run.files] == [own]


def test_a_forged_number_of_ranks_costs_nothing(tmp_path: Path) -> None:
    leave(tmp_path / "insitu.run", n_ranks=3_000_000)
    leave(tmp_path / "insitu.more", "more", n_ranks=2**62)
    for run in recovery.find([tmp_path])[0]:
        found = recovery.recover(run, tmp_path / f"saved.{run.owner.run}")
        assert len(found.problems[0]) < 200 and " more of " in found.problems[0]
        names = sorted(path.name for path in found.path.iterdir())
        assert names == ["manifest.json", "rank_00000.frames"]


def test_names_are_printed_escaped(
    tmp_path: Path, no_launcher: None, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(tmp_path / "insitu.run", record="/r\x1b]0;owned\x07\nfake line [/red]")
    assert main(["recover", "--scratch", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\x07" not in out
    assert "/r\\x1b]0;owned\\x07\\nfake line [/red]" in out


def test_crash_files_are_for_their_user_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        log = CrashLog(MPI.COMM_SELF, tmp_path, tmp_path / "record", Units())
    finally:
        os.umask(before)
    (file,) = log.folder.iterdir()
    assert stat.S_IMODE(log.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    log.close(remove=True)


@pytest.mark.parametrize("planted", ["link", "open folder"])
def test_a_planted_folder_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str
) -> None:
    import time

    monkeypatch.setattr(time, "time_ns", lambda: 4711)
    log = CrashLog(MPI.COMM_SELF, tmp_path, tmp_path / "record", Units())
    folder = log.folder
    log.close(remove=True)
    victim = tmp_path / "victim"
    victim.mkdir()
    folder.symlink_to(victim) if planted == "link" else folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with pytest.raises(RemoteError, match="not a folder of this user alone"):
        CrashLog(MPI.COMM_SELF, tmp_path, tmp_path / "record", Units())
    assert not list(victim.iterdir())


def test_a_crash_file_is_not_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    (tmp_path / "f.crash").symlink_to(victim)
    with pytest.raises(FileExistsError):
        CrashFile(tmp_path / "f.crash", Owner("run", "", 0, 1, "r", Units(), GONE))
    assert not victim.exists()


def test_discarding(tmp_path: Path, no_launcher: None, capsys: pytest.CaptureFixture[str]) -> None:
    leave(tmp_path / "insitu.one", "one")
    alive = Owner("alive", "", 0, 1, "r", Units(), Process.this())
    (tmp_path / "insitu.alive").mkdir()
    running = CrashFile(tmp_path / "insitu.alive" / alive.file_name, alive)
    (tmp_path / "else.txt").touch()
    assert main(["recover", "--discard", "-o", "x"]) == 2
    assert main(["recover", "--scratch", str(tmp_path), "--discard"]) == 0
    assert "discarded run one: 1 files" in capsys.readouterr().out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["else.txt", "insitu.alive"]
    assert running.path.exists()
    running.close(remove=True)


def test_a_header_that_claims_more_than_it_can_hold_asks_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = (ROOT / "tests/data/frames/version_4_hash_grid.frame").read_bytes()
    header, payloads = frame.unpack(golden)
    header["cells"] = [3000, 3000, 3000]
    header["nodes"] = [[0.0, 1.0, 3001]] * 3
    forged = frame.pack(header, payloads)
    with pytest.raises(FrameError, match=r"3000 x 3000 x 3000 cells: claims .* GiB of values in"):
        read_field(forged)
    monkeypatch.setenv("INSITU_ALLOW_HUGE", "1")
    assert read_field(forged).cells == (3000, 3000, 3000)


def test_an_insitu_file_that_claims_more_than_it_can_hold_asks_first(
    tmp_path: Path, no_launcher: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before an array or a file is allocated for 10^12 samples, which would fill the disk."""
    header = insitu.compress(np.zeros((4, 4, 4), np.float32)).header
    cells = 10_000
    axis = (0, cells)
    forged = replace(
        header,
        shape=(cells,) * 3,
        nodes=(np.arange(cells + 1.0),) * 3,
        blocks=ChunkGrid("element", (axis,) * 3),
        lengths=(100,),
    )
    (tmp_path / "a.insitu").write_bytes(forged.to_bytes() + bytes(100))
    array = insitu.load(tmp_path / "a.insitu")
    with pytest.raises(FrameError, match=r"claims .* of values in .*INSITU_ALLOW_HUGE=1"):
        array.decode()
    allocated: list[int] = []
    monkeypatch.setattr(os, "posix_fallocate", lambda *at: allocated.append(at[-1]))
    assert main(["decode", str(tmp_path / "a.insitu"), str(tmp_path / "a.npy")]) == 2
    assert allocated == [] and [path.name for path in tmp_path.iterdir()] == ["a.insitu"]
