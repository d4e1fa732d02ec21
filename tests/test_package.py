"""The package as users meet it: light to import, whole when installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

# What a record is read with; the rest of what insitu needs waits until it is asked for.
ALLOWED = {"insitu", "numpy"}
LATER = (
    "insitu.actions",
    "insitu.cli",
    "insitu.config",
    "insitu.engines.cpu.native",
    "insitu.filters",
    "insitu.mesh",
    "insitu.models.hash_grid",
    "insitu.queries",
    "insitu.render",
    "insitu.schema",
    "insitu.session",
    "insitu.training",
)

MEASURE = """
import json, sys
before = set(sys.modules)
import insitu
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
print(json.dumps({
    "resident_mb": int(status["VmRSS"].split()[0]) / 1024,
    "modules": sorted(sys.modules),
    "installed": sorted({
        name.split(".")[0] for name, module in sys.modules.items()
        if name not in before and "site-packages" in (getattr(module, "__file__", None) or "")
    }),
}))
"""


def test_import_is_light() -> None:
    """NumPy, nothing else: 512 ranks start on one node, and whoever only reads a record needs no
    MPI."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    output = subprocess.run(
        [sys.executable, "-c", MEASURE], env=environment, capture_output=True, check=True, text=True
    ).stdout
    figures = json.loads(output)
    assert set(figures["installed"]) <= ALLOWED
    assert not [name for name in LATER if name in figures["modules"]]
    assert figures["resident_mb"] < 45


PACKED = """
import json, sys
from setuptools import Distribution
distribution = Distribution({"script_name": "setup.py"})
distribution.parse_config_files()
command = distribution.get_command_obj("build_py")
command.build_lib = sys.argv[1]
command.ensure_finalized()
print(json.dumps(command.get_outputs(include_bytecode=False)))
"""


def test_a_wheel_has_every_file_of_the_package(root: Path) -> None:
    """Modules, stubs, and what is compiled at the user's: C++, headers, Fortran."""
    output = subprocess.run(
        [sys.executable, "-c", PACKED, "wheel"],
        cwd=root,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    packed = {str(Path(name).relative_to("wheel")) for name in json.loads(output)}
    tracked = subprocess.run(
        ["git", "ls-files", "insitu"], cwd=root, capture_output=True, check=True, text=True
    ).stdout.splitlines()
    assert set(tracked) - packed == set()


def test_public_names() -> None:
    import insitu

    assert dir(insitu) == sorted(insitu.__all__)
    for name in insitu.__all__:
        assert getattr(insitu, name) is not None
        assert name == "__version__" or getattr(insitu, name).__doc__
