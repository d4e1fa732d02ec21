"""insitu schema: the JSON schema of run files or of actions files, for editors.

In: which of the two. Out: the schema (draft 2020-12), on standard output or in a file.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

SUMMARY = "print the JSON schema of run files or actions files"
DESCRIPTION = """\
Print the JSON schema (draft 2020-12) of run files or actions files. Editors use it to complete and
check YAML; those with yaml-language-server look for this first line:

  # yaml-language-server: $schema=insitu-run.schema.json
"""
COLLECTIVE = False
EXAMPLES = """\
examples:
  insitu schema run --out insitu-run.schema.json
  insitu schema actions --out insitu-actions.schema.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        nargs="?",
        choices=("run", "actions"),
        default="run",
        help="run: run files, including actions (default); actions: lists of actions",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")


def run(arguments: argparse.Namespace) -> bool:
    """Returns True. Not collective."""
    # Importing the models takes longer than everything that other commands need.
    from insitu.schema import actions_schema, run_file_schema

    schema = run_file_schema() if arguments.what == "run" else actions_schema()
    text = json.dumps(schema, indent=2, ensure_ascii=False)
    if arguments.out is None:
        print(text)
    else:
        arguments.out.write_text(text + "\n", encoding="utf-8")
    return True
