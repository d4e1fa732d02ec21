"""The input of commands on recorded steps: a record or an insitu file, and which steps of it.

In: names and options of the command line. Out: a series of fields, indices of steps.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.core.errors import ConfigError
from insitu.io import sources
from insitu.io.array_series import ArraySeries
from insitu.io.compressed_array import CompressedArray
from insitu.store.record import Record
from insitu.store.shared_series import SharedSeries

if TYPE_CHECKING:
    from mpi4py import MPI


def open_file(name: str) -> Record | ArraySeries:
    """A record folder, or an insitu file. Not collective. Raises ConfigError."""
    path = Path(name)
    if not path.exists():
        raise ConfigError([f"{path}: no such folder"])
    if path.is_dir():
        if not sources.is_record(path):
            raise ConfigError([f"{path}: not the record folder of a run"])
        return Record(path)
    if not sources.is_compressed(path):
        raise ConfigError([f"{path}: neither the record folder of a run nor an insitu file"])
    return ArraySeries(CompressedArray.open(path))


def shared(
    comm: MPI.Comm, source: Record | ArraySeries, only: Collection[str] | None = None
) -> SharedSeries:
    """The fields, all or some, cut over the ranks. Not collective. ConfigError naming --field."""
    try:
        series = SharedSeries(comm, source, only)
    except ConfigError as error:
        raise ConfigError([f"--field: {text}" for text in error.problems]) from None
    if not series.names:
        raise ConfigError(["no field has a step: nothing was recorded"])
    return series


def chosen_steps(text: str, n_steps: int, option: str, what: str) -> list[int]:
    """ "-1", "2..5", "all" -> indices from 0 on, in order; ConfigError where there are none.

    what: has the steps, for messages.
    """
    if text == "all":
        return list(range(n_steps))
    ends = text.split("..")
    try:
        numbers = [int(end) for end in ends]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 2:
        problem = f"{option}: {text!r} is no index, no range such as 2..5, and not 'all'"
        raise ConfigError([problem])
    for number in numbers:
        if not -n_steps <= number < n_steps:
            raise ConfigError([f"{option}: {what} has {n_steps} steps, none numbered {number}"])
    first, last = (number % n_steps for number in (numbers[0], numbers[-1]))
    if first > last:
        raise ConfigError([f"{option}: {text}: the first step is after the last"])
    return list(range(first, last + 1))
