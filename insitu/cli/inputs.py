"""Options that select an array of a file.

In: an argument parser, then the parsed arguments. Out: an ArraySource.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from glob import glob
from pathlib import Path

from insitu.core.errors import ConfigError
from insitu.io import formats, sources
from insitu.io.array_source import ArraySource, NoSteps

FILES = (
    f"{sources.FORMATS}, an insitu file, or the record folder of a run; "
    "FILE:NAME chooses one of several arrays"
)


ALL = "all"


def add_arguments(parser: argparse._ActionsContainer, *, several: bool = False) -> None:
    """Add the options; the file name is a separate argument. several: accept `--step all`."""
    parser.add_argument(
        "--dataset", "--field", metavar="NAME", help="which array of the file, or field of a record"
    )
    parser.add_argument(
        "--step",
        type=_step_or_all if several else int,
        metavar="N",
        help="index along time, the first axis; or step of a record (default: its last)"
        + ("; all: every step" if several else ""),
    )
    parser.add_argument(
        "--shape", type=shape, metavar="NZ,NY,NX", help="of a raw file, slowest axis first"
    )
    parser.add_argument(
        "--dtype", default="f4", help="of a raw file, for example f4, f8, >f4; default: f4"
    )


def expand(texts: Sequence[str]) -> list[str]:
    """Inputs with the files that patterns stand for: `run_*.h5:density` is one for each file, in
    the order of the names. Raises ConfigError where no file matches."""
    found: list[str] = []
    for text in texts:
        if not any(c in text for c in "*?[") or Path(text).exists():
            found.append(text)
            continue
        # As with names, of several colons the last that leaves a file to its left separates.
        ends = [i for i in range(len(text) + 1) if i == len(text) or text[i] == ":"]
        matches = next(
            (
                [f"{name}{text[end:]}" for name in sorted(glob(text[:end]))]
                for end in reversed(ends)
                if glob(text[:end])
            ),
            None,
        )
        if matches is None:
            raise ConfigError([f"{text}: no file matches"])
        found += matches
    return found


def steps(arguments: argparse.Namespace, names: Sequence[str]) -> list[tuple[str, int | None]]:
    """(input, step) of all that is selected: with `--step all`, every step of every input. Raises
    ConfigError."""
    if arguments.step != ALL:
        return [(name, arguments.step) for name in names]
    counts = {name: open_volume(arguments, name, step=0, vectors=True).n_steps for name in names}
    return [(name, step) for name in names for step in range(counts[name])]


def open_volume(
    arguments: argparse.Namespace, name: str, *, step: int | None, vectors: bool = False
) -> ArraySource:
    """The array `name` with these options, at one step. Raises ConfigError.

    vectors: also accept a vector field.
    """
    return sources.open_volume(
        name,
        dataset=arguments.dataset,
        step=step,
        shape=arguments.shape,
        dtype=arguments.dtype,
        vectors=vectors,
    )


def open_pair(arguments: argparse.Namespace, *names: str) -> tuple[ArraySource, ArraySource]:
    """Two arrays that share the options: each takes those that its kind of file has.

    An array of three axes takes `--step` only if the shapes are the same then: its first axis may
    be z. Raises ConfigError.
    """
    first, second = (_candidates(arguments, name) for name in names)
    pairs = [(a, b) for a in first for b in second]
    same = (pair for pair in pairs if pair[0].grid_shape == pair[1].grid_shape)
    return next(same, pairs[-1])


def _candidates(arguments: argparse.Namespace, name: str) -> list[ArraySource]:
    """An array with and without `--step`, as far as it has steps."""
    path, dataset = sources.split_name(name)
    if sources.is_compressed(path):
        return [sources.open_volume(name)]
    kind = "record" if path.is_dir() else formats.format_of(path)
    several = kind in ("record", *formats.SEVERAL)
    dataset = arguments.dataset if several and dataset is None else dataset
    raw = kind is None
    options = {"dataset": dataset, "dtype": arguments.dtype}
    options |= {"shape": arguments.shape} if raw else {}
    try:
        stepped = sources.open_volume(str(path), step=arguments.step, **options)
    except NoSteps:
        return [sources.open_volume(str(path), **options)]
    if arguments.step is None or path.is_dir() or len(stepped.shape) > 2:
        return [stepped]
    return [stepped, sources.open_volume(str(path), **options)]


def _step_or_all(text: str) -> int | str:
    if text == ALL:
        return ALL
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a number of a step nor all"
        ) from None


def shape(text: str) -> tuple[int, ...]:
    """ "64,128,128" or "64x128x128" -> numbers."""
    parts = text.replace("x", ",").split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NZ,NY,NX")
    return tuple(map(int, parts))
