"""insitu.core is below everything: it imports nothing else of insitu, and does not start MPI."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import pkgutil, sys
import insitu.core
names = [m.name for m in pkgutil.iter_modules(insitu.core.__path__, "insitu.core.")]
before = {n for n in sys.modules if n.startswith("insitu")}
for name in names:
    __import__(name)
new = {n for n in sys.modules if n.startswith("insitu")} - before
print(sorted(new - set(names)), "mpi4py.MPI" in sys.modules, len(names))
"""


def test_core_imports_nothing_else() -> None:
    out = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True
    ).stdout
    others, mpi, count = out.strip().rsplit(" ", 2)
    assert (others, mpi) == ("[]", "False") and int(count) >= 5
