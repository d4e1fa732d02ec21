"""Which MPI libraries a process has loaded: with two of them, communicators of one mean nothing to
the other.

In: the process's memory map. Out: paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_MPI = re.compile(r"^lib(mpi|mpich|mpi_intel|mpi_gnu\w*)\.so(\.\d+)*$")


def in_map(lines: Iterable[str]) -> list[Path]:
    """MPI's C libraries in lines like those of /proc/self/maps, each once, links resolved."""
    files = (line.split(maxsplit=5)[5].strip() for line in lines if len(line.split()) > 5)
    found = (Path(file).resolve() for file in files if _MPI.match(Path(file).name))
    return list(dict.fromkeys(found))


def loaded() -> list[Path]:
    """Those of this process; empty where the system does not say. Not collective."""
    try:
        return in_map(Path("/proc/self/maps").read_text(errors="replace").splitlines())
    except OSError:
        return []
