"""What an installed Ascent needs to run insitu as its Python extract.

In: Ascent's folder, or none. Out: what is wrong, and lines for a shell that mend it.

Ascent's embedded Python is the base installation's, without its virtual environments, plus
PYTHONPATH, in which .pth files (editable installs) are not read. It is asked itself: a process of
it loads Ascent's library, then imports what the extract imports.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from insitu.ascent import mpi_library
from insitu.core.errors import ConfigError

# As modules to ask for by name; numpy and mpi4py stand for all that is installed beside insitu.
_ASCENTS = ("conduit", "ascent")
_OURS = ("insitu", "numpy", "mpi4py")

_ASK = """
import importlib.util, json, sys
# A folder of that name alone, without an __init__.py, has no origin.
specs = {name: importlib.util.find_spec(name) for name in sys.argv[1:]}
found = {name: spec is not None and bool(spec.origin) for name, spec in specs.items()}
print(json.dumps({"version": list(sys.version_info[:2]), "found": found}))
"""
_LOAD = """
import ctypes, json, sys
error, before, loading = "", "", sys.argv[1]
try:
    ctypes.CDLL(loading, ctypes.RTLD_GLOBAL)
    before = open("/proc/self/maps").read()
    loading = "mpi4py"
    import mpi4py
    mpi4py.rc.initialize = False
    from mpi4py import MPI
except Exception as wrong:
    error = f"{type(wrong).__name__}: {wrong}"
after = open("/proc/self/maps").read()
print(json.dumps({"before": before, "after": after, "error": error, "loading": loading}))
"""


@dataclass
class Findings:
    """Attributes:
    problems: what is wrong, each a sentence.
    lines: for a shell, before the simulation is started.
    """

    problems: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Installation:
    """An Ascent in a folder of its own.

    Attributes:
        prefix: has lib/libascent_mpi.so or lib/libascent.so, and python-modules.
        settings: of its CMake configuration and conduit's, by name.
    """

    prefix: Path
    settings: Mapping[str, str]

    @staticmethod
    def at(prefix: Path) -> Installation:
        """Raises: ConfigError where there is no Ascent in the folder."""
        prefix = prefix.resolve()
        config = prefix / "lib/cmake/ascent/AscentConfig.cmake"
        if not config.is_file():
            raise ConfigError(
                [f"{prefix}: no Ascent there: expected its install folder, with {config}"]
            )
        settings = _settings(config)
        conduit = Path(settings.get("ASCENT_CONDUIT_DIR") or prefix)
        return Installation(
            prefix, _settings(conduit / "lib/cmake/conduit/ConduitConfig.cmake") | settings
        )

    @property
    def library(self) -> Path | None:
        names = ("libascent_mpi.so", "libascent.so")
        return next(
            (f for f in (self.prefix / "lib" / name for name in names) if f.is_file()), None
        )

    @property
    def python(self) -> str | None:
        return self.settings.get("ASCENT_PYTHON_EXECUTABLE")

    @property
    def modules(self) -> list[Path]:
        """The folders of Ascent's and conduit's modules, as far as they are there."""
        places = [self.prefix / "python-modules"]
        if folder := self.settings.get("CONDUIT_PYTHON_MODULE_DIR"):
            places.append(Path(folder))
        if conduit := self.settings.get("ASCENT_CONDUIT_DIR"):
            places.append(Path(conduit) / "python-modules")
        return list(dict.fromkeys(place.resolve() for place in places if place.is_dir()))


def check(prefix: Path | None, python: str | None = None) -> Findings:
    """Not collective; starts processes of Ascent's Python.

    Args:
        prefix: Ascent's folder; None: of what is in this environment alone.
        python: the executable of its Python; default: what Ascent's configuration says, else this.

    Raises: ConfigError where there is no Ascent, or its Python cannot be started.
    """
    findings = Findings()
    ascent = None if prefix is None else Installation.at(prefix)
    enabled = "" if ascent is None else ascent.settings.get("ASCENT_PYTHON_ENABLED", "ON")
    if ascent is not None and enabled.upper() in ("FALSE", "OFF", "0", "NO", ""):
        findings.problems.append("this Ascent was built without Python: it has no Python extract")
        return findings
    executable = _base(python or (ascent.python if ascent else None) or sys.executable)
    answer = _run(executable, _ASK, [*_ASCENTS, *_OURS], {})
    if answer["version"] != list(sys.version_info[:2]):
        theirs, ours = (".".join(map(str, v)) for v in (answer["version"], sys.version_info[:2]))
        findings.problems.append(
            f"Ascent's Python is {theirs}, this insitu is for {ours}: install insitu for "
            f"{executable}"
        )
        return findings
    paths = _missing(findings, answer["found"], ascent)
    if paths:
        text = ":".join(map(str, paths))
        findings.lines.append(f"export PYTHONPATH={shlex.quote(text)}${{PYTHONPATH:+:$PYTHONPATH}}")
    if ascent is not None and ascent.library is not None:
        path = ":".join([*map(str, paths), os.environ.get("PYTHONPATH", "")]).strip(":")
        _check_mpi(findings, executable, ascent.library, {"PYTHONPATH": path})
    return findings


def _missing(
    findings: Findings, found: Mapping[str, bool], ascent: Installation | None
) -> list[Path]:
    """The folders that PYTHONPATH lacks."""
    paths: list[Path] = []
    lost = [name for name in _ASCENTS if not found[name]]
    if lost:
        modules = ascent.modules if ascent else []
        where = "" if modules else "; give Ascent's folder with --ascent, or its python-modules"
        findings.problems.append(
            f"Ascent's Python does not find {' and '.join(lost)}, without which Ascent hands no "
            f"data to a script{where}"
        )
        paths += modules
    lost = [name for name in _OURS if not found[name]]
    if lost:
        findings.problems.append(f"Ascent's Python does not find {', '.join(lost)}")
        paths += [_home(name) for name in lost]
    return list(dict.fromkeys(paths))


def _home(module: str) -> Path:
    """The folder from which this Python imports a module."""
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parents[1]


def _check_mpi(
    findings: Findings, executable: str, library: Path, environment: Mapping[str, str]
) -> None:
    answer = _run(executable, _LOAD, [str(library)], environment)
    simulations = mpi_library.in_map(answer["before"].splitlines())
    all_of_them = mpi_library.in_map(answer["after"].splitlines())
    if not simulations or (all_of_them == simulations and not answer["error"]):
        if answer["error"]:
            findings.problems.append(f"{answer['loading']} cannot be loaded: {answer['error']}")
        return
    mpi = simulations[0]
    others = [path for path in all_of_them if path not in simulations]
    found = f"mpi4py finds {others[0]}" if others else f"mpi4py says: {answer['error']}"
    findings.problems.append(f"Ascent's MPI is {mpi}, but {found}")
    if mpi.name.startswith(("libmpi.so.12", "libmpi.so.40")):
        folder = str(mpi.parent)
    else:  # mpi4py's wheels ask for MPICH and its relatives by one name
        folder = str(Path.home() / ".insitu-mpi")
        findings.lines.append(f"mkdir -p {shlex.quote(folder)}")
        findings.lines.append(f"ln -sf {shlex.quote(str(mpi))} {shlex.quote(folder)}/libmpi.so.12")
    findings.lines.append(
        f"export LD_LIBRARY_PATH={shlex.quote(folder)}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
    )
    findings.lines.append("# or build mpi4py with that MPI: MPICC=mpicc pip install --no-binary "
                          "mpi4py mpi4py")  # fmt: skip


def _settings(config: Path) -> dict[str, str]:
    text = config.read_text(errors="replace") if config.is_file() else ""
    return {name: value.strip() for name, value in re.findall(r'set\((\w+)\s+"?([^")]*)"?\)', text)}


def _base(executable: str) -> str:
    """The installation's Python for that of an environment: embedded, it sees no environment."""
    answer = _run(executable, "import json, sys; print(json.dumps(sys._base_executable))", [], {})
    return str(answer)


def _run(executable: str, code: str, arguments: list[str], environment: Mapping[str, str]) -> Any:
    """What a process of that Python prints, as JSON; without this process's MPI."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("PMI", "MPI4PY", "OMPI_"))}
    command = [executable, "-c", code, *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env={**keep, **environment}, timeout=120
        )
        return json.loads(done.stdout.splitlines()[-1])
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
        raise ConfigError([f"{executable}: this Python cannot be asked: {error}"]) from None
