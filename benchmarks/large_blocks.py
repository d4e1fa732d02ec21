"""Large blocks: CPU seconds, memory and bytes, of models and of other compressors.

In: nothing; two volumes made here, 256^3 float32. Out: a table (Markdown).

    python benchmarks/large_blocks.py [--cells 256] [--psnr 40] [--volumes smooth turbulent]

`smooth`: three waves and a Gaussian. `turbulent`: random phases with an energy spectrum of
k^(-5/3) up to the grid's limit, seed 0. Seconds are CPU time of one core, in (compress; a whole
frame, first step) and out (decode the whole block); 3 s per 128^3 samples and 0.5 blocks are what a
block may cost in training. Memory is the most that is resident beyond the block itself and what was
there before, in blocks. Each is measured in a process of its own; the tolerances of the other
compressors are bisected beforehand, which is not in their seconds.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy starts its threads

import argparse
import math
import multiprocessing
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np
from compressors import Compressor, available
from equal_quality import Tolerances
from volumes import middle, partition

from insitu.metrics import psnr

OURS = ("sparse_grid", "hash_grid", "auto")
PEERS = ("SPERR", "SZ3", "ZFP")
MOST_TRIALS, CLOSE_DB = 8, 0.2
"""Of tolerances on the whole volume; so far above the target one is taken as it is."""


def smooth(n: int) -> np.ndarray:
    """(n, n, n) float32."""
    line = np.linspace(0, 1, n, dtype=np.float32)
    z, y, x = line[:, None, None], line[:, None], line
    waves = np.sin(9 * x + 4 * y) * np.cos(7 * z) + 0.5 * np.sin(13 * y - 5 * z)
    waves += 0.25 * np.cos(21 * x + 3 * z)
    waves += np.exp(-40 * ((x - 0.4) ** 2 + (y - 0.5) ** 2 + (z - 0.6) ** 2))
    return np.asarray(waves, np.float32)


def turbulent(n: int) -> np.ndarray:
    """(n, n, n) float32: energy k^(-5/3) per shell, so amplitudes k^(-11/6)."""
    spectrum = np.fft.rfftn(np.random.default_rng(0).standard_normal((n,) * 3, np.float32))
    k = np.fft.fftfreq(n, 1 / n).astype(np.float32)
    length = np.sqrt(k[:, None, None] ** 2 + k[:, None] ** 2 + np.arange(n // 2 + 1) ** 2)
    length[0, 0, 0] = np.inf
    spectrum *= length ** np.float32(-11 / 6)
    return np.fft.irfftn(spectrum, (n,) * 3, axes=(0, 1, 2)).astype(np.float32)


VOLUMES: dict[str, Callable[[int], np.ndarray]] = {"smooth": smooth, "turbulent": turbulent}


def resident(kind: str) -> int:
    """Bytes: VmRSS, or VmHWM, the most since `forget`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (found,) = (line for line in lines if line.startswith(kind + ":"))
    return int(found.split()[1]) * 1024


def forget() -> None:
    """The most resident memory begins anew."""
    Path("/proc/self/clear_refs").write_text("5")


def ours(kind: str, values: np.ndarray, goal: float) -> tuple[str, ...]:
    from mpi4py import MPI

    from insitu.config import FieldConfig
    from insitu.models.choice import ModelChoice
    from insitu.training.distributed import train_fields

    config = FieldConfig(psnr=goal, model=ModelChoice(kind))

    def train(values: np.ndarray) -> object:
        blocks = {"volume": [partition(values)]}
        recipes = {"volume": config.recipe}
        return train_fields(MPI.COMM_SELF, blocks, recipes, {}, cycle=0, time=0.0)["volume"]

    train(middle(values, 32))  # imports
    forget()
    before, start = resident("VmRSS"), process_time()
    field = train(values)
    seconds = process_time() - start
    most = (resident("VmHWM") - before) / values.nbytes
    (block,) = field.fields
    name = block.codec if block.as_model is None else block.model.kind
    name += " + correction" if block.as_model is not None and not block.model_alone else ""
    start = process_time()
    decoded = block.decode()
    return (
        f"{kind}" + (f": {name}" if name != kind else ""), f"{psnr(decoded, values):.1f}",
        str(field.summary.nbytes), f"{seconds:.2f}", f"{process_time() - start:.2f}",
        f"{most:.2f}",
    )  # fmt: skip


def peer(name: str, values: np.ndarray, goal: float) -> tuple[str, ...]:
    (compressor,) = (one for one in available()[0] if one.name == name)
    tolerance = tightened(compressor, values, goal)
    forget()
    before, start = resident("VmRSS"), process_time()
    packed = compressor.encode(values, tolerance)
    seconds = process_time() - start
    most = (resident("VmHWM") - before) / values.nbytes
    start = process_time()
    decoded = compressor.decode(packed, values.shape, values.dtype)
    out = process_time() - start
    return (
        name, f"{psnr(decoded, values):.1f}", str(len(packed)), f"{seconds:.2f}", f"{out:.2f}",
        f"{most:.2f}",
    )  # fmt: skip


def tightened(compressor: Compressor, values: np.ndarray, goal: float) -> float:
    """The tolerance of the middle 128^3, then moved until the whole volume reaches the goal."""
    part = middle(values, 128)
    more = 20 * np.log10(float(np.ptp(part)) / float(np.ptp(values)))
    outcome = Tolerances(compressor, part).reach(goal + more)
    assert outcome is not None and outcome.setting is not None
    tolerance, best = outcome.setting, 0.0
    for _ in range(MOST_TRIALS):
        packed = compressor.encode(values, tolerance)
        over = psnr(compressor.decode(packed, values.shape, values.dtype), values) - goal
        if over >= 0:
            best = max(best, tolerance)
        if 0 <= over < CLOSE_DB or (best and over < 0):
            break
        tolerance *= 10 ** ((over - math.copysign(CLOSE_DB / 2, over)) / 20)
    assert best
    return best


def row(kind: str, file: str, goal: float) -> tuple[str, ...]:
    values = np.load(file)
    return peer(kind, values, goal) if kind in PEERS else ours(kind, values, goal)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=256, help="along each axis")
    parser.add_argument("--psnr", type=float, default=40.0, help="target, dB")
    parser.add_argument("--volumes", nargs="+", choices=tuple(VOLUMES), default=list(VOLUMES))
    arguments = parser.parse_args()
    print("| volume | kept as | dB | bytes | s in | s per 128^3 | s out | memory, blocks |")
    print("|---" * 8 + "|")
    there = {compressor.name for compressor in available()[0]}
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.volumes:
            file = str(Path(folder) / f"{name}.npy")
            np.save(file, VOLUMES[name](arguments.cells))
            for kind in (*OURS, *(one for one in PEERS if one in there)):
                with multiprocessing.get_context("spawn").Pool(1) as pool:  # a process of its own
                    cells = list(pool.apply(row, (kind, file, arguments.psnr)))
                per = float(cells[3]) * 128**3 / arguments.cells**3
                cells.insert(4, f"{per:.2f}")
                print(f"| {' | '.join([name, *cells])} |", flush=True)


if __name__ == "__main__":
    main()
