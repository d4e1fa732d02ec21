"""Bytes and quality of trained networks under every codec for their weights.

In: volumes (`.npz` with one array `values`, axes z, y, x), by default steps of the CloverLeaf
example. Out: per volume the bytes in half precision, and per codec how many times fewer, what that
costs in dB and seconds; then the same for the difference from a warm-started step before.

    python benchmarks/model_compression.py [--loss 0.3] [folder or .npz files ...]

Files whose names end in numbers (name_00100.npz, name_00125.npz, ...) are steps of one series.
"""

from __future__ import annotations

import argparse
import itertools
import re
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import TypeVar

import numpy as np
from mpi4py import MPI

from insitu.codec.compress import compress
from insitu.codec.options import Compression
from insitu.codec.weights import CODECS, Weights
from insitu.engines import engine
from insitu.fields.neural_field import NeuralField
from insitu.mesh.partition import Partition
from insitu.models.hash_grid.model import HashGrid
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import grid_sampler, local_ranges
from insitu.training.train import train

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "cloverleaf"
# Steps of the example, when no files are given.
CYCLES = (60, 65, 70, 95)
REPEATS = 5
LOSSY = [codec for codec in CODECS if codec != "half"]

T = TypeVar("T")
Volume = tuple[str, int, np.ndarray]
"""Series, step, values (nz, ny, nx)."""


def read(paths: list[Path]) -> Iterator[Volume]:
    files = [f for path in paths for f in (sorted(path.glob("*.npz")) if path.is_dir() else [path])]
    for file in files:
        name, step = re.fullmatch(r"(.*?)_?(\d*)", file.stem).groups()
        yield name, int(step or 0), np.load(file)["values"]


def example() -> Iterator[Volume]:
    sys.path.insert(0, str(EXAMPLE))
    from cloverleaf import CloverLeaf

    from insitu.mesh import partitions

    simulation = CloverLeaf(EXAMPLE / "clover.in", MPI.COMM_SELF, cells=(96,) * 3)
    while simulation.cycle < CYCLES[-1]:
        simulation.step()
        if simulation.cycle in CYCLES:
            for name in ("density", "energy"):
                (block,) = partitions(simulation.mesh(), name, ghosts="ignore")
                yield name, simulation.cycle, block.owned[0].copy()


class Trained:
    """One volume, and a network that was trained on it; the weights are in full precision."""

    def __init__(self, volume: Volume, target: float | None, previous: NeuralField | None) -> None:
        self.series, self.step, values = volume
        self.block = Partition(
            field=self.series,
            association="element",
            components=(values,),
            ghost_layers=((0, 0),) * 3,
            nodes=tuple(np.linspace(0, 1, n + 1) for n in reversed(values.shape)),
            domain_id=0,
        )
        self.whole = local_ranges({self.series: [self.block]})[self.series]
        self.sampler = grid_sampler(self.block)
        self.field = self._train(target, previous)
        self.network = self.field.network
        self.warm = self.field.metrics.warm
        self.db = -10 * np.log10(self.mean_square(self.field.params))

    def _train(self, target: float | None, previous: NeuralField | None) -> NeuralField:
        network = HashGrid().with_table_for(self.whole.n_voxels)
        return train(
            self.block, network, TrainingOptions(), Target(psnr=target), self.whole, previous,
            Compression(compression="half"),
        )  # fmt: skip

    def mean_square(self, params: np.ndarray) -> float:
        """Mean squared error in units of the volume's range."""
        low, high = self.field.range[0]
        (error,) = engine().measure(
            self.field.network, params, self.sampler, np.array([low]), np.array([high - low]),
            0, self.sampler.samples,
        )  # fmt: skip
        return error.sum_of_squares / error.finite / (high - low) ** 2

    def lost_db(self, weights: Weights) -> float:
        return -10 * np.log10(self.mean_square(weights.params)) - self.db


def median(action: Callable[[], T]) -> tuple[T, float]:
    """What it returns, and the CPU seconds of the median run."""
    seconds = []
    for _ in range(REPEATS):
        start = process_time()
        result = action()
        seconds.append(process_time() - start)
    return result, statistics.median(seconds)


def codecs(trained: Trained, loss: float) -> str:
    params = trained.field.params
    plain = len(Weights.half(params).payload)
    cells = [f"{trained.series} {trained.step}", f"{trained.db:.1f}", str(len(params)), str(plain)]
    _, measuring = median(lambda: trained.mean_square(params))
    for codec in LOSSY:
        cells += one(trained, Compression(compression=codec, compression_loss=loss), measuring)
    return f"| {' | '.join(cells)} |"


def one(trained: Trained, options: Compression, measuring: float) -> list[str]:
    """Ratio, dB lost, milliseconds; those of measuring the block are not the codec's."""
    params, network, calls = trained.field.params, trained.network, 0

    def measure(trial: np.ndarray) -> float:
        nonlocal calls
        calls += 1
        return trained.mean_square(trial)

    weights, encoding = median(lambda: compress(network, params, options, measure))
    encoding -= calls / REPEATS * measuring
    payload, codec = weights.payload, weights.codec
    _, decoding = median(lambda: Weights.from_payload(payload, codec, network))
    fallback = "" if codec == options.compression else f" ({codec})"
    return [
        f"{2 * len(params) / len(payload):.2f}{fallback}",
        f"{-trained.lost_db(weights):.2f}",
        f"{1e3 * encoding:.0f} / {1e3 * decoding:.0f}",
    ]


def differences(volumes: list[Volume], target: float | None, loss: float) -> Iterator[str]:
    """Each step trained from the decoded weights of the one before, and coded with and without."""
    for _, steps in itertools.groupby(volumes, key=lambda volume: volume[0]):
        previous: NeuralField | None = None
        for volume in steps:
            trained = Trained(volume, target, previous)
            options = Compression(compression_loss=loss)
            given = (trained.network, trained.field.params, options, trained.mean_square)
            alone = compress(*given)
            if previous is not None and previous.network == trained.network:
                beside = compress(*given, reference=previous.params)
                yield (
                    f"| {trained.series} {previous.cycle} → {trained.step} | {trained.db:.1f} | "
                    f"{'warm' if trained.warm else 'fresh'}, {trained.field.metrics.iterations} | "
                    f"{len(alone.payload)} | {len(beside.payload)} | "
                    f"{len(alone.payload) / len(beside.payload):.2f} | "
                    f"{-trained.lost_db(alone):.2f} / {-trained.lost_db(beside):.2f} |"
                )
            previous = replace(trained.field, weights=alone, cycle=trained.step)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--loss", type=float, default=0.3, help="dB that a codec may cost")
    parser.add_argument("--psnr", type=float, help="train to so many dB; default: to the end")
    arguments = parser.parse_args()
    volumes = list(read(arguments.paths) if arguments.paths else example())
    volumes.sort(key=lambda volume: volume[:2])
    print("| volume | dB | weights | fp16 + ZSTD, B | ", end="")
    print(" | ".join(f"{c}: times under fp16 | dB lost | ms in / out" for c in LOSSY), "|")
    print("|" + "---|" * (4 + 3 * len(LOSSY)))
    for volume in volumes:
        print(codecs(Trained(volume, arguments.psnr, None), arguments.loss), flush=True)
    print("\n| steps | dB | start, training steps | alone, B | difference, B | ratio | dB lost |")
    print("|" + "---|" * 7)
    for row in differences(volumes, arguments.psnr, arguments.loss):
        print(row, flush=True)


if __name__ == "__main__":
    main()
