"""Programs of other languages: found, and run as a user runs them.

In: a name, a command. Out: its path; what it prints.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.paths import ROOT

EXAMPLES = ROOT / "adapters" / "ascent" / "examples"


def program(name: str) -> str:
    """A program beside this Python, or on the path."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    assert found, f"{name} is not installed; `make test-clients` says what is needed"
    return found


def run(command: Sequence[object], folder: Path, **environment: str) -> str:
    """What a command prints, in an environment without this process's MPI. It must succeed."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("PMI", "HYDI", "MPI4PY"))}
    environment = {**keep, "OMP_NUM_THREADS": "1", "MPIEXEC_TIMEOUT": "800", **environment}
    environment["PYTHONPATH"] = f"{ROOT}:{environment.get('PYTHONPATH', '')}"
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
