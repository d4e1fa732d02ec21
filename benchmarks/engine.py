"""Throughput of the native engine against PyTorch on the CPU, interleaved in one run, one core.

In: four networks (a, b, c, d), a volume. Out: tables of million samples per second and ratios, for
training (random samples with trilinear targets, 15 % next to the faces) and for reading; the core's
peak FMA rate and what part of it the MLP and a whole training step reach; two threads against one.

    python benchmarks/engine.py [--networks a b c d] [--rounds 5] [--seconds 0.5] [--json FILE]

Needs the `torch` extra and a C++ compiler (`CXX`, else c++). Each figure is the median of the
rounds; ratios are of medians.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy and torch start their threads

import argparse
import json
import platform
import shlex
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch_network import TorchNetwork, TorchTraining, reader

from insitu.engines.cpu.engine import native_network
from insitu.engines.cpu.native import lib
from insitu.models.hash_grid.model import HashGrid

NETWORKS = {
    "a": (HashGrid(), 2**16),
    "b": (
        HashGrid(n_levels=8, n_features_per_level=2, per_level_scale=16 ** (1 / 7)),
        2**16,
    ),
    "c": (
        HashGrid(
            n_levels=16,
            n_features_per_level=2,
            log2_hashmap_size=16,
            per_level_scale=32 ** (1 / 15),
            n_neurons=64,
        ),
        2**14,
    ),
    "d": (
        HashGrid(
            n_levels=2,
            n_features_per_level=8,
            log2_hashmap_size=15,
            base_resolution=32,
            per_level_scale=1.0,
            n_neurons=32,
        ),
        2**14,
    ),
}
"""a: L4 F4 T2^14; b: L8 F2 T2^14, finest 128; c: L16 F2 T2^16, finest 256, MLP 64x2; d: 16 features
on one dense 32^3 grid, as two levels of 8, MLP 32x2. The second number is the batch."""

OPTIONS = {
    "learning_rate": 1e-3, "final_rate": 1.0, "decay": "exponential", "iterations": 2**40,
    "seconds": 1e30, "loss_threshold": 0.0, "error_threshold": 0.0, "average": 0.95,
    "approach": 0.0, "huber": 0.0,
    "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "l2": 1e-9, "seed": 0,
    "boundary_share": 0.15, "boundary_sigma": 0.005, "threads": 1,
}  # fmt: skip


def volume(n: int = 128) -> np.ndarray:
    """A front and waves, (n, n, n) float32: a stand-in that needs no file."""
    z, y, x = np.meshgrid(*[np.linspace(0, 1, n, dtype=np.float32)] * 3, indexing="ij")
    r = np.sqrt((x - 0.3) ** 2 + (y - 0.4) ** 2 + (z - 0.5) ** 2)
    return (np.tanh(40 * (0.35 - r)) + 0.2 * np.sin(12 * x) * np.cos(9 * y + 5 * z)).astype("f4")


def rate(run: Callable[[], int], seconds: float) -> float:
    """Million samples per second of `run`, which returns how many samples it took."""
    samples, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        samples += run()
    return samples / elapsed / 1e6


def training_runs(network: HashGrid, batch: int) -> dict[str, Callable[[], int]]:
    data, params = volume(), network.initial(0)
    sampler = lib.GridSampler((data,), ((0, 0),) * 3, data.shape, False)
    low, extent = float(data.min()), float(np.ptp(data))
    options = OPTIONS | {"batch": batch}
    trainer = lib.Trainer(native_network(network), params, sampler, [low], [extent], [1.0], options)
    runs = {"native": lambda: trainer.step() or batch}
    for name in ("eager", "compile"):
        step = TorchTraining(TorchNetwork(network, params), data, batch).stepper(name == "compile")
        runs[name] = lambda step=step: step() or batch
    return runs


def reading_runs(network: HashGrid, batch: int) -> dict[str, Callable[[], int]]:
    params = network.initial(0)
    points = np.random.default_rng(0).random((batch, 3), dtype=np.float32)
    line = (np.arange(128, dtype=np.float32) + 0.5) / 128
    native, tensor = native_network(network), torch.from_numpy(points)
    model = TorchNetwork(network, params)
    eager, compiled = reader(model, False), reader(model, True)
    return {
        "native": lambda: len(lib.evaluate(native, params, points)),
        "native grid": lambda: lib.evaluate_grid(native, params, line, line, line[:16]).size,
        "native gradient": lambda: len(lib.evaluate_gradient(native, params, points)),
        "eager": lambda: len(eager(tensor)),
        "compile": lambda: len(compiled(tensor)),
    }


def measure(
    runs: dict[str, Callable[[], int]], rounds: int, seconds: float
) -> dict[str, list[float]]:
    """All runs in turn, so that a slow moment of the machine falls on all of them."""
    for run in runs.values():
        run()
        run()
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            rates[name].append(rate(run, seconds))
    return rates


def flop_per_sample(network: HashGrid) -> int:
    """Floating point operations of the MLP per trained sample: forward, and twice that backward."""
    hidden = sum(rows * columns for rows, columns, _ in native_network(network).matrices[:-1])
    return 3 * 2 * (hidden + network.n_neurons)


def kernels(names: list[str], rounds: int) -> list[dict[str, Any]]:
    """GFLOP/s per round: "fma" and "bf16", the core's peaks; by network, MLP forward, backward."""
    here = Path(__file__).resolve().parent
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "kernels"
        subprocess.run(
            [
                *shlex.split(os.environ.get("CXX", "c++")), "-std=c++17", "-O3", "-march=native",
                *(["-mprefer-vector-width=512"] if lib.isa == "avx512" else []),
                "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi",
                f"-I{here.parent / 'insitu/engines/cpu/cpp'}", here / "kernels.cpp", "-o", program,
            ],
            check=True,
        )  # fmt: skip
        shapes = []
        for name in names:
            n = NETWORKS[name][0]
            scales = " ".join(repr(level.scale) for level in n.levels)
            shapes.append(
                f"{name} {n.n_features_per_level} {n.log2_hashmap_size} {n.n_neurons} "
                f"{n.n_hidden_layers} {n.n_levels} {scales}"
            )
        done = subprocess.run(
            [program, str(rounds)], input="\n".join(shapes), capture_output=True, text=True,
            check=True,
        )  # fmt: skip
    return list(json.loads(done.stdout))


def print_peaks(names: list[str], rounds: list[dict[str, Any]], trained: dict[str, float]) -> None:
    """trained: million samples per second of training, by network."""
    peak = statistics.median(r["fma"] for r in rounds)
    print(f"\npeak of the core: {peak:.0f} GFLOP/s of FMA, single precision", end="")
    if bf16 := statistics.median(r["bf16"] for r in rounds):
        print(f"; {bf16:.0f} GFLOP/s of bf16 dot products", end="")
    print("\npart of the FMA peak (median of rounds)")
    for name in names:
        forward, backward = (
            statistics.median(r[name][i] / r["fma"] for r in rounds) for i in (0, 1)
        )
        flop = flop_per_sample(NETWORKS[name][0])
        step = trained[name] * flop / 1e3 / peak
        print(
            f"  {name}: MLP forward {forward:.0%}, backward {backward:.0%}; "
            f"whole step {step:.0%} ({flop / 1e3:.1f} kFLOP of MLP per sample)"
        )


def thread_runs(network: HashGrid, batch: int) -> dict[str, Callable[[], int]]:
    """Training with one thread and with two; slices of 20 ms, as a session trains."""
    data, params = volume(), network.initial(0)
    sampler = lib.GridSampler((data,), ((0, 0),) * 3, data.shape, False)
    low, extent = float(data.min()), float(np.ptp(data))
    runs = {}
    for threads in (1, 2):
        options = OPTIONS | {"batch": batch, "threads": threads}
        trainer = lib.Trainer(
            native_network(network), params, sampler, [low], [extent], [1.0], options
        )

        def run(trainer: Any = trainer) -> int:
            before = trainer.iteration
            trainer.run(0.02)
            return int(trainer.iteration - before) * batch

        runs[str(threads)] = run
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each run in each round")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)

    print(f"{platform.processor() or platform.machine()}, one core; native build: {lib.isa}")
    figures: dict[str, Any] = {}
    trained: dict[str, float] = {}
    for what, make in (("training", training_runs), ("reading", reading_runs)):
        print(f"\n{what}, million samples per second (median of {arguments.rounds})")
        for name in arguments.networks:
            network, batch = NETWORKS[name]
            rates = measure(make(network, batch), arguments.rounds, arguments.seconds)
            medians = {run: statistics.median(values) for run, values in rates.items()}
            figures[f"{what} {name}"] = rates
            shown = "  ".join(f"{run} {value:.3g}" for run, value in medians.items())
            ratios = [f"{medians['native'] / medians[p]:.1f}x {p}" for p in ("eager", "compile")]
            print(f"  {name}, batch 2^{batch.bit_length() - 1}: {shown}  ->  {', '.join(ratios)}")
            if what == "training":
                trained[name] = medians["native"]
    rounds = kernels(arguments.networks, 25 * arguments.rounds)
    figures["kernels"] = rounds
    print_peaks(arguments.networks, rounds, trained)
    if len(os.sched_getaffinity(0)) > 1:
        print("\ntraining with two threads, batch 2^12 and that above, to one thread")
        for name in arguments.networks:
            network, batch = NETWORKS[name]
            for size in (4096, batch):
                rates = measure(thread_runs(network, size), arguments.rounds, arguments.seconds)
                figures[f"threads {name} {size}"] = rates
                one, two = (statistics.median(rates[n]) for n in ("1", "2"))
                print(f"  {name}, batch 2^{size.bit_length() - 1}: {two / one:.2f}x")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
