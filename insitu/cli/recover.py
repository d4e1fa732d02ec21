"""insitu recover: the window of a crashed simulation.

In: the folder of its crash files, or none to list those of this node. Out: a record, or a list.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from insitu.cli import output
from insitu.core.errors import ConfigError
from insitu.core.limits import byte_size
from insitu.core.text import printable
from insitu.store import recovery
from insitu.store.recovery import Run

SUMMARY = "save the window of a crashed run"
DESCRIPTION = (
    "Write the steps saved by a crashed run to a record. Without DIR: list the crash files on "
    "this node."
)
COLLECTIVE = False
EXAMPLES = """\
examples:
  insitu recover                                        (list crashed runs)
  insitu recover /dev/shm/insitu.4711.node7.815.1a2b    (to out/record.recovered)
  insitu recover node1/ node2/ -o saved --remove        (files of two nodes)
  insitu recover --discard                              (remove what crashed runs have left)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders", metavar="DIR", nargs="*", help="folder with a run's crash files, or its parent"
    )
    parser.add_argument(
        "--output",
        "-o",
        metavar="OUT",
        help="record to write; default: the run's record plus .recovered",
    )
    parser.add_argument(
        "--scratch",
        default="/dev/shm",
        metavar="DIR",
        help="where to look for crash files; default: /dev/shm",
    )
    parser.add_argument(
        "--incomplete", action="store_true", help="include steps with missing blocks"
    )
    parser.add_argument(
        "--remove", action="store_true", help="remove the crash files after writing the record"
    )
    parser.add_argument(
        "--discard",
        action="store_true",
        help="remove the crash files of all crashed runs found, without writing a record",
    )
    output.add_json_option(parser)


def run(arguments: argparse.Namespace) -> bool:
    """Returns whether a step was recovered, or crashed runs were listed or discarded. Not
    collective."""
    folders = [Path(folder) for folder in arguments.folders]
    runs, problems = recovery.find(folders or [Path(arguments.scratch)])
    dead = [one for one in runs if not one.in_use()]
    if arguments.discard:
        _discard(dead, problems, arguments)
        return True
    if not folders:
        _list(dead, problems, arguments)
        return True
    if len(dead) != 1:
        raise ConfigError([_choice(runs, dead, arguments.folders)])
    chosen = dead[0]
    path = Path(arguments.output or f"{chosen.owner.record}.recovered")
    found = recovery.recover(chosen, path, incomplete=arguments.incomplete)
    found.problems = problems + found.problems
    if arguments.remove:
        recovery.discard(chosen)
    if arguments.json:
        output.print_json(
            {
                "output": str(path),
                "frames": found.n_frames,
                "fields": found.steps,
                "problems": found.problems,
            }
        )
    else:
        rows = {name: f"cycles {_ends(cycles)}" for name, cycles in found.steps.items()}
        output.print_table(str(path), rows or {"nothing": "no complete step found"})
        for text in found.problems:
            print(printable(text))
    return bool(found.steps)


def _list(dead: list[Run], problems: list[str], arguments: argparse.Namespace) -> None:
    if arguments.json:
        runs: list[dict[str, Any]] = [
            {
                "folders": [str(folder) for folder in one.folders],
                "run": one.owner.run,
                "job": one.owner.job,
                "host": one.owner.process.host,
                "ranks": [owner.rank for _, owner in one.files],
                "n_ranks": one.owner.n_ranks,
                "record": one.owner.record,
                "nbytes": one.nbytes,
            }
            for one in dead
        ]
        output.print_json({"dead_runs": runs, "problems": problems})
        return
    # Lines, no table: a path to be copied must not be wrapped.
    print(f"crashed runs in {arguments.scratch}:" + ("" if dead else " none"))
    for one in dead:
        ranks = f"{len(one.files)} of {one.owner.n_ranks} ranks"
        for folder in one.folders:
            line = f"  {folder}  {ranks}, {byte_size(one.nbytes)}, record {one.owner.record}"
            print(printable(line))
    for text in problems:
        print(printable(f"  {text}"))


def _discard(dead: list[Run], problems: list[str], arguments: argparse.Namespace) -> None:
    """Remove what dead runs have left; what still runs, and what is no crash file, stays."""
    if arguments.output or arguments.remove or arguments.incomplete:
        raise ConfigError(["--discard: writes no record; -o, --remove, --incomplete do not apply"])
    for one in dead:
        recovery.discard(one)
    if arguments.json:
        output.print_json({"discarded": [one.owner.run for one in dead], "problems": problems})
        return
    for one in dead:
        print(printable(f"discarded run {one.owner.run}: {len(one.files)} files"))
    if not dead:
        print("nothing to discard")


def _choice(runs: list[Run], dead: list[Run], given: list[str]) -> str:
    where = ", ".join(given)
    if not runs:
        return f"{where}: no crash files; `insitu recover` lists those of this node"
    if not dead:
        return f"{where}: run {runs[0].owner.run} is still running"
    folders = " or ".join(str(one.folders[0]) for one in dead)
    return f"{where}: files of {len(dead)} crashed runs; choose {folders}"


def _ends(cycles: list[int]) -> str:
    return f"{cycles[0]} to {cycles[-1]}, {len(cycles)} steps" if cycles else "none"
