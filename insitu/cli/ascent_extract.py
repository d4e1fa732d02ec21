"""insitu ascent-extract: what an Ascent needs to run insitu as its Python extract.

In: Ascent's folder. Out: lines that a shell evaluates, and what they mend.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from insitu.ascent import installation
from insitu.cli import output

SUMMARY = "what an Ascent needs to run insitu as its Python extract"
DESCRIPTION = (
    "Print shell commands after which Ascent's Python finds insitu, Ascent's and conduit's "
    "modules, and mpi4py with the simulation's MPI. With --check, exit with 1 if anything is "
    "missing."
)
COLLECTIVE = False
EXAMPLES = """\
examples:
  insitu ascent-extract --check --ascent /opt/ascent   (what would be missing, here and now)
  eval "$(insitu ascent-extract --ascent /opt/ascent)"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="exit with 1 if anything is missing")
    parser.add_argument(
        "--ascent",
        metavar="DIR",
        default=os.environ.get("ASCENT_DIR"),
        help="the folder in which Ascent is installed; default: ASCENT_DIR",
    )
    parser.add_argument(
        "--python",
        metavar="EXE",
        help="the Python that Ascent was built with; default: as its configuration says",
    )
    output.add_json_option(parser)


def run(arguments: argparse.Namespace) -> bool:
    """Returns False if something is missing and --check was given. Not collective."""
    prefix = Path(arguments.ascent) if arguments.ascent else None
    found = installation.check(prefix, arguments.python)
    if arguments.json:
        output.print_json({"problems": found.problems, "lines": found.lines})
    else:
        for problem in found.problems:
            print(f"insitu: {problem}", file=sys.stderr)
        for line in found.lines:
            print(line)
        if arguments.check and not found.problems:
            print("insitu: nothing is missing", file=sys.stderr)
    return not (arguments.check and found.problems)
