"""What all tests share: where the repository is, and one voice for several ranks."""

import io
import re
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from mpi4py import MPI

from tests.support.paths import ROOT

# A shell has what it starts in the background ignore Ctrl-C, and so would all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples every time, and time enough for them on a busy machine: what fails is due to a
# change. `--hypothesis-profile=default` draws others. PyTorch's environment is without it.
if find_spec("hypothesis"):
    from hypothesis import HealthCheck, settings

    settings.register_profile(
        "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("same")

MARKER = re.compile(r"\bparallel\(([^)]*)\)")


@pytest.fixture
def root() -> Path:
    return ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One folder for all ranks."""
    return Path(MPI.COMM_WORLD.bcast(str(tmp_path)))


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Under mpiexec only files with tests for as many ranks are imported: collecting all of them
    costs each process more than most of its tests."""
    size = MPI.COMM_WORLD.size
    if size == 1 or not collection_path.name.startswith("test_"):
        return None
    counts = MARKER.findall(collection_path.read_text())
    return None if any(str(size) in re.findall(r"\d+", marked) for marked in counts) else True


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Under mpiexec only rank 0 reports as it goes; the others speak up if something failed."""
    if MPI.COMM_WORLD.rank > 0:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        reporter._tw._file = io.StringIO()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if MPI.COMM_WORLD.rank > 0:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter.stats.get("failed") or reporter.stats.get("error"):
            sys.stderr.write(f"--- rank {MPI.COMM_WORLD.rank} ---\n{reporter._tw._file.getvalue()}")
