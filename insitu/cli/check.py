"""insitu check: is a record whole, to the last byte; its manifest made anew.

In: the folder of a record. Out: what is damaged; with --repair a manifest of what is whole.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from insitu.cli import output
from insitu.core.text import printable
from insitu.store import record_check

SUMMARY = "verify a record, and repair its manifest"
DESCRIPTION = (
    "Verify every checksum of a record, and whether every step has all its blocks. With --repair, "
    "write the manifest anew, with the steps that are whole. Frames are never changed."
)
COLLECTIVE = False
EXAMPLES = """\
examples:
  insitu check out/record            (exit status 1 if anything is damaged)
  insitu check out/record --repair   (list the steps that are whole, and no others)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("record", metavar="RECORD", help="the folder of a record")
    parser.add_argument(
        "--repair", action="store_true", help="write the manifest anew if anything is damaged"
    )
    output.add_json_option(parser)


def run(arguments: argparse.Namespace) -> bool:
    """Returns whether the record is sound, or was repaired. Not collective."""
    path = Path(arguments.record)
    found = record_check.check(path)
    repaired = arguments.repair and bool(found.problems)
    if repaired:
        record_check.repair(found)
    if arguments.json:
        output.print_json(
            {
                "record": str(path),
                "steps": found.n_steps,
                "blocks": found.n_blocks,
                "problems": found.problems,
                "notes": found.notes,
                "repaired": repaired,
            }
        )
    else:
        rows = {
            "whole": f"{found.n_steps} steps, {found.n_blocks} blocks",
            "damaged": f"{len(found.problems)} problems" if found.problems else "nothing",
        }
        if repaired:
            n_steps = sum(map(len, found.whole.steps.values()))
            rows["repaired"] = f"the manifest lists the {n_steps} steps that are whole"
        output.print_table(str(path), rows)
        for text in [*found.problems, *(f"not needed: {note}" for note in found.notes)]:
            print(printable(text))
    return repaired or not found.problems
