"""The package as users meet it: light to import, whole when installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

HEAVY = (
    "mpi4py.MPI",
    "torch",
    "vtk",
    "vtkmodules",
    "matplotlib",
    "pydantic",
    "rich",
    "PIL",
    "yaml",
    "scipy",
)

MEASURE = """
import json, sys, time
start = time.process_time()
import insitu
seconds = time.process_time() - start
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
print(json.dumps({
    "seconds": seconds,
    "resident_mb": int(status["VmRSS"].split()[0]) / 1024,
    "modules": sorted(sys.modules),
}))
"""


def test_import_is_light() -> None:
    """NumPy and the engine, nothing else: 512 ranks start on one node, and whoever only reads a
    record needs no MPI."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    output = subprocess.run(
        [sys.executable, "-c", MEASURE], env=environment, capture_output=True, check=True, text=True
    ).stdout
    figures = json.loads(output)
    loaded = [name for name in HEAVY if name in figures["modules"]]
    assert not loaded
    assert figures["seconds"] < 0.5
    assert figures["resident_mb"] < 45


def test_the_sources_of_the_engine_ship(root: Path) -> None:
    assert (root / "insitu/engines/cpu/cpp/module.cpp").is_file()
    assert (root / "insitu/py.typed").is_file()


def test_public_names() -> None:
    import insitu

    for name in insitu.__all__:
        assert getattr(insitu, name) is not None
        assert name == "__version__" or getattr(insitu, name).__doc__
