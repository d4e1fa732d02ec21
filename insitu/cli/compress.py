"""insitu compress: an array in a file becomes one insitu file, block by block.

In: a file that may be larger than memory, and a target. Out: an insitu file.
"""

from __future__ import annotations

import argparse
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from insitu.cli import inputs, output
from insitu.core.errors import ConfigError
from insitu.io import targets
from insitu.io.chunk_grid import DEFAULT_CELLS
from insitu.io.compressed_array import CompressedArray
from insitu.io.sources import FORMATS
from insitu.training.options import Target
from insitu.training.select_codec import MODEL, codecs

SUMMARY = "compress an array"
DESCRIPTION = "Train neural fields on an array, block by block, and write them to one file."
COLLECTIVE = True
EXAMPLES = """\
examples:
  insitu compress density.npy density.insitu --psnr 45
  insitu compress density.npy density.insitu --max-error rel:1e-3
  insitu compress density.npy density.insitu --ratio 200 --codec auto
  insitu compress run.h5:/fluid/density density.insitu
  insitu compress climate.nc:T T.insitu --step 3
  insitu compress raw.bin out.insitu --shape 256,256,256 --dtype f8
  mpiexec -n 4 insitu compress big.npy big.insitu    (same bytes, sooner)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", help=f"{FORMATS}; FILE:NAME chooses an array")
    parser.add_argument("output", metavar="OUT", help="file to write, for example density.insitu")
    goals = parser.add_argument_group("targets", "training of a block ends at the first reached")
    for name, option in targets.OPTIONS.items():
        goals.add_argument(f"--{name.replace('_', '-')}", metavar=option.metavar, help=option.help)
    inputs.add_arguments(parser)
    parser.add_argument(
        "--block",
        type=int,
        default=DEFAULT_CELLS,
        metavar="N",
        help=f"maximum cells per axis of a block; default: {DEFAULT_CELLS}",
    )
    parser.add_argument(
        "--codec",
        choices=codecs(),
        default=MODEL,
        help="inr: neural fields; sz3, zfp, sperr: bricks by that compressor; auto: for each block "
        "whichever takes the fewest bytes; default: inr",
    )
    output.add_json_option(parser)


def run(arguments: argparse.Namespace) -> bool:
    """Returns whether the target was reached. Collective over MPI's world; where MPI cannot be
    loaded, one process does it."""
    from insitu.core import launcher
    from insitu.core.parallel import together
    from insitu.io.compress import CompressionJob
    from insitu.io.compress_file import compress_file

    comm, path, start = launcher.world_if_any(), Path(arguments.output), time.perf_counter()
    rank, size = (0, 1) if comm is None else (comm.rank, comm.size)
    with nullcontext() if comm is None else together(comm, arguments.input):
        target = targets.make_target(**{name: getattr(arguments, name) for name in targets.OPTIONS})
        volume = inputs.open_volume(arguments, arguments.input)
        _check_output(path, arguments.input)
        job = CompressionJob.of(volume, target, arguments.block, arguments.codec)
    with output.progress_bar("samples", rank == 0) as progress:
        compress_file(comm, job, path, progress)
    array = CompressedArray.open(path)
    problems = targets.missed(target, array)
    if rank == 0:
        seconds = time.perf_counter() - start
        _report(arguments, array, target, problems, size, seconds)
    return not problems


def _check_output(path: Path, given: str) -> None:
    if path.is_dir():
        raise ConfigError([f"{path}: is a folder; name the file to write"])
    if not path.parent.is_dir():
        raise ConfigError([f"{path.parent}: no such folder"])
    if path.exists() and Path(given).exists() and path.samefile(given):
        raise ConfigError([f"{path}: is the input; name another file to write"])


def _report(
    arguments: argparse.Namespace,
    array: CompressedArray,
    target: Target,
    problems: list[str],
    ranks: int,
    seconds: float,
) -> None:
    n_blocks = len(array.header.blocks)
    if arguments.json:
        figures: dict[str, Any] = {
            "input": arguments.input,
            "output": arguments.output,
            "target": targets.asked(target),
            "reached": not problems,
            "shape": array.shape,
            "dtype": array.dtype.name,
            "psnr_db": array.psnr_db,
            "max_error": array.metrics.max_error,
            "raw_nbytes": array.raw_nbytes,
            "nbytes": array.nbytes,
            "ratio": array.ratio,
            "blocks": n_blocks,
            "ranks": ranks,
            "seconds": seconds,
            "nan_count": array.metrics.nan_count,
            "inf_count": array.metrics.inf_count,
        }
        output.print_json(figures)
        return
    rows = {
        "array": f"{array.name}, {output.extent_text(array.shape, array.dtype)}",
        "quality": output.quality_text(array.psnr_db),
        "largest error": output.number_text(array.metrics.max_error),
        "size": output.size_text(array.nbytes, array.ratio),
        "work": f"{seconds:.1f} s, blocks: {n_blocks}, ranks: {ranks}",
    }
    if array.metrics.nan_count:
        rows["NaN"] = f"{array.metrics.nan_count} samples, left out; they decode to NaN"
    if array.metrics.inf_count:
        rows["Inf"] = f"{array.metrics.inf_count} samples, left out"
    if problems:
        rows["missed"] = ", ".join(problems)
    output.print_table(str(arguments.output), rows)
