"""Options that select an array of a file.

In: an argument parser, then the parsed arguments. Out: an ArraySource.
"""

from __future__ import annotations

import argparse

from insitu.io import sources
from insitu.io.array_source import ArraySource, NoSteps

FILES = (
    f"{sources.FORMATS}, an insitu file, or the record folder of a run; "
    "FILE:NAME chooses one of several arrays"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options; the file name is a separate argument."""
    parser.add_argument(
        "--dataset", "--field", metavar="NAME", help="which array of the file, or field of a record"
    )
    parser.add_argument(
        "--step",
        type=int,
        metavar="N",
        help="index along time, the first axis; or step of a record (default: its last)",
    )
    parser.add_argument(
        "--shape", type=shape, metavar="NZ,NY,NX", help="of a raw file, slowest axis first"
    )
    parser.add_argument(
        "--dtype", default="f4", help="of a raw file, for example f4, f8, >f4; default: f4"
    )


def open_volume(arguments: argparse.Namespace, name: str, *, vectors: bool = False) -> ArraySource:
    """The array `name` with these options. Raises ConfigError.

    vectors: also accept a vector field.
    """
    return sources.open_volume(
        name,
        dataset=arguments.dataset,
        step=arguments.step,
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
    several = path.is_dir() or path.suffix.lower() in sources.SEVERAL
    dataset = arguments.dataset if several and dataset is None else dataset
    raw = not path.is_dir() and path.suffix.lower() not in sources.SUFFIXES
    options = {"dataset": dataset, "dtype": arguments.dtype}
    options |= {"shape": arguments.shape} if raw else {}
    try:
        stepped = sources.open_volume(str(path), step=arguments.step, **options)
    except NoSteps:
        return [sources.open_volume(str(path), **options)]
    if arguments.step is None or path.is_dir() or len(stepped.shape) > 2:
        return [stepped]
    return [stepped, sources.open_volume(str(path), **options)]


def shape(text: str) -> tuple[int, ...]:
    """ "64,128,128" or "64x128x128" -> numbers."""
    parts = text.replace("x", ",").split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NZ,NY,NX")
    return tuple(map(int, parts))
