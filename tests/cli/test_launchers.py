"""The command and sessions without an MPI library, and under an mpiexec of another MPI."""

import os
import select
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import insitu
from insitu.core import launcher
from tests.support.waves import waves

NO_LIBRARY = {"MPI4PY_LIBMPI": "/nowhere/libmpi.so"}
FOREIGN = {"OMPI_COMM_WORLD_SIZE": "3", "OMPI_COMM_WORLD_RANK": "0"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (*launcher.RANKS, *launcher.SIZES):
        monkeypatch.delenv(name, raising=False)
    np.save("waves.npy", waves((8, 9, 10)))
    return tmp_path


def python(code: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        timeout=300,
    )


def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return python("import sys, insitu.cli; sys.exit(insitu.cli.main())", *arguments, **variables)


def test_compress_needs_no_mpi_library(here: Path) -> None:
    arguments = ("compress", "waves.npy", "w.insitu", "--psnr", "30")
    done = command(*arguments, **NO_LIBRARY)
    assert (done.returncode, done.stderr) == (0, "")
    without = (here / "w.insitu").read_bytes()
    hidden = "import sys; sys.modules['mpi4py'] = None; import insitu.cli; insitu.cli.main()"
    assert python(hidden, "info", "w.insitu").returncode == 0
    assert python(hidden, *arguments).returncode == 0
    assert (here / "w.insitu").read_bytes() == without
    assert command(*arguments).returncode == 0
    assert (here / "w.insitu").read_bytes() == without


def test_what_needs_mpi_says_so_in_words(here: Path) -> None:
    insitu.compress(waves((8, 9, 10)), psnr=30).save("w.insitu")
    done = command("render", "w.insitu", "--out", "w.png", **NO_LIBRARY)
    assert done.returncode == 2
    assert done.stderr == "insitu: MPI cannot be started: cannot load MPI library\n"
    several = command("compress", "waves.npy", "x.insitu", **NO_LIBRARY, **FOREIGN)
    assert several.returncode == 2 and "MPI cannot be started" in several.stderr


@pytest.mark.parametrize("size", [name for name in launcher.SIZES if name != "PMI_SIZE"])
def test_an_mpiexec_of_another_mpi_is_found_out(size: str, here: Path) -> None:
    """Each of its processes is rank 0 of 1, and would write the same files."""
    check_refusal(command("compress", "waves.npy", "w.insitu", **{size: "3"}))
    assert sorted(p.name for p in here.iterdir()) == ["waves.npy"]


@pytest.mark.parametrize(
    "code",
    [
        "import insitu; insitu.open({'fields': {'u': {}}})",
        "import sys, insitu.run as r; sys.exit(r.main(['run.yaml']))",
    ],
)
def test_it_is_found_out_by_runs_too(code: str, here: Path) -> None:
    check_refusal(python(code, **FOREIGN))
    assert sorted(p.name for p in here.iterdir()) == ["waves.npy"]


def check_refusal(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode in (1, 2)
    assert "mpiexec started 3 processes" in done.stderr
    assert "belongs to another MPI than mpi4py" in done.stderr


def test_only_one_of_them_says_it(here: Path) -> None:
    for rank in "01":
        variables = {**FOREIGN, "OMPI_COMM_WORLD_RANK": rank}
        done = command("compress", "waves.npy", "w.insitu", **variables)
        assert done.returncode == 2
        assert ("insitu: mpiexec started 3" in done.stderr) == (rank == "0")


ABORT = """
import os, sys
from insitu.core import launcher

class Comm:
    def Abort(self, status):
        os.write(3, b"%d" % status)

os.dup2(int(sys.argv[1]), 3)
print("the reason", file=sys.stderr, end="")
launcher.abort(Comm(), 7)
"""


def test_ranks_are_not_ended_before_the_launcher_has_read_why():
    ours, theirs = os.pipe()
    script = [sys.executable, "-c", ABORT, str(theirs)]
    with subprocess.Popen(script, stderr=subprocess.PIPE, pass_fds=[theirs]) as process:
        os.close(theirs)
        select.select([process.stderr], [], [])  # it is printed
        ended, _, _ = select.select([ours], [], [], 0.2)
        assert not ended
        assert process.stderr.read(10) == b"the reason"
        assert os.read(ours, 10) == b"7"
    os.close(ours)
