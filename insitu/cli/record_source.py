"""The input of commands on recorded steps: a record or an insitu file, and the chosen steps.

In: names and options on the command line. Out: a series of fields, indices of steps.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.core.errors import ConfigError
from insitu.io import sources
from insitu.io.array_series import ArraySeries
from insitu.io.compressed_array import CompressedArray
from insitu.store.manifest import MANIFEST, Units
from insitu.store.record import Record
from insitu.store.shared_series import SharedSeries

if TYPE_CHECKING:
    from mpi4py import MPI


def add_argument(parser: argparse.ArgumentParser) -> None:
    """The positional argument `input`."""
    parser.add_argument(
        "input", metavar="RECORD", help="the record folder of a run, or an insitu file"
    )


def open_file(name: str) -> Record | ArraySeries:
    """A record folder, or an insitu file. Not collective. Raises ConfigError."""
    path = Path(name)
    if not path.exists():
        raise ConfigError([f"{path}: no such file or folder"])
    if path.is_dir():
        if not sources.is_record(path):
            raise ConfigError([f"{path}: not a record of a run: the folder has no {MANIFEST}"])
        return Record(path)
    if not sources.is_compressed(path):
        raise ConfigError([f"{path}: neither a record folder nor an insitu file"])
    return ArraySeries(CompressedArray.open(path))


def units(source: Record | ArraySeries) -> Units | None:
    """Of a record; None for an insitu file, whose steps have neither cycle nor time."""
    return source.units if isinstance(source, Record) else None


def shared(
    comm: MPI.Comm, source: Record | ArraySeries, only: Collection[str] | None = None
) -> SharedSeries:
    """All fields, or only some, with their blocks distributed. Not collective.

    Raises ConfigError, which names --field.
    """
    try:
        series = SharedSeries(comm, source, only)
    except ConfigError as error:
        raise ConfigError([f"--field: {text}" for text in error.problems]) from None
    if not series.names:
        raise ConfigError(["the record has no steps of any field"])
    return series


def chosen_steps(text: str, n_steps: int, option: str, what: str) -> list[int]:
    """ "-1", "2..5" or "all" -> indices from 0, in ascending order. Raises ConfigError.

    option, what: the option's name, and what has the steps, for messages.
    """
    if text == "all":
        return list(range(n_steps))
    ends = text.split("..")
    try:
        numbers = [int(end) for end in ends]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 2:
        problem = f"{option}: {text!r}; expected an index, a range such as 2..5, or all"
        raise ConfigError([problem])
    for number in numbers:
        if not -n_steps <= number < n_steps:
            raise ConfigError([f"{option}: no step {number}; {what} has {n_steps} steps"])
    first, last = (number % n_steps for number in (numbers[0], numbers[-1]))
    if first > last:
        raise ConfigError([f"{option}: {text}: the first step is after the last"])
    return list(range(first, last + 1))
