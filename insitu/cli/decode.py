"""insitu decode: an insitu file, or a field of a run's record, becomes a plain array.

In: compressed data. Out: a .npy file, raw values, HDF5, or VTK's files for ParaView.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from insitu.cli import inputs, output
from insitu.core.errors import ConfigError
from insitu.io import plain_write, vtk_write
from insitu.io.array_source import ArraySource
from insitu.io.compressed_array import region_box
from insitu.io.part import Part
from insitu.io.record_volume import RecordVolume

SUMMARY = "decode to a plain array"
DESCRIPTION = (
    "Write an array, or a part of it, as plain values or for ParaView. .pvti and .pvtr are index "
    "files; the blocks are files in a folder of the same name."
)
COLLECTIVE = False
EXAMPLES = """\
examples:
  insitu decode density.insitu density.npy
  insitu decode density.insitu part.npy --region 10:20,:,64
  insitu decode out/record density.raw --field density --step 3
  insitu decode out/record:velocity velocity.pvtr
"""
_WRITERS: dict[str, Callable[..., None]] = {
    ".npy": plain_write.write_npy,
    **dict.fromkeys(plain_write.RAW, plain_write.write_raw),
    **dict.fromkeys(plain_write.HDF5, plain_write.write_hdf5),
    **dict.fromkeys(vtk_write.SUFFIXES[:2], vtk_write.write),
    **dict.fromkeys(vtk_write.SUFFIXES[2:], vtk_write.write_pieces),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", help=inputs.FILES)
    parser.add_argument("output", metavar="OUT", help=f"format by extension: {', '.join(_WRITERS)}")
    parser.add_argument(
        "--region", metavar="Z,Y,X", help="indices per axis, as in 10:20,:,64; default: all"
    )
    inputs.add_arguments(parser)
    output.add_json_option(parser)


def run(arguments: argparse.Namespace) -> bool:
    """Returns True. Not collective."""
    path = Path(arguments.output)
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise ConfigError([f"{path}: unknown format; expected {', '.join(_WRITERS)}"])
    if not path.parent.is_dir():
        raise ConfigError([f"{path.parent}: no such folder"])
    volume = inputs.open_volume(arguments, arguments.input, vectors=True)
    region = [slice(None)] * len(volume.shape)
    if arguments.region is not None:
        region = _region(arguments.region)
    try:
        part = _part(volume, region)
    except ValueError as error:
        raise ConfigError([f"--{error}"]) from None
    with output.progress_bar("samples") as progress:
        write(path, part, progress)
    if arguments.json:
        output.print_json({"output": str(path), "shape": part.shape, "dtype": volume.dtype.name})
    else:
        output.print_table(str(path), {"array": output.extent_text(part.shape, volume.dtype)})
    return True


def _part(volume: ArraySource, region: list[slice]) -> Part:
    """ValueError where the region is not one of the volume."""
    box = region_box(region, volume.shape)
    if not isinstance(volume, RecordVolume):
        return Part(volume, box)
    units = volume.units
    return Part(volume, box, volume.n_components, volume.step["time"], volume.unit, units.length)


def _region(text: str) -> list[slice]:
    """ "10:20,:,64" -> slices; an index is the one sample there. Raises ConfigError."""
    region = []
    for part in text.split(","):
        ends = part.split(":")
        try:
            numbers = [int(end) if end.strip() else None for end in ends]
        except ValueError:
            raise ConfigError(
                [f"--region: {part!r}; expected an index or a range such as 10:20"]
            ) from None
        if len(numbers) == 1 and numbers[0] is not None:
            region.append(slice(numbers[0], numbers[0] + 1 or None))
        elif len(numbers) == 2:
            region.append(slice(*numbers))
        else:
            raise ConfigError([f"--region: {part!r}; expected an index or a range such as 10:20"])
    return region
