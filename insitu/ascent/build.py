"""Builds the libraries that stand in for conduit's and Ascent's, with the system's compiler.

In: cpp/, include/, fortran/, cmake/ beside this file; CXX and FC, by default c++ and gfortran.
Out: a folder with libconduit.so, libascent_mpi.so and their other names, the headers, and, where
there is a Fortran compiler, the Fortran modules. It is made once, and again when a source or this
Python has changed.

Nothing of MPI is needed: communicators come as integers.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from insitu._version import __version__
from insitu.core.atomic_file import atomic_folder

HERE = Path(__file__).resolve().parent

CONDUIT = (
    *("node.cpp", "node_api.cpp", "compare.cpp", "text.cpp", "text_write.cpp", "cxx_bridge.cpp"),
    *("blueprint.cpp", "mcarray.cpp", "mesh_index.cpp", "mesh_examples.cpp", "relay.cpp"),
)
_ASCENT = ("ascent.cpp", "callbacks.cpp", "python.cpp")
_FORTRAN_CONDUIT = (
    *("conduit.f90", "conduit_endianness.f90", "conduit_obj.f90"),
    *("conduit_blueprint.f90", "conduit_relay.f90"),
)
_FORTRAN_ASCENT = ("ascent.f90",)
# Names under which simulations ask the linker for what is in one library here.
_ALIASES = {
    **dict.fromkeys(
        (
            *("libconduit_blueprint.so", "libconduit_blueprint_mpi.so", "libconduit_relay.so"),
            *("libconduit_relay_mpi.so", "libconduit_relay_mpi_io.so"),
        ),
        "libconduit.so",
    ),
    **dict.fromkeys(
        ("libascent.so", "libascent_flow.so", "libascent_lodepng.so"), "libascent_mpi.so"
    ),
}


class BuildError(RuntimeError):
    """A compiler is missing or refused; the message is its output."""


@dataclass(frozen=True)
class Libraries:
    """What was built, and where.

    Attributes:
        folder: has `lib`, `include/conduit`, `include/ascent`, `fortran` with the modules, and
            under `lib` and `share` what CMake, pkg-config and makefiles find them by.
        fortran: whether the Fortran modules were compiled as well.
    """

    folder: Path
    fortran: bool

    @property
    def conduit(self) -> Path:
        return self.folder / "lib" / "libconduit.so"

    @property
    def ascent(self) -> Path:
        return self.folder / "lib" / "libascent_mpi.so"

    @property
    def includes(self) -> tuple[Path, ...]:
        found = [self.folder / "include" / name for name in ("conduit", "ascent", "")]
        return (*found, self.folder / "fortran") if self.fortran else tuple(found)


def libraries(folder: Path | None = None) -> Libraries:
    """The libraries, built if they are not there or are out of date. Not collective.

    Args:
        folder: where to; default: beside the sources in a checkout; in the user's cache for an
            installed package, of which uninstalling shall leave nothing. It appears as a whole,
            when all is built.

    Raises: BuildError; OSError if the folder cannot be written.
    """
    folder = (folder or _default_folder()).resolve()
    wanted = _digest()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent):
        stamp = folder / "built_from"
        whole = stamp.is_file() and (folder / "lib" / "libascent_mpi.so").is_file()
        if not (whole and stamp.read_text() == wanted):
            _replace(folder, wanted)
    return Libraries(folder, any((folder / "fortran").glob("*.mod")))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time, of those that build in this folder on this node."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(folder: Path, wanted: str) -> None:
    """Build, then put the result in the place of what is there."""
    if folder.exists():
        _refuse_foreign(folder)
    with atomic_folder(folder) as tmp:
        _build(tmp)
        (tmp / "built_from").write_text(wanted)


def _default_folder() -> Path:
    if (HERE.parents[1] / "setup.cfg").is_file() and os.access(HERE, os.W_OK):
        return HERE / "built"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    # Environments do not share them: the libraries start the Python that built them.
    place = hashlib.sha256(sys.prefix.encode()).hexdigest()[:8]
    python = sysconfig.get_python_version()
    return Path(cache) / "insitu" / f"ascent-{__version__}-{python}-{place}"


def _refuse_foreign(folder: Path) -> None:
    """Only a folder that was built here, or an empty one, is replaced."""
    if any(folder.iterdir()) and not (folder / "built_from").is_file():
        raise BuildError(f"{folder}: contains other files; choose a new or empty folder")


def _sources() -> list[Path]:
    return sorted(
        path
        for name in ("cpp", "include", "fortran", "cmake")
        for path in (HERE / name).rglob("*")
        if path.is_file()
    )


def _digest() -> str:
    """A text that changes with whatever the libraries are made of."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(str(path.relative_to(HERE)).encode() + b"\0" + path.read_bytes())
    digest.update(repr((_compiler(), _flags(), _fortran_compiler(), _definitions())).encode())
    return digest.hexdigest() + "\n"


def _compiler() -> list[str]:
    return shlex.split(os.environ.get("CXX") or "c++")


def _fortran_compiler() -> list[str] | None:
    """FC, or gfortran where it is installed; make sets FC to a compiler that may not be there."""
    command = shlex.split(os.environ.get("FC") or "")
    for candidate in (command, ["gfortran"]):
        if candidate and shutil.which(candidate[0]):
            return candidate
    return None


def _flags() -> list[str]:
    return shlex.split(os.environ.get("INSITU_CXXFLAGS", ""))


def _definitions() -> list[str]:
    """What the libraries know of this Python, for hosts that have none."""
    texts = {
        "INSITU_VERSION": __version__,
        "INSITU_LIBPYTHON": str(_libpython() or ""),
        "INSITU_PYTHON": sys.executable or "",
        "INSITU_ROOT": str(HERE.parents[1]),
    }
    return [f'-D{name}="{value}"' for name, value in texts.items()]


def _libpython() -> Path | None:
    """The shared library of this Python, if it has one."""
    name = sysconfig.get_config_var("INSTSONAME") or ""
    if ".so" not in name:  # built as one executable
        name = f"libpython{sysconfig.get_config_var('LDVERSION')}.so.1.0"
    for folder in (sysconfig.get_config_var("LIBDIR"), Path(sys.base_prefix) / "lib"):
        if folder and (Path(folder) / name).is_file():
            return Path(folder) / name
    return None


def _build(folder: Path) -> None:
    lib = folder / "lib"
    shutil.copytree(HERE / "cmake", folder, dirs_exist_ok=True)  # has lib and share
    shutil.copytree(HERE / "include", folder / "include")
    shutil.copytree(HERE / "fortran", folder / "fortran")
    with tempfile.TemporaryDirectory() as scratch:
        objects = _compile_fortran(folder / "fortran", Path(scratch))
        _link(lib / "libconduit.so", CONDUIT, [*objects[0], "-ldl"])
        beside = ["-L", str(lib), "-lconduit", "-Wl,-rpath,$ORIGIN", "-ldl"]
        _link(lib / "libascent_mpi.so", _ASCENT, [*objects[1], *beside])
    for alias, name in _ALIASES.items():
        (lib / alias).symlink_to(name)


def _link(target: Path, sources: tuple[str, ...], rest: list[str]) -> None:
    command = [
        *_compiler(),
        *("-std=c++17", "-O1", "-Wall", "-Wextra", "-fPIC", "-shared"),
        *("-fvisibility=hidden", f"-Wl,-soname,{target.name}"),
        *_flags(),
        *_definitions(),
        *(f"-I{HERE / 'include' / name}" for name in ("conduit", "ascent")),
        *(str(HERE / "cpp" / name) for name in sources),
        *("-o", str(target)),
        *rest,
    ]
    _run(command, "CXX")


def _compile_fortran(folder: Path, scratch: Path) -> tuple[list[str], list[str]]:
    """Objects of the Fortran modules for each of the two libraries; .mod files go to `folder`."""
    compiler = _fortran_compiler()
    if compiler is None:
        return [], []
    groups: tuple[list[str], list[str]] = ([], [])
    for group, names in zip(groups, (_FORTRAN_CONDUIT, _FORTRAN_ASCENT), strict=True):
        for name in names:
            target = scratch / f"{name}.o"
            command = [*compiler, "-O2", "-fPIC", "-c", str(folder / name), "-o", str(target)]
            _run(command, "FC", folder)
            group.append(str(target))
    return groups


def _run(command: list[str], variable: str, folder: Path | None = None) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:
        raise BuildError(f"compiler {command[0]!r} not found; set {variable}=...") from None
    if done.returncode:
        raise BuildError(f"{shlex.join(command)}\n{done.stderr.strip()}")
