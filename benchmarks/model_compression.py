"""Bytes and quality of trained networks under every codec for their weights.

In: volumes (`.npz` with one array `values`, axes z, y, x), by default steps of the CloverLeaf
example. Out: per volume the bytes in half precision, and per codec how many times fewer, what that
costs in dB and seconds; then the same for the difference from a warm-started step before.

    python benchmarks/model_compression.py [--loss 0.3] [folder or .npz files ...]

Files whose names end in numbers (name_00100.npz, name_00125.npz, ...) are steps of one series.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time
from typing import TypeVar

import numpy as np
from mpi4py import MPI

from insitu.codecs.options import Compression
from insitu.codecs.weight_codecs import names
from insitu.codecs.weights import Weights
from insitu.engines import engine
from insitu.fields.model_field import ModelField
from insitu.mesh.partition import Partition
from insitu.models.hash_grid.model import HashGrid
from insitu.training.compression import compress_params
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import grid_sampler
from insitu.training.train import train

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "cloverleaf"
# Steps of the example, when no files are given.
CYCLES = (60, 65, 70, 95)
REPEATS = 5
LOSSY = [codec for codec in names() if codec != "half"]

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

    def __init__(self, volume: Volume, target: float | None) -> None:
        self.series, self.step, values = volume
        self.block = Partition(
            field=self.series,
            association="element",
            components=(values,),
            ghost_layers=((0, 0),) * 3,
            nodes=tuple(np.linspace(0, 1, n + 1) for n in reversed(values.shape)),
            domain_id=0,
        )
        self.sampler = grid_sampler(self.block)
        self.field = self._train(target)
        self.network = self.field.model
        self.warm = self.field.metrics.warm
        self.db = -10 * np.log10(self.mean_square(self.field.params))

    def _train(self, target: float | None) -> ModelField:
        network = HashGrid().for_domain(self.block.n_voxels)
        return train(
            TrainingJob.of(
                self.block,
                network,
                options=TrainingOptions(),
                target=Target(psnr=target),
                compression=Compression(compression="half"),
            )
        )

    def mean_square(self, params: np.ndarray) -> float:
        """Mean squared error in units of the volume's range."""
        low, high = self.field.range[0]
        (error,) = engine().measure(
            self.field.model, params, self.sampler, np.array([low]), np.array([high - low]),
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

    weights, encoding = median(lambda: compress_params(network, params, options, measure))
    encoding -= calls / REPEATS * measuring
    payload, codec = weights.payload, weights.codec
    _, decoding = median(lambda: Weights.from_payload(payload, codec, network))
    fallback = "" if codec == options.compression else f" ({codec})"
    return [
        f"{2 * len(params) / len(payload):.2f}{fallback}",
        f"{-trained.lost_db(weights):.2f}",
        f"{1e3 * encoding:.0f} / {1e3 * decoding:.0f}",
    ]


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
        print(codecs(Trained(volume, arguments.psnr), arguments.loss), flush=True)


if __name__ == "__main__":
    main()
