"""Sparse grids: bytes and jumps of blocks with and without shared faces; seconds and memory.

In: a folder of volumes (NAME_STEP.npz, an array `values`, axes z, y, x). Out: two tables, in
Markdown.

    python benchmarks/sparse_grid.py --data FOLDER [--volumes NAME ...] [--psnr 40]

Blocks: a volume cut into 2 x 2 x 2. Bytes are payloads alone, without the frames' headers; the jump
is the root mean square difference of the two sides at common faces, edges and corners included, in
dB of the range, and its largest value in units of the range.
Seconds are CPU time of one core, per 2^21 (128^3) samples: of a first step, of one that follows an
equal one, of decoding all samples; of SPERR for the same PSNR, in and out. Points are random ones
over the whole volume; opened is what a reader holds, over the raw bytes.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy starts its threads

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import TypeVar

import numpy as np
from compressors import available
from equal_quality import Tolerances
from mpi4py import MPI
from volumes import DATA, volumes

from insitu.engines import engine
from insitu.fields.block_field import BlockField
from insitu.fields.model_field import ModelField
from insitu.fields.seams import face_jumps
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.train import train

T = TypeVar("T")
SAMPLES, POINTS, REPEATS = 2**21, 2**20, 3


def cut(values: np.ndarray, ghosts: int) -> list[Partition]:
    """2 x 2 x 2 blocks of cells."""
    blocks = []
    for at in np.ndindex(2, 2, 2):
        low = [n // 2 * i for n, i in zip(values.shape, at, strict=True)]
        high = [n if i else n // 2 for n, i in zip(values.shape, at, strict=True)]
        z, y, x = ((ghosts * i, ghosts * (1 - i)) for i in at)
        box = tuple(
            slice(a - before, b + after)
            for a, b, (before, after) in zip(low, high, (z, y, x), strict=True)
        )
        nodes = tuple(np.arange(a, b + 1.0) for a, b in zip(low, high, strict=True))
        blocks.append(
            Partition("f", "element", (values[box],), (z, y, x), nodes[::-1], len(blocks))
        )
    return blocks


def kept(blocks: list[Partition], psnr: float) -> list[BlockField]:
    spec = FieldSpec(SparseGrid(), TrainingOptions(), Target(psnr=psnr), automatic=True)
    found = train_fields(MPI.COMM_SELF, {"f": blocks}, {"f": spec}, {}, cycle=0, time=0.0)
    assert found is not None
    return list(found["f"].fields)


def payload(blocks: list[BlockField]) -> int:
    return sum(len(b.weights.payload) for b in blocks if isinstance(b, ModelField))


def seams(title: str, values: np.ndarray, psnr: float) -> None:
    """One row: with and without ghosts."""
    extent, cells = float(np.ptp(values)), []
    for ghosts in (0, 1):
        blocks = kept(cut(values, ghosts), psnr)
        jumps = face_jumps(blocks)
        decibel = 20 * math.log10(extent / max(jumps.root_mean_square, 1e-300))
        cells += [str(payload(blocks)), f"{decibel:.1f}", f"{jumps.max_error / extent:.1e}"]
    print("|", " | ".join([title, *cells]), "|")


def seconds(action: Callable[[], T]) -> tuple[float, T]:
    """The shortest of some runs, and what the last one returned."""
    best = math.inf
    for _ in range(REPEATS):
        start = process_time()
        result = action()
        best = min(best, process_time() - start)
    return best, result


def times(title: str, values: np.ndarray, psnr: float) -> None:
    nodes = tuple(np.arange(n + 1.0) for n in values.shape[::-1])
    whole = Partition("f", "element", (values,), NO_LAYERS, nodes, 0)  # type: ignore[arg-type]

    def fitted(previous: ModelField | None = None) -> ModelField:
        target = Target(psnr=psnr)
        return train(TrainingJob.of(whole, SparseGrid(), target=target, previous=previous))

    cold, field = seconds(fitted)
    warm, _ = seconds(lambda: fitted(field))
    decode, _ = seconds(field.decode)
    points = np.random.default_rng(0).random((POINTS, 3), np.float32)
    assert field.model is not None
    reader, model = engine("cpu"), field.model
    reader.evaluate(model, field.params, points[:1])  # opens it
    read, _ = seconds(lambda: reader.evaluate(model, field.params, points))
    opened = reader._sparse.reader(model, field.params).nbytes / values.nbytes  # type: ignore[attr-defined]
    (sperr,) = (c for c in available()[0] if c.name == "SPERR")
    peer = Tolerances(sperr, values).reach(psnr)
    assert peer is not None
    per = SAMPLES / values.size * 1e3
    numbers = [cold * per, warm * per, decode * per, peer.encode_seconds * per]
    numbers.append(peer.decode_seconds * per)
    cells = [f"{number:.0f}" for number in numbers]
    cells += [f"{POINTS / read / 1e6:.1f}", f"{opened:.2f}"]
    cells += [f"{len(field.weights.payload)} / {peer.nbytes}"]
    print("|", " | ".join([title, *cells]), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--volumes", nargs="*", default=None)
    parser.add_argument("--psnr", type=float, default=40.0)
    options = parser.parse_args()
    found = [
        (f"{series.name} {step}", np.ascontiguousarray(values, np.float32))
        for series in volumes(options.data)
        for step, values in zip(series.steps, series.volumes, strict=True)
        if options.volumes is None or any(name in series.name for name in options.volumes)
    ]
    print("| 8 blocks | bytes apart | jump, dB | largest | bytes shared | jump, dB | largest |")
    print("|---|---|---|---|---|---|---|")
    for title, values in found:
        seams(title, values, options.psnr)
    print()
    print("| one block | first, ms | next, ms | decode, ms | SPERR in, ms | out, ms ", end="")
    print("| M points/s | opened | bytes, SPERR's |")
    print("|---|---|---|---|---|---|---|---|---|")
    for title, values in found:
        times(title, values, options.psnr)


if __name__ == "__main__":
    main()
