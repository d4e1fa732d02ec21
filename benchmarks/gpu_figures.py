"""Figures of the engines on this machine's GPU, one part at a time; see `check_gpu.py`.

In: the name of a part, the file of a volume. Out: lines `FIGURE [name, value]` on standard output.

    python benchmarks/gpu_figures.py PART FILE.npz

Seconds are of the host's clock, from before a launch until its result is on the host. `cpu` is one
core of the same machine.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before anything starts threads

import json
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
from insitu.engines import Engine
from insitu.engines.options import TrainerOptions
from insitu.engines.registry import load
from insitu.models.hash_grid.model import HashGrid
from insitu.training.compression import compress_params
from insitu.training.trial import ADAM, APPROACH_DB, AVERAGE

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


def published(name: str, values: Any) -> float:
    """Seconds of a whole step of a field, published as an array of the host or of PyTorch."""
    from mpi4py import MPI

    from insitu.mesh.plain_arrays import uniform
    from insitu.mesh.published_step import PublishedStep
    from insitu.training.distributed import FieldSpec, train_fields
    from insitu.training.options import Target, TrainingOptions

    recipe = FieldSpec(HashGrid(), TrainingOptions(), Target(psnr=TARGET), automatic=True)

    def run() -> float:
        start = perf_counter()
        step = PublishedStep(uniform({"u": values}), ghost_field=None)
        blocks = {"u": step.partitions("u")}
        train_fields(MPI.COMM_SELF, blocks, {"u": recipe}, {}, engine=load(name), cycle=0, time=0.0)
        return perf_counter() - start

    return best(run, 3)


def pictured(name: str, values: np.ndarray, shading: bool) -> tuple[float, np.ndarray]:
    """Seconds of a picture of network a, of 512 x 512 pixels, once it is on the device."""
    from insitu.render.camera import Camera
    from insitu.testing.marching import options_of

    on = load(name)
    block = Block.of(on, values)
    trainer = block.trainer(on, A, OPTIONS)
    trainer.run(1e9)
    cells = values.shape
    nodes = tuple(np.linspace(0, 1, n + 1) for n in reversed(cells))
    cache = load("cpu").brick_cache(64 << 20)
    bricks = on.bricks_of_model(A, trainer.params, block.low, block.extent, cells, False, cache)  # type: ignore[arg-type]
    camera = Camera.default((np.zeros(3), np.ones(3)), 512, 512)
    low = float(block.low[0])
    options = options_of(
        camera, nodes, range=(low, low + float(block.extent[0])), step=1 / 128,
        flat=0.5 if shading else None,
    )  # fmt: skip

    def run() -> float:
        start = perf_counter()
        on.march(bricks, nodes, options)
        return perf_counter() - start

    return best(run, 3), on.march(bricks, nodes, options)


Say = Callable[[str, Any], None]


def say_devices(say: Say, values: np.ndarray) -> None:
    for name in ("cuda", "torch", "tinycudann", "cpu"):
        try:
            say(name, load(name).device)
        except (ImportError, ValueError) as error:
            say(name, f"not here: {error}")


def say_volume(say: Say, values: np.ndarray) -> None:
    say("volume", f"{values.shape}, {values.dtype}")


def say_steps(say: Say, values: np.ndarray) -> None:
    cuda = load("cuda")
    block = Block.of(cuda, values)
    for name, model in SHAPES.items():
        for batch in (4096, 1024, 16384, 65536):
            seconds = step(cuda, block, model, batch, 500)
            say(f"cuda step {name} {batch}, us", 1e6 * seconds)
    for count in (1, 2, 4, 8, 16):
        seconds = together(block, cuda, count, 4096, 500)
        say(f"cuda {count} networks, step of 4096, us", 1e6 * seconds)


def say_target(say: Say, values: np.ndarray) -> None:
    for name, batch in (("cuda", 4096), ("cpu", 1024), ("cuda", 16384)):
        on = load(name)
        block = Block.of(on, values)
        if batch < 16384:
            say(f"{name} by default", by_default(on, block, A))
        for rate in (0.02, 0.01, 0.04):
            say(f"{name} {batch} {rate} to target", to_target(on, block, A, batch, rate))


def say_reading(say: Say, values: np.ndarray) -> None:
    cuda = load("cuda")
    block = Block.of(cuda, values)
    for name, model in SHAPES.items():
        say(f"cuda decode {name}, G points/s", decoded(cuda, model, 512) / 1e9)
        say(f"cuda measure {name}, G samples/s", measured(cuda, block, model) / 1e9)


def say_large(say: Say, values: np.ndarray) -> None:
    say("cuda 512 x 256 x 256", large(load("cuda")))


def say_published(say: Say, values: np.ndarray) -> None:
    for name in ("cuda", "cpu"):
        say(f"{name} published on the host, ms", 1e3 * published(name, values))
    import torch

    on_gpu = torch.as_tensor(values, device="cuda")
    say("cuda published on the GPU, ms", 1e3 * published("cuda", on_gpu))


def say_pictures(say: Say, values: np.ndarray) -> None:
    for shading in (False, True):
        found = {name: pictured(name, values, shading) for name in ("cuda", "cpu")}
        kind = "shaded picture" if shading else "picture"
        for name, (seconds, _) in found.items():
            say(f"{name} {kind} of 512 x 512, ms", 1e3 * seconds)
        error = float(np.square(found["cuda"][1] - found["cpu"][1]).mean())
        say(f"{kind} against that of the CPU, dB", -10 * np.log10(max(error, 1e-12)))


def say_other(say: Say, name: str, values: np.ndarray) -> None:
    on = load(name)
    block = Block.of(on, values)
    for batch in (4096, 1024, 16384):
        say(f"{name} step a {batch}, us", 1e6 * step(on, block, A, batch, 100))
    say(f"{name} 4096 0.02 to target", to_target(on, block, A, 4096, 0.02))


PARTS: dict[str, Callable[[Say, np.ndarray], None]] = {
    "devices": say_devices,
    "volume": say_volume,
    "steps": say_steps,
    "target": say_target,
    "reading": say_reading,
    "large": say_large,
    "published": say_published,
    "pictures": say_pictures,
    "torch": lambda say, values: say_other(say, "torch", values),
    "tinycudann": lambda say, values: say_other(say, "tinycudann", values),
}


def main() -> None:
    part, file = sys.argv[1], Path(sys.argv[2])
    if part == "volume" and not file.exists():
        np.savez_compressed(file, values=cloverleaf(128, (CYCLE,))[0].volumes[0])
    values = np.load(file)["values"] if file.exists() else waves((128, 128, 128))
    PARTS[part](lambda name, value: print("FIGURE", json.dumps([name, value]), flush=True), values)


if __name__ == "__main__":
    main()
