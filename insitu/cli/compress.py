"""insitu compress: an array in a file becomes one insitu file, block by block.

In: a file that may be larger than memory, and a target. Out: an insitu file.
"""

from __future__ import annotations

import argparse
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insitu.cli import inputs, output
from insitu.core.errors import ConfigError
from insitu.core.limits import Range
from insitu.io import sources, targets
from insitu.io.chunk_grid import DEFAULT_CELLS
from insitu.io.compressed_array import CompressedArray
from insitu.models import registry
from insitu.training.options import Target
from insitu.training.select_codec import MODEL, codecs

if TYPE_CHECKING:
    from mpi4py import MPI

SUMMARY = "compress an array"
DESCRIPTION = "Fit models to an array, block by block, and write them to one file."
COLLECTIVE = True
EXAMPLES = """\
examples:
  insitu compress density.npy density.insitu --psnr 45
  insitu compress density.npy density.insitu --max-error rel:1e-3
  insitu compress density.npy density.insitu --ratio 200 --codec auto
  insitu compress density.npy density.insitu --psnr 45 --model hash_grid
  insitu compress huge.npy huge.insitu --blocks 8,8,8        (larger than memory)
  insitu compress run.h5:/fluid/density density.insitu
  insitu compress climate.nc:T T.insitu --step 3
  insitu compress climate.nc:T steps --step all         (steps/climate_T_0000.insitu, ...)
  insitu compress 'run_*.h5:fluid/density' densities    (one file for each)
  insitu compress raw.bin out.insitu --shape 256,256,256 --dtype f8
  mpiexec -n 4 insitu compress big.npy big.insitu    (same bytes, sooner)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input",
        metavar="IN",
        nargs="+",
        help=f"{sources.FORMATS}; FILE:NAME chooses an array; FILE may be a pattern: 'run_*.h5'",
    )
    parser.add_argument(
        "output",
        metavar="OUT",
        help="file to write, for example density.insitu; a folder for several arrays or steps",
    )
    goals = parser.add_argument_group("targets", "training of a block ends at the first reached")
    for name, option in targets.OPTIONS.items():
        goals.add_argument(f"--{name.replace('_', '-')}", metavar=option.metavar, help=option.help)
    inputs.add_arguments(parser, several=True)
    cuts = parser.add_mutually_exclusive_group()
    cuts.add_argument(
        "--block",
        type=int,
        default=DEFAULT_CELLS,
        metavar="N",
        help=f"maximum cells per axis of a block; default: {DEFAULT_CELLS}",
    )
    cuts.add_argument(
        "--blocks",
        type=_parts,
        metavar="I,J,K",
        help="number of blocks along x, y, z, each with a model of its own; auto (default): as few "
        "as --block allows. A rank holds one block at a time",
    )
    parser.add_argument(
        "--ghosts",
        type=int,
        choices=(0, 1),
        default=1,
        help="layers of its neighbours' samples that a block is read with, so that values agree on "
        "faces; default: 1",
    )
    parser.add_argument(
        "--plateau",
        type=_steps,
        default=0,
        metavar="STEPS",
        help="divide the learning rate by ten where the loss has not fallen over so many steps, "
        "and end a block's training at the third time; default: never",
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help=f"{', '.join(registry.BUILT_IN)}, or one of an installed package; auto: for each "
        f"block a {registry.DEFAULT}, or a {registry.NETWORK} where that takes fewer bytes; "
        f"default: {registry.DEFAULT}, {registry.NETWORK} with --iterations or --plateau",
    )
    parser.add_argument(
        "--codec",
        choices=codecs(),
        default=MODEL,
        help="inr: models; sz3, zfp, sperr: that compressor; auto: for each block "
        "whichever takes the fewest bytes; default: inr",
    )
    output.add_json_option(parser)


def run(arguments: argparse.Namespace) -> bool:
    """Returns whether the target was reached. Collective over MPI's world; where MPI cannot be
    loaded, one process does it."""
    from insitu.core import launcher
    from insitu.core.parallel import together

    comm = launcher.world_if_any()
    tasks: list[_Task] = []
    with nullcontext() if comm is None else together(comm, " ".join(arguments.input)):
        tasks = _tasks(arguments)
    reached = [_compress(comm, arguments, task) for task in tasks]
    return all(reached)


@dataclass(frozen=True)
class _Task:
    """An array to compress: its name on the command line, its step, and the file to write."""

    input: str
    step: int | None
    output: Path


def _tasks(arguments: argparse.Namespace) -> list[_Task]:
    """One for each input and step; several go into a folder. Raises ConfigError."""
    target = Path(arguments.output)
    names = inputs.expand(arguments.input)
    chosen = inputs.steps(arguments, names)
    if len(names) == 1 and names == arguments.input and arguments.step != inputs.ALL:
        _check_output(target, chosen[0][0])
        return [_Task(*chosen[0], target)]
    if target.exists() and not target.is_dir():
        raise ConfigError([f"{target}: is a file; name a folder for {len(chosen)} arrays"])
    found: dict[Path, _Task] = {}
    for name, step in chosen:
        path, dataset = sources.split_name(name)
        dataset = dataset or arguments.dataset
        parts = [path.stem, *([] if dataset is None else [dataset.strip("/").replace("/", "_")])]
        parts += [] if step is None else [f"{step:04d}"]
        file = target / f"{'_'.join(parts)}.insitu"
        if file in found:
            raise ConfigError(
                [f"{file}: would be written twice, from {found[file].input} and {name}"]
            )
        found[file] = _Task(name, step, file)
    target.mkdir(parents=True, exist_ok=True)
    for file, task in found.items():
        _check_output(file, task.input)
    return list(found.values())


def _compress(comm: MPI.Intracomm | None, arguments: argparse.Namespace, task: _Task) -> bool:
    """Returns whether the target was reached. Collective."""
    from insitu.core.parallel import together
    from insitu.io.compress import CompressionJob
    from insitu.io.compress_file import compress_file

    start = time.perf_counter()
    rank, size = (0, 1) if comm is None else (comm.rank, comm.size)
    with nullcontext() if comm is None else together(comm, task.input):
        target = targets.make_target(**{name: getattr(arguments, name) for name in targets.OPTIONS})
        volume = inputs.open_volume(arguments, task.input, step=task.step)
        job = CompressionJob.of(
            volume, target, arguments.block, arguments.codec, arguments.model, arguments.plateau
        )
        job = replace(job, ghosts=arguments.ghosts > 0)
        if arguments.blocks is not None:
            job = job.cut_into(arguments.blocks)
    with output.progress_bar("samples", rank == 0) as progress:
        compress_file(comm, job, task.output, progress)
    array = CompressedArray.open(task.output)
    problems = targets.missed(target, array)
    if rank == 0:
        figures = _figures(arguments, task, array, target, problems, volume.reversed)
        figures |= {"ranks": size, "seconds": time.perf_counter() - start}
        _report(arguments, task, array, figures, problems)
    return not problems


def _parts(text: str) -> tuple[int, int, int] | None:
    """ "4,4,2" or "4x4x2" -> numbers of blocks; None for "auto"."""
    if text == "auto":
        return None
    found = inputs.shape(text)
    if len(found) != 3:
        raise argparse.ArgumentTypeError(f"{text!r} is neither of the form I,J,K nor auto")
    return found[0], found[1], found[2]


def _steps(text: str) -> int:
    try:
        return int(Range(0, 10**6, "steps").check(text, int))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _check_output(path: Path, given: str) -> None:
    if path.is_dir():
        raise ConfigError([f"{path}: is a folder; name the file to write"])
    if not path.parent.is_dir():
        raise ConfigError([f"{path.parent}: no such folder"])
    if path.exists() and Path(given).exists() and path.samefile(given):
        raise ConfigError([f"{path}: is the input; name another file to write"])


def _figures(
    arguments: argparse.Namespace,
    task: _Task,
    array: CompressedArray,
    target: Target,
    problems: list[str],
    turned: tuple[str, ...],
) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "input": task.input,
        "output": str(task.output),
        "target": targets.asked(target),
        "reached": not problems,
        "shape": array.shape,
        "dtype": array.dtype.name,
        "psnr_db": array.psnr_db,
        "max_error": array.metrics.max_error,
        "raw_nbytes": array.raw_nbytes,
        "nbytes": array.nbytes,
        "ratio": array.ratio,
        "blocks": len(array.header.blocks),
        "nan_count": array.metrics.nan_count,
        "inf_count": array.metrics.inf_count,
        "reversed": turned,
    }


def _report(
    arguments: argparse.Namespace,
    task: _Task,
    array: CompressedArray,
    figures: dict[str, Any],
    problems: list[str],
) -> None:
    if arguments.json:
        output.print_json(figures)
        return
    work = f"{figures['seconds']:.1f} s, blocks: {figures['blocks']}, ranks: {figures['ranks']}"
    rows = {
        "array": f"{array.name}, {output.extent_text(array.shape, array.dtype)}",
        "quality": output.quality_text(array.psnr_db),
        "largest error": output.number_text(array.metrics.max_error),
        "size": output.size_text(array.nbytes, array.ratio),
        "work": work,
    }
    if array.metrics.nan_count:
        rows["NaN"] = f"{array.metrics.nan_count} samples, left out; they decode to NaN"
    if array.metrics.inf_count:
        rows["Inf"] = f"{array.metrics.inf_count} samples, left out"
    if figures["reversed"]:
        rows["turned round"] = f"{', '.join(figures['reversed'])}: decreasing in the file"
    if problems:
        rows["missed"] = ", ".join(problems)
    output.print_table(str(task.output), rows)
