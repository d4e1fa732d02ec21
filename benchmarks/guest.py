"""How well-behaved a guest training is: Ctrl-C, the time budget, denormal numbers, memory.

In: a block of an analytic field, 256^3 float32 by default; one core. Out: four tables.

    python benchmarks/guest.py [--cells 256] [--rounds 7] [--json FILE]
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy starts its threads

import argparse
import json
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from insitu.engines import engine
from insitu.engines.base import Trainer
from insitu.engines.options import TrainerOptions
from insitu.fields.model_field import ModelField
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.models.hash_grid.model import HashGrid
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import block_range, grid_sampler
from insitu.training.train import train

ENDLESS = 10**7  # steps
MIB = 2**20


def block(n: int, scale: float = 1.0) -> Partition:
    """A front and waves on the unit cube, n^3 float32, made without a second array of its size."""
    values = np.empty((n, n, n), np.float32)
    u = ((np.arange(n) + 0.5) / n).astype(np.float32)
    y, x = np.meshgrid(u, u, indexing="ij")
    for plane, z in zip(values, u, strict=True):
        r = np.sqrt((x - 0.3) ** 2 + (y - 0.4) ** 2 + (z - 0.5) ** 2)
        plane[:] = np.tanh(40 * (0.35 - r)) + 0.2 * np.sin(12 * x) * np.cos(9 * y + 5 * z)
        plane *= np.float32(scale)
    lines = np.linspace(0, 1, n + 1)
    return Partition("f", "element", (values,), NO_LAYERS, (lines, lines, lines), 0)


def fit(partition: Partition, network: HashGrid | None = None, **target: float) -> ModelField:
    network = network or HashGrid().for_domain(partition.n_voxels)
    return train(
        TrainingJob.of(partition, network, options=TrainingOptions(), target=Target(**target))
    )


# ---- Ctrl-C


def latency(partition: Partition, after: float) -> float:
    """Milliseconds from SIGINT, sent so many seconds into training, to KeyboardInterrupt."""
    sent = []

    def send() -> None:
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    # A job in a shell's background begins with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(after, send).start()
    try:
        fit(partition, iterations=ENDLESS)
    except KeyboardInterrupt:
        return 1e3 * (time.perf_counter() - sent[0])
    raise AssertionError("training ended before it was interrupted")


def interrupts(n: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds: the reaction to Ctrl-C, and each call that cannot be interrupted."""
    partition = block(n)
    network = HashGrid().for_domain(n**3)
    params, line = network.initial(0), partition.nodes[0][:-1].astype(np.float32)
    sampler = grid_sampler(partition)
    calls: dict[str, Callable[[], object]] = {
        "range of the block": lambda: block_range(sampler),
        "measure, a slice": lambda: engine().measure(
            network, params, sampler, np.zeros(1), np.ones(1), 0, min(2**20, sampler.samples)
        ),
        "decode, a slab": lambda: engine().evaluate_grid(
            network, params, line, line, line[: 2**20 // n**2]
        ),
    }
    figures = {
        "Ctrl-C while training": [latency(partition, 0.5 + 0.037 * i) for i in range(rounds)]
    }
    for name, call in calls.items():
        figures[name] = []
        for _ in range(rounds):
            start = time.perf_counter()
            call()
            figures[name].append(1e3 * (time.perf_counter() - start))
    return figures


# ---- the time budget


def budgets(n: int) -> dict[float, float]:
    """Seconds a block takes whose target is out of reach, by the seconds that it was given."""
    partition = block(n)
    return {s: fit(partition, psnr=120.0, seconds=s).metrics.seconds for s in (0.25, 0.5, 1.0, 2.0)}


# ---- denormal numbers

OPTIONS = TrainerOptions(
    batch=4096, learning_rate=0.02, final_rate=1.0, decay="exponential", iterations=2**40,
    seconds=1e30, average=0.95, beta2=0.999, l2=1e-9, boundary_share=0.15,
)  # fmt: skip


DENORMAL_NETWORK = HashGrid()


def trainer(params: np.ndarray, scale: float = 1.0, **options: float) -> Trainer:
    sampler = grid_sampler(block(64, scale))
    low, high = block_range(sampler).range[0]
    return engine().trainer(
        DENORMAL_NETWORK,
        params,
        sampler,
        np.array([low]),
        np.array([high - low]),
        np.ones(1),
        replace(OPTIONS, **options),
    )


def denormals(rounds: int) -> dict[str, list[float]]:
    """CPU microseconds per step, all cases in turn, so that a slow moment falls on all of them.

    A learning rate of 0 keeps the weights where they are: an optimiser would lift them at once.
    """
    network, start = DENORMAL_NETWORK, DENORMAL_NETWORK.initial(0)
    table = start.copy()
    table[network.n_mlp_params :] *= np.float32(1e-36)
    everything = start * np.float32(1e-38)
    # A step so large that no ReLU survives: gradients are 0, and the moments decay for good.
    died = trainer(start, learning_rate=100.0)
    while not (lost := not _gradient(died)[network.n_mlp_params :].any()) and died.iteration < 100:
        died.step()
    assert lost, "the network was to die"
    while died.iteration < 1500:  # 0.9^1000 of anything is below 1e-38
        died.step()
    cases = {
        "normal": trainer(start, learning_rate=0.0),
        "samples of 1e-38": trainer(start, 1e-38, learning_rate=0.0),
        "samples of 1e-42": trainer(start, 1e-42, learning_rate=0.0),
        "tables of 1e-40": trainer(table, learning_rate=0.0),
        "all weights of 1e-38 to 1e-42": trainer(everything, learning_rate=0.0),
        "moments of a dead network": died,
    }
    figures: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            begin = time.process_time()
            for _ in range(100):
                case.step()
            figures[name].append(1e4 * (time.process_time() - begin))
    return figures


def _gradient(case: Trainer) -> np.ndarray:
    """The gradient of this iteration's batch. It stays, and joins that of the next step."""
    case.compute_gradient()
    return case.gradient


# ---- memory


def status(key: str) -> float:
    """A line of /proc/self/status in MiB: VmRSS is what is resident, VmHWM the peak of that."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def memory_of(n: int, log2_hashmap_size: int, base_resolution: int) -> dict[str, float]:
    """MiB by which training raised the peak of this process; run in a process of its own."""
    partition = block(n)
    fit(block(8), HashGrid(n_levels=1, log2_hashmap_size=5), iterations=20)  # loads what it needs
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
    before = status("VmRSS")
    network = HashGrid(log2_hashmap_size=log2_hashmap_size, base_resolution=base_resolution)
    field = fit(partition, network, iterations=50)
    return {
        "block": partition.components[0].nbytes / MIB,
        "weights": field.params.nbytes / MIB,
        "peak": status("VmHWM") - before,
    }


def memory(n: int) -> dict[str, dict[str, float]]:
    """The figures of `memory_of`, for the default network and for larger ones."""
    default = HashGrid().for_domain(n**3)
    figures = {}
    for table, base in ((default.log2_hashmap_size, default.base_resolution), (16, 32), (20, 32)):
        child = [sys.executable, __file__, "--cells", str(n), "--memory-of", str(table), str(base)]
        output = subprocess.run(child, capture_output=True, text=True, check=True).stdout
        figures[f"2^{table}, base {base}"] = json.loads(output)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=256, help="of the block along each axis")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--memory-of", type=int, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    n, rounds = arguments.cells, arguments.rounds
    if arguments.memory_of:
        print(json.dumps(memory_of(n, *arguments.memory_of)))
        return

    figures: dict[str, dict] = {}
    print(f"{n}^3 float32, one core; {engine().device}")
    figures["interrupts"] = interrupts(n, rounds)
    print(f"\n| milliseconds, of {rounds} | median | most |\n|---|---|---|")
    for name, times in figures["interrupts"].items():
        print(f"| {name} | {statistics.median(times):.0f} | {max(times):.0f} |")
    figures["budgets"] = budgets(n)
    print("\n| seconds given | seconds taken |\n|---|---|")
    for given, taken in figures["budgets"].items():
        print(f"| {given:g} | {taken:.2f} |")
    figures["denormals"] = denormals(rounds)
    normal = statistics.median(figures["denormals"]["normal"])
    print("\n| 64^3, one step | CPU microseconds | to normal |\n|---|---|---|")
    for name, times in figures["denormals"].items():
        median = statistics.median(times)
        print(f"| {name} | {median:.0f} | {median / normal:.2f} |")
    figures["memory"] = memory(n)
    print(
        "\n| table | block, MiB | weights, MiB | peak, MiB | beyond the weights | to the weights |"
    )
    print("|---|---|---|---|---|---|")
    for size, m in figures["memory"].items():
        beyond = m["peak"] - m["weights"]
        print(
            f"| {size} | {m['block']:.0f} | {m['weights']:.2f} | {m['peak']:.2f} "
            f"| {beyond:.2f} | {beyond / m['weights']:.1f} |"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
