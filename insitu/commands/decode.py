"""insitu decode: an insitu file, or a field of a run's record, becomes a plain array again.

In: compressed data. Out: a .npy file or raw values, written block by block.
"""

from __future__ import annotations

import argparse
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from insitu.arrays import comparison
from insitu.arrays.compressed_array import region_box
from insitu.commands import inputs, output
from insitu.errors import ConfigError

SUMMARY = "write an array out again"
DESCRIPTION = "Write an array, or a part of it, as plain values, block by block."
COLLECTIVE = False
EXAMPLES = """\
examples:
  insitu decode density.insitu density.npy
  insitu decode density.insitu part.npy --region 10:20,:,64
  insitu decode out/record density.raw --field density --step 3
"""
_RAW = (".raw", ".bin", ".dat")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", help=inputs.FILES)
    parser.add_argument("output", metavar="OUT", help=f".npy, or raw values: {', '.join(_RAW)}")
    parser.add_argument(
        "--region", metavar="Z,Y,X", help="indices per axis, as in 10:20,:,64; default: all"
    )
    inputs.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, no table")


def run(arguments: argparse.Namespace) -> bool:
    """Returns True. Not collective."""
    path = Path(arguments.output)
    if path.suffix not in (".npy", *_RAW):
        raise ConfigError([f"{path}: unknown format; written are .npy, {', '.join(_RAW)}"])
    if not path.parent.is_dir():
        raise ConfigError([f"{path.parent}: no such folder"])
    volume = inputs.open_volume(arguments, arguments.input)
    region = [slice(None)] * len(volume.shape)
    if arguments.region is not None:
        region = _region(arguments.region)
    try:
        box = region_box(region, volume.shape)
    except ValueError as error:
        raise ConfigError([f"--{error}"]) from None
    grid = tuple(axis.stop - axis.start for axis in box)
    shape = grid[3 - len(volume.shape) :]
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        out: Any
        if path.suffix == ".npy":
            out = np.lib.format.open_memmap(aside, "w+", volume.dtype, shape)
        else:
            out = np.memmap(aside, volume.dtype, "w+", shape=shape)
        values = out.reshape(grid)
        with output.progress_bar("blocks") as progress:
            boxes = list(comparison.parts(grid))
            for done, part in enumerate(boxes):
                z, y, x = (
                    slice(whole.start + axis.start, whole.start + axis.stop)
                    for whole, axis in zip(box, part, strict=True)
                )
                values[part] = volume.read((z, y, x))
                if progress:
                    progress(done + 1, len(boxes))
        out.flush()
        os.replace(aside, path)
    finally:
        with suppress(FileNotFoundError):
            aside.unlink()
    if arguments.json:
        output.print_json({"output": str(path), "shape": shape, "dtype": volume.dtype.name})
    else:
        output.print_table(str(path), {"array": output.extent_text(shape, volume.dtype)})
    return True


def _region(text: str) -> list[slice]:
    """ "10:20,:,64" -> slices; an index is the one sample there. Raises ConfigError."""
    region = []
    for part in text.split(","):
        ends = part.split(":")
        try:
            numbers = [int(end) if end.strip() else None for end in ends]
        except ValueError:
            raise ConfigError(
                [f"--region: {part!r} is no index and no range such as 10:20"]
            ) from None
        if len(numbers) == 1 and numbers[0] is not None:
            region.append(slice(numbers[0], numbers[0] + 1 or None))
        elif len(numbers) == 2:
            region.append(slice(*numbers))
        else:
            raise ConfigError([f"--region: {part!r} is no index and no range such as 10:20"])
    return region
