"""Bytes of a field as 1, 8, 64, 512 blocks that share their faces, as a record has them on disk.

In: volumes (`.npz` with an array `values`, axes z, y, x), or those of the shared folder. Out: a
table: bytes of the payloads, of the headers and of the manifest, and payloads with headers over
those of one block; beside it SPERR, a chunk for every block.

    python benchmarks/blocks.py [--psnr 40] [--cuts 1 2 4 8] [--model sparse_grid] [--no-peer]
        [files ...]

One process has all blocks, as a rank with many would. Blocks have one layer of ghost cells where
another block is, and are read again from the record: the PSNR is of the whole field, decoded.
SPERR has one tolerance for all blocks, the largest of a bisection whose PSNR is the target; what of
its bytes are no coefficients (a header of some 30 bytes a block) is part of its format.

The peer needs the extra `bench`.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy starts its threads

import argparse
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from time import process_time

import numpy as np
from compressors import Compressor, NoResult, available
from mpi4py import MPI
from volumes import DATA

from insitu.config import FieldConfig
from insitu.core.box import Box
from insitu.mesh.partition import Partition
from insitu.metrics import psnr
from insitu.models.choice import ModelChoice
from insitu.store import record_files
from insitu.store.manifest import MANIFEST
from insitu.store.record import open_record
from insitu.store.record_writer import RecordWriter
from insitu.store.window import Window
from insitu.training.distributed import train_fields

VOLUMES = ("cloverleaf_density_00125", "tgv_velx_00625")
TRIALS = 14
CONSTANT_NBYTES = 4
"""Of a block that is one number, which SPERR does not take."""


@dataclass(frozen=True)
class OnDisk:
    """Bytes of a record, and what it decodes to."""

    payloads: int
    headers: int
    manifest: int
    psnr: float
    seconds: float

    @property
    def nbytes(self) -> int:
        """Of the frame files."""
        return self.payloads + self.headers


def boxes(shape: tuple[int, ...], cuts: int) -> Iterator[Box]:
    """`cuts` blocks along each axis, x fastest."""
    edges = [[n * i // cuts for i in range(cuts + 1)] for n in shape]
    for index in product(range(cuts), repeat=3):
        z, y, x = (slice(e[i], e[i + 1]) for e, i in zip(edges, index, strict=True))
        yield z, y, x


def block(values: np.ndarray, box: Box, number: int) -> Partition:
    """Cells of side 1, with a ghost layer where another block is."""
    layers = tuple(
        (int(at.start > 0), int(at.stop < n)) for at, n in zip(box, values.shape, strict=True)
    )
    wide = tuple(
        slice(at.start - low, at.stop + high) for at, (low, high) in zip(box, layers, strict=True)
    )
    nodes = tuple(np.arange(at.start, at.stop + 1.0) for at in reversed(box))
    return Partition("volume", "element", (values[wide],), layers, nodes, number)  # type: ignore[arg-type]


def record(values: np.ndarray, cuts: int, config: FieldConfig) -> OnDisk:
    """Train the blocks, write them as a run does, read them again."""
    parts = list(boxes(values.shape, cuts))
    blocks = [block(values, box, number) for number, box in enumerate(parts)]
    start = process_time()
    trained = train_fields(
        MPI.COMM_SELF, {"volume": blocks}, {"volume": config.recipe}, {}, cycle=0, time=0.0
    )
    seconds = process_time() - start
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "record"
        window, writer = Window(1), RecordWriter(MPI.COMM_SELF, folder)
        window.append(trained["volume"])
        writer.append(window.entries("volume"))
        writer.close()
        files = sum(path.stat().st_size for path in record_files.paths(folder))
        stored = open_record(folder).load("volume", 0).blocks
        payloads = sum(one.payload_nbytes for one in stored)
        decoded = np.empty_like(values)
        for one, box in zip(sorted(stored, key=lambda b: b.domain_id), parts, strict=True):
            decoded[box] = one.field.decode()
        manifest = (folder / MANIFEST).stat().st_size
    return OnDisk(payloads, files - payloads, manifest, psnr(decoded, values), seconds)


def peer(values: np.ndarray, cuts: int, target: float, compressor: Compressor) -> int:
    """Bytes of all blocks by themselves, at the target over the whole field."""
    parts = [np.ascontiguousarray(values[box]) for box in boxes(values.shape, cuts)]
    low, high, best = -20.0, 4.0, math.inf  # log2 of the tolerance over the usual one
    usual = float(np.ptp(values)) * 10 ** (-target / 20)
    for _ in range(TRIALS):
        middle = (low + high) / 2
        nbytes, squares = _compressed(parts, usual * 2**middle, compressor)
        if 10 * math.log10(np.ptp(values) ** 2 * values.size / max(squares, 1e-300)) >= target:
            low, best = middle, nbytes
        else:
            high = middle
    return int(best)


def _compressed(
    parts: list[np.ndarray], tolerance: float, compressor: Compressor
) -> tuple[int, float]:
    """Bytes, and the sum of squared errors."""
    nbytes, squares = 0, 0.0
    for part in parts:
        try:
            packed = compressor.encode(part, tolerance) if np.ptp(part) else b""
        except NoResult:
            packed = b""
        decoded = compressor.decode(packed, part.shape, part.dtype) if packed else np.mean(part)
        nbytes += len(packed) or CONSTANT_NBYTES
        squares += float(np.square(decoded - part, dtype=np.float64).sum())
    return nbytes, squares


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--psnr", type=float, default=40.0)
    parser.add_argument("--cuts", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--model", help="instead of the default")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("files", type=Path, nargs="*")
    given = parser.parse_args()
    model = {} if given.model is None else {"model": ModelChoice(given.model)}
    config = FieldConfig(psnr=given.psnr, **model)
    sperr = next((one for one in available()[0] if one.name == "SPERR"), None)
    compressor = None if given.no_peer else sperr
    print("| volume | blocks | payloads | headers | a block | together | to one | manifest | dB |"
          " s | SPERR | to one |\n|---|---|---|---|---|---|---|---|---|---|---|---|")  # fmt: skip
    for path in given.files or [DATA / f"{name}.npz" for name in VOLUMES]:
        values = np.load(path)["values"]
        first: OnDisk | None = None
        first_peer = 0
        for cuts in given.cuts:
            made = record(values, cuts, config)
            first = first or made
            row = [
                path.stem, cuts**3, made.payloads, made.headers, f"{made.headers / cuts**3:.1f}",
                made.nbytes, f"{made.nbytes / first.nbytes:.2f}", made.manifest,
                f"{made.psnr:.2f}", f"{made.seconds:.1f}",
            ]  # fmt: skip
            if compressor is not None:
                other = peer(values, cuts, given.psnr, compressor)
                first_peer = first_peer or other
                row += [other, f"{other / first_peer:.2f}"]
            print("| " + " | ".join(map(str, row)) + " |", flush=True)


if __name__ == "__main__":
    main()
