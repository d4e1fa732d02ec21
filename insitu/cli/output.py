"""The output of commands: a table, or one JSON object; and a progress bar on a terminal.

In: figures by name. Out: text on stdout; a bar on stderr if it is a terminal.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from insitu.core.limits import byte_size
from insitu.core.text import printable
from insitu.session.report import decibels, times

if TYPE_CHECKING:
    from rich.console import Console

Progress = Callable[[int, int], None]
"""Called with the number of finished items and their total number."""


def add_json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def print_json(figures: Mapping[str, Any]) -> None:
    """Print one object on one line; infinite numbers (PSNR without errors) become null."""
    print(json.dumps(_plain(figures), allow_nan=False))


def print_table(title: str, rows: Mapping[str, str]) -> None:
    """Print a table with two columns: name and value. Names may come from files that are not
    trusted."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False)
    for name, value in rows.items():
        table.add_row(Text(printable(name)), Text(printable(value, lines=True)))
    out = console()
    out.print(Text(printable(title)), soft_wrap=True)
    out.print(table)


def console() -> Console:
    """Standard output. What is no terminal has no width, and tables are not to be squeezed."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


@contextmanager
def progress_bar(what: str, wanted: bool = True) -> Iterator[Progress | None]:
    """A function that shows the progress; None if `wanted` is false or stderr is no terminal.

    what: the unit, in the plural.
    """
    if not (wanted and sys.stderr.isatty()):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def extent_text(shape: tuple[int, ...], dtype: Any) -> str:
    """ "128 x 128 x 128 float32"."""
    return f"{' x '.join(map(str, shape))} {dtype}"


def size_text(nbytes: int, ratio: float) -> str:
    """ "5.7 KiB, 1443x smaller"."""
    return f"{byte_size(nbytes)}, ratio {times(ratio)}"


def number_text(value: float | None, digits: int = 6) -> str:
    """A number, or "-" for None."""
    return "-" if value is None else f"{value:.{digits}g}"


def quality_text(psnr_db: float) -> str:
    """ "41.2 dB", or "exact"."""
    return decibels(psnr_db)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
