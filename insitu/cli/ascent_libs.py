"""insitu ascent-libs: libraries with Ascent's interface, built on first use.

In: nothing, or a folder. Out: lines that a shell evaluates, compiler flags, or JSON.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from insitu.ascent.build import Libraries, libraries
from insitu.cli import output

SUMMARY = "libraries for simulations that call Ascent, on machines without Ascent"
DESCRIPTION = (
    "Print shell commands that set the paths of insitu's libraries with Ascent's and conduit's C, "
    "C++ and Fortran interface. On first use the libraries are built, which takes a C++ compiler "
    "(CXX), and a Fortran compiler (FC) for the Fortran modules."
)
COLLECTIVE = False
EXAMPLES = """\
examples:
  eval "$(insitu ascent-libs)"       (PyFR, and programs that were linked to Ascent, find them)
  mpicc sim.c $(insitu ascent-libs --cflags --libs)
  cmake -S sim -B build $(insitu ascent-libs --cmake)
  insitu ascent-libs -o /project/lib/ascent   (for all who use the project)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output", "-o", metavar="DIR", help="folder to build in; default: next to the package"
    )
    parser.add_argument("--cflags", action="store_true", help="print compiler flags")
    parser.add_argument("--libs", action="store_true", help="print linker flags")
    parser.add_argument(
        "--cmake", action="store_true", help="print where find_package(Ascent) finds them"
    )
    output.add_json_option(parser)


def run(arguments: argparse.Namespace) -> bool:
    """Returns True. Not collective."""
    found = libraries(Path(arguments.output) if arguments.output else None)
    if arguments.json:
        output.print_json(
            {
                "folder": str(found.folder),
                "conduit": str(found.conduit),
                "ascent_mpi": str(found.ascent),
                "fortran": found.fortran,
                "cflags": _cflags(found),
                "libs": _libs(found),
            }
        )
    elif arguments.cflags or arguments.libs or arguments.cmake:
        print(
            shlex.join(
                [
                    *(_cflags(found) if arguments.cflags else []),
                    *(_libs(found) if arguments.libs else []),
                    *(_cmake(found) if arguments.cmake else []),
                ]
            )
        )
    else:
        _print_lines(found)
    return True


def _print_lines(found: Libraries) -> None:
    lib = shlex.quote(str(found.ascent.parent))
    modules = "Fortran modules in fortran/" if found.fortran else "no Fortran compiler, no modules"
    print(f"# {found.folder}: lib/, include/; {modules}")
    print(f"export PYFR_CONDUIT_LIBRARY_PATH={shlex.quote(str(found.conduit))}")
    print(f"export PYFR_ASCENT_MPI_LIBRARY_PATH={shlex.quote(str(found.ascent))}")
    folder = shlex.quote(str(found.folder))
    for name, path in (
        ("LD_LIBRARY_PATH", lib),
        ("CMAKE_PREFIX_PATH", folder),
        ("PKG_CONFIG_PATH", f"{lib}/pkgconfig"),
    ):
        print(f"export {name}={path}${{{name}:+:${name}}}")


def _cflags(found: Libraries) -> list[str]:
    return [f"-I{folder}" for folder in found.includes]


def _libs(found: Libraries) -> list[str]:
    lib = found.ascent.parent
    return [f"-L{lib}", f"-Wl,-rpath,{lib}", "-lascent_mpi", "-lconduit"]


def _cmake(found: Libraries) -> list[str]:
    """For find_package, and under the names that projects have of their own."""
    names = ("CMAKE_PREFIX_PATH", "ASCENT_DIR", "CONDUIT_DIR")
    return [f"-D{name}={found.folder}" for name in names]
