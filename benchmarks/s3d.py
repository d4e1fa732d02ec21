"""The flame of the S3D example over time: quality, ratio, and seconds with and without warm starts.

In: the example, on as many ranks as mpiexec gives. Out: three tables: four fields over time, cold
and warm; ten species as one network and as ten; the last step by other codecs.

    mpiexec -n 2 python benchmarks/s3d.py [--points 48] [--first 150] [--last 250] [--every 10]

Seconds are CPU time of the slowest rank, without those inside MPI.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from counting import CountingComm
from mpi4py import MPI

from insitu.fields.distributed_field import DistributedField, Summary
from insitu.mesh import Partition, partitions
from insitu.models.hash_grid.model import HashGrid
from insitu.training.adaptive_size import AdaptiveState
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.options import Target, TrainingOptions

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples" / "s3d"))

from s3d import FlameKernel
from s3d.mechanism import NAMES

COMM = MPI.COMM_WORLD
FIELDS = ("temperature", "velocity", "heat_release", "Y_OH")
SPECIES = tuple(f"Y_{name}" for name in NAMES)
Blocks = dict[str, list[Partition]]


@dataclass
class Series:
    """One way of keeping some fields over time, and what it took."""

    names: tuple[str, ...]
    codec: str = "inr"
    warm: bool = True
    known: dict[str, DistributedField] = field(default_factory=dict)
    memories: dict[tuple[str, int], AdaptiveState] = field(default_factory=dict)
    summaries: list[dict[str, Summary]] = field(default_factory=list)
    seconds: list[dict[str, float]] = field(default_factory=list)

    def add(self, blocks: Blocks, psnr: float, cycle: int) -> None:
        """Compress one step; every field alone, so that its seconds are its own. Collective."""
        recipe = FieldSpec(
            HashGrid(), TrainingOptions(), Target(psnr=psnr), automatic=True, codec=self.codec
        )
        taken, summaries = {}, {}
        for name in self.names:
            if not self.warm:
                self.known, self.memories = {}, {}
            counting = CountingComm(COMM)
            start = time.process_time()
            trained = train_fields(
                counting,
                {name: blocks[name]},
                {name: recipe},
                self.known,
                memories=self.memories,
                cycle=cycle,
                time=float(cycle),
            )
            mine = time.process_time() - start - counting.seconds
            taken[name] = COMM.allreduce(mine, op=MPI.MAX)
            summaries[name] = trained[name].summary
            self.known[name] = trained[name]
        self.seconds.append(taken)
        self.summaries.append(summaries)

    def psnr(self, name: str) -> np.ndarray:
        return np.array([step[name].psnr_db for step in self.summaries])

    def nbytes(self, *names: str) -> int:
        """Of all steps."""
        return sum(step[name].nbytes for step in self.summaries for name in names)

    def raw(self, *names: str) -> int:
        return sum(step[name].metrics.raw_nbytes for step in self.summaries for name in names)

    def cpu(self, *names: str) -> np.ndarray:
        """Seconds of every step."""
        return np.array([sum(step[name] for name in names) for step in self.seconds])


def run(arguments: argparse.Namespace) -> None:
    cold, warm = Series(FIELDS, warm=False), Series(FIELDS)
    together, apart = Series(("species",)), Series(SPECIES)
    simulation = FlameKernel(COMM, points=(arguments.points,) * 3)
    stepping, blocks = 0.0, Blocks()
    while simulation.cycle < arguments.last:
        start = time.process_time()
        simulation.step()
        stepping += time.process_time() - start
        since = simulation.cycle - arguments.first
        if since < 0 or since % arguments.every:
            continue
        tree = simulation.mesh()
        blocks = {name: partitions(tree, name) for name in {*FIELDS, *SPECIES}}
        blocks["species"] = partitions(tree, SPECIES, name="species")
        for series in (cold, warm, together, apart):
            series.add(blocks, arguments.psnr, simulation.cycle)
    heat = simulation.summary()["heat_release"]
    say(
        f"{simulation.cycle} steps to {simulation.time:.3g} s, {heat:.3g} W; "
        f"{stepping / simulation.cycle:.3f} CPU seconds a step and rank\n"
    )
    over_time(cold, warm)
    ten_species(together, apart)
    codecs(blocks, arguments.psnr, simulation.cycle)


def over_time(cold: Series, warm: Series) -> None:
    say("| field | steps | PSNR min | mean | ratio | s cold | s warm | cold / warm |")
    say("|---|---|---|---|---|---|---|---|")
    for name in FIELDS:
        psnr, ratio = warm.psnr(name), warm.raw(name) / warm.nbytes(name)
        # The first step has nothing to start from.
        before, after = cold.cpu(name)[1:].mean(), warm.cpu(name)[1:].mean()
        say(
            f"| {name} | {len(psnr)} | {psnr.min():.1f} dB | {psnr.mean():.1f} dB | {ratio:.0f} "
            f"| {before:.3f} | {after:.3f} | {before / after:.1f} |"
        )
    say("")


def ten_species(together: Series, apart: Series) -> None:
    say("| ten species | PSNR min | mean | ratio | bytes a step | s warm |")
    say("|---|---|---|---|---|---|")
    for label, series in (("one network", together), ("ten networks", apart)):
        names = series.names
        psnr = np.array([series.psnr(name) for name in names])
        kept, steps = series.nbytes(*names), len(series.summaries)
        say(
            f"| {label} | {psnr.min():.1f} dB | {psnr.mean():.1f} dB "
            f"| {series.raw(*names) / kept:.0f} | {kept / steps:.0f} "
            f"| {series.cpu(*names)[1:].mean():.3f} |"
        )
    say("")


def codecs(blocks: Blocks, psnr: float, cycle: int) -> None:
    say(f"| cycle {cycle}, {psnr:g} dB | inr: ratio | s | sz3: ratio | s | zfp: ratio | s |")
    say("|---|---|---|---|---|---|---|")
    names = (*FIELDS, "species")
    found = {codec: Series(names, codec, warm=False) for codec in ("inr", "sz3", "zfp")}
    for series in found.values():
        series.add(blocks, psnr, cycle)
    for name in names:
        cells = [
            f"{series.raw(name) / series.nbytes(name):.0f} | {series.cpu(name)[0]:.3f}"
            for series in found.values()
        ]
        say(f"| {name} | {' | '.join(cells)} |")


def say(text: str) -> None:
    if COMM.rank == 0:
        print(text, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=48, help="along each axis")
    parser.add_argument("--first", type=int, default=150, help="cycle of the first step kept")
    parser.add_argument("--last", type=int, default=250, help="cycle of the last")
    parser.add_argument("--every", type=int, default=10, help="cycles")
    parser.add_argument("--psnr", type=float, default=40.0, help="target, dB")
    run(parser.parse_args())


if __name__ == "__main__":
    main()
