"""Checks and measures the engines on this machine's GPU, in a few minutes and without a network.

In: a GPU with its driver; the packages of the extras `cuda` and, if it is to be compared, `torch`.
Out: the result of the engines' suite; tables (Markdown), figures (JSON).

    python benchmarks/check_gpu.py [--json FILE] [--volume FILE.npz] [--skip-suite]

The volume is CloverLeaf's density with 128^3 cells after 20 cycles, an array `values` in FILE; it
is computed if no file is given, which takes longer than everything else. Seconds are of the host's
clock, from before a launch until its result is on the host. `one core` is the engine `cpu` in the
same process, with one thread.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before anything starts threads

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from volumes import cloverleaf

from insitu.codecs.options import Compression
from insitu.engines import Engine, engine
from insitu.engines.options import TrainerOptions
from insitu.engines.registry import load
from insitu.models.hash_grid.model import HashGrid
from insitu.training.compression import compress_params
from insitu.training.trial import ADAM, APPROACH_DB, AVERAGE

HERE = Path(__file__).parent
CYCLE = 20
NO_LAYERS = ((0, 0),) * 3
A = HashGrid(log2_hashmap_size=12)
"""Network a: 4 levels of 4 features, an MLP of 2 x 16."""
SHAPES = {
    "a": A,
    "b": HashGrid(n_levels=8, n_features_per_level=2, per_level_scale=1.4859942891),
    "c": HashGrid(
        n_levels=16, n_features_per_level=2, log2_hashmap_size=16, base_resolution=16,
        per_level_scale=1.2030250360, n_neurons=64,
    ),
}  # fmt: skip
TARGET = 40.0
OPTIONS = TrainerOptions(
    batch=4096, learning_rate=0.02, final_rate=1 / 30, decay="cosine", iterations=400,
    seconds=1e9, average=AVERAGE, huber=0.02, boundary_share=0.15, boundary_sigma=0.005, **ADAM,
)  # fmt: skip
SCHEDULES = (200, 250, 300, 350, 400, 500, 650, 800, 1000, 1300)


@dataclass(frozen=True)
class Block:
    """A volume in an engine's hands."""

    values: np.ndarray
    sampler: Any
    low: np.ndarray
    extent: np.ndarray

    @staticmethod
    def of(on: Engine, values: np.ndarray) -> Block:
        low, high = float(values.min()), float(values.max())
        sampler = on.sampler((values,), NO_LAYERS, values.shape, False)
        return Block(values, sampler, np.array([low]), np.array([high - low]))

    def trainer(self, on: Engine, model: HashGrid, options: TrainerOptions) -> Any:
        return on.trainer(
            model, model.initial(0), self.sampler, self.low, self.extent, self.extent, options
        )

    def psnr(self, on: Engine, model: HashGrid, params: np.ndarray) -> float:
        (found,) = on.measure(
            model, params, self.sampler, self.low, self.extent, 0, self.sampler.samples
        )
        mean = found.sum_of_squares / found.finite
        return 20 * np.log10(float(self.extent[0]) / np.sqrt(mean))


def waves(shape: tuple[int, int, int]) -> np.ndarray:
    """A front and waves, (nz, ny, nx) float32: a stand-in that needs no file."""
    z, y, x = np.meshgrid(*[np.linspace(0, 1, n, dtype=np.float32) for n in shape], indexing="ij")
    r = np.sqrt((x - 0.3) ** 2 + (y - 0.4) ** 2 + (z - 0.5) ** 2)
    return (np.tanh(40 * (0.35 - r)) + 0.2 * np.sin(12 * x) * np.cos(9 * y + 5 * z)).astype("f4")


def best(run: Callable[[], float], rounds: int = 5) -> float:
    """Median seconds, after a first call that is not counted."""
    run()
    return median(run() for _ in range(rounds))


def step(on: Engine, block: Block, model: HashGrid, batch: int, steps: int) -> float:
    """Seconds per training step."""
    options = replace(OPTIONS, batch=batch, iterations=steps)

    def run() -> float:
        trainer = block.trainer(on, model, options)
        start = perf_counter()
        trainer.run(1e9)
        return (perf_counter() - start) / steps

    return best(run, 3)


def to_target(on: Engine, block: Block, model: HashGrid, batch: int, rate: float) -> dict[str, Any]:
    """The shortest schedule whose end reaches the target: steps, seconds, dB."""
    for steps in SCHEDULES:
        options = replace(OPTIONS, batch=batch, learning_rate=rate, iterations=steps)
        trainer = block.trainer(on, model, options)
        start = perf_counter()
        trainer.run(1e9)
        seconds = perf_counter() - start
        psnr = block.psnr(on, model, trainer.params)
        if psnr >= TARGET:
            break
    return {"batch": batch, "rate": rate, "steps": steps, "seconds": seconds, "psnr": psnr}


def by_default(on: Engine, block: Block, model: HashGrid) -> dict[str, Any]:
    """As the product does it: batches of 1024, until the moving average says that it is reached."""
    threshold = float(block.extent[0]) * 10 ** (-TARGET / 20)
    options = replace(
        OPTIONS, batch=1024, iterations=32768, error_threshold=threshold, approach=APPROACH_DB
    )
    trainer = block.trainer(on, model, options)
    start = perf_counter()
    trainer.run(1e9)
    seconds = perf_counter() - start
    psnr = block.psnr(on, model, trainer.params)
    return {"batch": 1024, "steps": trainer.iteration, "seconds": seconds, "psnr": psnr}


def together(block: Block, on: Engine, count: int, batch: int, steps: int) -> float:
    """Seconds per step of `count` networks in one launch."""
    from insitu.engines.cuda.trainer import run_together

    options = replace(OPTIONS, batch=batch, iterations=steps)

    def run() -> float:
        trainers = [block.trainer(on, A, options) for _ in range(count)]
        start = perf_counter()
        run_together(trainers, 1e9)
        return (perf_counter() - start) / steps

    return best(run, 3)


def decoded(on: Any, model: HashGrid, n: int) -> float:
    """Points per second of a grid of n^3 that stays on the device."""
    from insitu.engines.cuda.reading import Network

    axis = (np.arange(n, dtype=np.float32) + 0.5) / n
    device = on._device
    with device.current():
        network = Network(device, model, model.initial(0))

        def run() -> float:
            device.synchronize()
            start = perf_counter()
            network.evaluate_grid((axis, axis, axis))
            device.synchronize()
            return perf_counter() - start

        return n**3 / best(run)


def measured(on: Engine, block: Block, model: HashGrid) -> float:
    """Samples per second of measuring errors."""
    params = model.initial(0)

    def run() -> float:
        start = perf_counter()
        block.psnr(on, model, params)
        return perf_counter() - start

    return block.sampler.samples / best(run)


def large(on: Engine) -> dict[str, Any]:
    """A block of DVNR's size: seconds of its parts."""
    values = waves((256, 256, 512))
    start = perf_counter()
    block = Block.of(on, values)
    copied = perf_counter() - start
    found: dict[str, Any] = {"copied": copied}
    for table in (12, 13, 14, 15):
        model = HashGrid(log2_hashmap_size=table)
        trained = to_target(on, block, model, 16384, 0.02)
        if trained["psnr"] >= TARGET:
            break
    options = replace(OPTIONS, batch=16384, iterations=trained["steps"])
    trainer = block.trainer(on, model, options)
    trainer.run(1e9)
    params = trainer.params
    points = np.random.default_rng(0).random((4096, 3), dtype=np.float32)
    truth = on.evaluate(model, params, points)

    def mean_square(trial: np.ndarray) -> float:
        return float(np.square(on.evaluate(model, trial, points) - truth).mean()) + 1e-5

    start = perf_counter()
    weights = compress_params(model, params, Compression(), mean_square, engine=on)
    coded = perf_counter() - start
    start = perf_counter()
    psnr = block.psnr(on, model, weights.params)
    return found | trained | {
        "table": table, "coded": coded, "bytes": len(weights.payload),
        "measured": perf_counter() - start, "psnr_coded": psnr,
    }  # fmt: skip


def suite() -> tuple[int, str]:
    """pytest's exit status, and its last lines."""
    told = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--noconftest"]
    done = subprocess.run(
        [*told, "-o", "addopts=", str(HERE / "gpu_conformance.py")],
        capture_output=True, text=True, env={**os.environ, "INSITU_TORCH_COMPILE": "0"},
    )  # fmt: skip
    return done.returncode, done.stdout[-6000:] + done.stderr[-2000:]


def engines() -> dict[str, Engine]:
    found = {}
    for name in ("cuda", "torch", "tinycudann", "cpu"):
        try:
            found[name] = load(name)
        except (ImportError, ValueError) as error:
            print(f"{name}: {error}")
        else:
            print(f"{name}: {found[name].device}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="where figures are written")
    parser.add_argument("--volume", type=Path, help="the volume, instead of computing it")
    parser.add_argument("--skip-suite", action="store_true", help="measure only")
    given = parser.parse_args()
    began = perf_counter()
    found = engines()
    figures: dict[str, Any] = {name: on.device for name, on in found.items()}

    def say(name: str, value: Any) -> None:
        figures[name] = value
        print(f"{name}: {value}", flush=True)
        if given.json:
            given.json.write_text(json.dumps(figures, indent=1))

    status = 0
    if not given.skip_suite:
        status, tail = suite()
        print(tail, flush=True)
        say("suite", status)
    if given.volume:
        values = np.load(given.volume)["values"]
    else:
        values = cloverleaf(128, (CYCLE,))[0].volumes[0]
    cuda = engine("cuda")
    blocks = {name: Block.of(on, values) for name, on in found.items()}
    for name, model in SHAPES.items():
        for batch in (1024, 4096, 16384, 65536):
            say(
                f"cuda step {name} {batch}, us", 1e6 * step(cuda, blocks["cuda"], model, batch, 500)
            )
    for other in ("torch", "tinycudann"):
        if other in found:
            for batch in (1024, 4096, 16384):
                seconds = step(found[other], blocks[other], A, batch, 100)
                say(f"{other} step a {batch}, us", 1e6 * seconds)
    for count in (1, 2, 4, 8, 16):
        say(
            f"cuda {count} networks, step of 4096, us",
            1e6 * together(blocks["cuda"], cuda, count, 4096, 500),
        )
    for name, batch in (
        ("cuda", 4096),
        ("cuda", 16384),
        ("cpu", 1024),
        ("torch", 4096),
        ("tinycudann", 4096),
    ):
        if name in found:
            for rate in (0.01, 0.02, 0.04):
                say(
                    f"{name} {batch} {rate} to target",
                    to_target(found[name], blocks[name], A, batch, rate),
                )
    for name in ("cuda", "cpu"):
        if name in found:
            say(f"{name} by default", by_default(found[name], blocks[name], A))
    for name, model in SHAPES.items():
        say(f"cuda decode {name}, G points/s", decoded(cuda, model, 512) / 1e9)
        say(f"cuda measure {name}, G samples/s", measured(cuda, blocks["cuda"], model) / 1e9)
    say("cuda 512 x 256 x 256", large(cuda))
    say("seconds", perf_counter() - began)
    return status


if __name__ == "__main__":
    sys.exit(main())
