"""insitu decode: an insitu file, or a field of a run's record, becomes a plain array.

In: compressed data, at one step or several. Out: a .npy file, raw values, HDF5, NetCDF, or VTK's
files for ParaView.
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
from insitu.io.part import Part, Steps
from insitu.io.record_volume import RecordVolume
from insitu.io.vtk_series import write_series
from insitu.session.report import grouped

SUMMARY = "decode to a plain array"
DESCRIPTION = (
    "Write an array, or a part of it, as plain values or for ParaView. .pvti and .pvtr are index "
    "files; the blocks are files in a folder of the same name. Several inputs, and --step all, are "
    "steps: the first axis of one array, or a VTK file for each and a .pvd with their times."
)
COLLECTIVE = False
EXAMPLES = """\
examples:
  insitu decode density.insitu density.npy
  insitu decode density.insitu part.npy --region 10:20,:,64
  insitu decode out/record density.raw --field density --step 3
  insitu decode out/record:velocity velocity.pvtr
  insitu decode out/record:density density.nc --step all       (time, z, y, x)
  insitu decode out/record:density density.vti --step all      (density_0000.vti ..., density.pvd)
  insitu decode 'steps/T_*.insitu' T.npy                       (one step from each file)
"""
_PLAIN: dict[str, Callable[[Path, Part | Steps, output.Progress | None], None]] = {
    ".npy": plain_write.write_npy,
    **dict.fromkeys(plain_write.RAW, plain_write.write_raw),
    **dict.fromkeys(plain_write.HDF5, plain_write.write_hdf5),
    **dict.fromkeys(plain_write.NETCDF, plain_write.write_netcdf),
}
_SUFFIXES = (*_PLAIN, *vtk_write.SUFFIXES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", metavar="IN", nargs="+", help=f"{inputs.FILES}; FILE may be a pattern: 'run_*.npy'"
    )
    parser.add_argument(
        "output", metavar="OUT", help=f"format by extension: {', '.join(_SUFFIXES)}"
    )
    parser.add_argument(
        "--region", metavar="Z,Y,X", help="indices per axis, as in 10:20,:,64; default: all"
    )
    inputs.add_arguments(parser, several=True)
    output.add_json_option(parser)


def run(arguments: argparse.Namespace) -> bool:
    """Returns True. Not collective."""
    path = Path(arguments.output)
    if path.suffix.lower() not in _SUFFIXES:
        raise ConfigError([f"{path}: unknown format; expected {', '.join(_SUFFIXES)}"])
    if not path.parent.is_dir():
        raise ConfigError([f"{path.parent}: no such folder"])
    chosen = inputs.steps(arguments, inputs.expand(arguments.input))

    def opened(number: int) -> Part:
        name, step = chosen[number]
        volume = inputs.open_volume(arguments, name, step=step, vectors=True)
        try:
            return _part(volume, arguments.region)
        except ValueError as error:
            raise ConfigError([f"--{error}"]) from None

    several = len(chosen) > 1 or arguments.step == inputs.ALL
    what = Steps(len(chosen), opened) if several else opened(0)
    in_vtk = path.suffix.lower() in vtk_write.SUFFIXES
    with output.progress_bar("steps" if several and in_vtk else "samples") as progress:
        files = _write(path, what, progress)
    part = what.first if isinstance(what, Steps) else what
    shape = (what.count, *part.shape) if isinstance(what, Steps) else part.shape
    if arguments.json:
        figures = {"output": str(path), "shape": shape, "dtype": part.volume.dtype.name}
        output.print_json(figures | {"files": list(map(str, files))})
    else:
        rows = {"array": output.extent_text(shape, part.volume.dtype)}
        if len(files) > 1:
            rows["files"] = "\n".join(grouped(list(map(str, files))))
        output.print_table(str(files[-1]), rows)
    return True


def _write(path: Path, what: Part | Steps, progress: output.Progress | None) -> list[Path]:
    """Write it -> the files."""
    suffix = path.suffix.lower()
    if suffix in _PLAIN:
        _PLAIN[suffix](path, what, progress)
    elif isinstance(what, Steps):
        return write_series(path, what, progress)
    elif suffix in vtk_write.PARALLEL:
        vtk_write.write_pieces(path, what, progress)
    else:
        vtk_write.write(path, what, progress)
    return [path]


def _part(volume: ArraySource, text: str | None) -> Part:
    """text: of `--region`. ValueError where the region is not one of the volume."""
    region = [slice(None)] * len(volume.shape) if text is None else _region(text)
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
