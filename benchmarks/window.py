"""Bytes per step in the window: whole frames against differences from the step before.

In: series of volumes (`.npz` with one array `values`, axes z, y, x), or the CloverLeaf example.
Out: a table; every step starts from the one before, and every frame is opened again and compared.

    python benchmarks/window.py [--psnr 40] [--key-every 8] [--every 5] [--cycles 100] [files ...]

Files whose names end in numbers (name_00100.npz, name_00125.npz, ...) are steps of one series; each
is one block. Without files, one block too, of the example; under mpiexec, a block per rank.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import numpy as np
from model_compression import EXAMPLE, read
from mpi4py import MPI

from insitu.fields.distributed_field import DistributedField
from insitu.mesh import partitions
from insitu.mesh.partition import Partition
from insitu.models.hash_grid.model import HashGrid
from insitu.store.window import Window
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.options import Target, TrainingOptions

COMM = MPI.COMM_WORLD
FIELDS = {"density": 40.0, "energy": 40.0, "velocity": 38.0}
Step = tuple[int, dict[str, list[Partition]]]
"""Cycle, and this rank's blocks of every field."""


def example(cycles: int, every: int) -> Iterator[Step]:
    sys.path.insert(0, str(EXAMPLE))
    from cloverleaf import CloverLeaf

    simulation = CloverLeaf(EXAMPLE / "clover.in", COMM, cells=(96,) * 3)
    while simulation.cycle < cycles:
        simulation.step()
        if simulation.cycle % every == 0:
            mesh = simulation.mesh()
            yield (
                simulation.cycle,
                {name: partitions(mesh, name, ghosts="ignore") for name in FIELDS},
            )


def series(files: list[Path]) -> Iterator[tuple[str, list[Step]]]:
    for name, steps in itertools.groupby(read(files), key=lambda volume: volume[0]):
        yield name, [(step, {name: [_block(name, values)]}) for _, step, values in steps]


def _block(name: str, values: np.ndarray) -> Partition:
    nodes = tuple(np.linspace(0, 1, n + 1) for n in reversed(values.shape))
    return Partition(name, "element", (values,), ((0, 0),) * 3, nodes, 0)


class Sizes:
    """What a field's steps take; both counts are of all ranks."""

    def __init__(self) -> None:
        self.plain, self.kept = list[int](), list[int]()

    def add(self, plain: int, kept: int) -> None:
        self.plain.append(COMM.allreduce(plain))
        self.kept.append(COMM.allreduce(kept))


def measure(steps: Iterator[Step], targets: dict[str, float | None], key_every: int) -> None:
    """Train, keep, open again; one row per field."""
    recipes = {
        name: FieldSpec(HashGrid(), TrainingOptions(), Target(psnr=psnr), automatic=True)
        for name, psnr in targets.items()
    }
    window, sizes = Window(10**6, key_every=key_every), {name: Sizes() for name in targets}
    fields: dict[str, DistributedField] = {}
    keeping, given = 0.0, []
    for cycle, blocks in steps:
        fields = train_fields(COMM, blocks, recipes, fields, cycle=cycle, time=float(cycle))
        for name, field in fields.items():
            before, start = window.nbytes, process_time()
            window.append(field)
            keeping += process_time() - start
            frames = tuple(block.to_bytes() for block in field.fields)
            sizes[name].add(sum(map(len, frames)), window.nbytes - before)
            given.append((field.summary, frames))
    window._cache.clear()
    entries = {id(e.summary): e for name in window.names for e in window.entries(name)}
    start = process_time()
    for summary, frames in reversed(given):  # the other way round: the cache is no help
        assert entries[id(summary)].frames == frames
    opening = process_time() - start
    for name, size in sizes.items():
        plain, kept = np.array(size.plain), np.array(size.kept)
        n = len(given)
        cells = [name, str(len(plain)), f"{plain.mean():.0f}", f"{kept.mean():.0f}"]
        cells += [f"{plain.sum() / kept.sum():.2f}", _pairs(plain, kept)]
        cells += [f"{1e3 * keeping / n:.1f} / {1e3 * opening / n:.1f}"]
        if COMM.rank == 0:
            print(f"| {' | '.join(cells)} |", flush=True)


def _pairs(plain: np.ndarray, kept: np.ndarray) -> str:
    """Times fewer bytes of those steps that are differences."""
    less = kept < plain
    return f"{plain[less].sum() / kept[less].sum():.2f}, {less.sum()}" if less.any() else "none"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--psnr", type=float, help="target for files; default: to the last step")
    parser.add_argument("--key-every", type=int, default=8, help="steps of which one is whole")
    parser.add_argument("--every", type=int, default=5, help="of the example's cycles")
    parser.add_argument("--cycles", type=int, default=100, help="of the example")
    arguments = parser.parse_args()
    if COMM.rank == 0:
        print("| field | steps | whole, B per step | kept, B per step | ratio ", end="")
        print("| of the differences alone: ratio, steps | ms to keep / to open |")
        print("|---|---|---|---|---|---|---|")
    for name, steps in series(arguments.files):
        measure(iter(steps), {name: arguments.psnr}, arguments.key_every)
    if not arguments.files:
        measure(example(arguments.cycles, arguments.every), dict(FIELDS), arguments.key_every)


if __name__ == "__main__":
    main()
