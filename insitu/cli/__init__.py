"""The command `insitu`, and its subcommands, one module each.

Each has SUMMARY, DESCRIPTION, EXAMPLES, COLLECTIVE (whether all ranks run it), add_arguments and
run, which returns whether the target or threshold was met.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; see `insitu.cli.command_line.main`."""
    from insitu.cli import command_line

    return command_line.main(argv)
