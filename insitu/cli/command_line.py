"""The command `insitu`: one subcommand for each module in COMMANDS.

In: the command line. Out: files, tables or JSON; exit status 0, 1 where a target or threshold was
missed, 2 for bad input or usage, 3 for a failure while running, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Sequence
from types import ModuleType

from insitu._version import __version__
from insitu.ascent.build import BuildError
from insitu.cli import (
    ascent_extract,
    ascent_libs,
    check,
    compare,
    compress,
    decode,
    export,
    info,
    recover,
    render,
    replay,
    schema,
    view,
)
from insitu.codecs.frame import FrameError
from insitu.core import launcher
from insitu.core.errors import ConfigError, nearest
from insitu.core.parallel import RemoteError
from insitu.core.text import printable

OK, MISSED, REFUSED, FAILED, INTERRUPTED = 0, 1, 2, 3, 130

EXIT_CODES = """\
exit status:
  0  done
  1  done, but a target (compress) or a threshold (compare) was missed, or a record is
     damaged (check)
  2  bad input or usage
  3  failed while running, for example on a full disk
  130  interrupted
"""

_EXAMPLES = """\
examples:
  insitu compress density.npy density.insitu --psnr 40
  mpiexec -n 4 insitu compress run.h5:density density.insitu
  insitu info density.insitu
  insitu compare density.npy density.insitu
  insitu decode density.insitu density_decoded.npy
  insitu render out/record --field density --out density.png
  insitu export out/record --html blast.html
  mpiexec -n 4 insitu replay out/record ascent_actions.yaml

For details: insitu COMMAND --help. To run a simulation: python -m insitu.run
"""

COMMANDS = (
    compress,
    decode,
    info,
    compare,
    render,
    export,
    view,
    replay,
    recover,
    check,
    schema,
    ascent_libs,
    ascent_extract,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status.

    `compress`, `render` and `replay` are collective; the others run on rank 0.
    """
    rank = launcher.rank()
    try:
        arguments = _parse(argv, quiet=rank > 0)
    except SystemExit as end:  # --help, or a mistake that argparse has printed
        return end.code if isinstance(end.code, int) else REFUSED
    if rank > 0 and not arguments.collective:
        return OK
    try:
        return OK if arguments.run(arguments) else MISSED
    except KeyboardInterrupt:
        return _say(rank, "interrupted", INTERRUPTED)
    except RemoteError as error:
        cause = error.__cause__
        if isinstance(cause, ConfigError):
            return _say(rank, str(cause), REFUSED)
        return _say(rank, str(error), FAILED)
    except (ConfigError, FrameError) as error:
        return _say(rank, str(error), REFUSED)
    except FileNotFoundError as error:
        return _say(rank, f"{error.filename or error}: no such file", REFUSED)
    except BrokenPipeError:  # the reader of our output, `head` for example, has enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        return OK
    except (BuildError, OSError) as error:
        return _say(rank, str(error), FAILED)


def _say(rank: int, text: str, status: int) -> int:
    if rank == 0:
        print(f"insitu: {printable(text, lines=True)}", file=sys.stderr)
    return status


def _parse(argv: Sequence[str] | None, quiet: bool) -> argparse.Namespace:
    if not quiet:
        given = sys.argv[1:] if argv is None else argv
        names = [_name(command) for command in COMMANDS]
        if not given:  # what there is to choose from says more than that nothing was chosen
            parser().print_help(sys.stderr)
            raise SystemExit(REFUSED)
        if not given[0].startswith("-") and given[0] not in names:
            hint = nearest(given[0], names) or "; `insitu --help` lists them"
            parser().error(f"{given[0]!r} is no command{hint}")
        return parser().parse_args(argv)
    with open(os.devnull, "w") as nothing:
        before = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = nothing
        try:
            return parser().parse_args(argv)
        finally:
            sys.stdout, sys.stderr = before


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="insitu",
        description="Arrays as neural fields: compress them, read them, compare them, see them.",
        epilog=_EXAMPLES + "\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"insitu {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(
            _name(command),
            help=command.SUMMARY,
            description=textwrap.fill(command.DESCRIPTION, 80),
            epilog=command.EXAMPLES + "\n" + EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(sub)
        sub.set_defaults(run=command.run, collective=command.COLLECTIVE)
    return top


def _name(command: ModuleType) -> str:
    return command.__name__.rpartition(".")[2].replace("_", "-")
