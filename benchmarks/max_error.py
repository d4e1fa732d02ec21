"""A bound on every error: bytes and CPU time beside SZ3 with the same bound.

In: a folder of volumes (NAME_STEP.npz, an array `values`, axes z, y, x). Out: a table, in Markdown.

    python benchmarks/max_error.py --data FOLDER [--volumes NAME ...] [--bounds 1e-2 1e-3 1e-4]

Bounds are fractions of the range. The sparse grid is a whole frame with its correction. Times are
CPU milliseconds of one core, the least of some runs: until the bytes are made, and until all values
are back, which are compared with the raw ones.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy starts its threads

import argparse
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import TypeVar

import numpy as np
from compressors import available
from volumes import DATA, partition, volumes

from insitu.fields.read import read_field
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.job import TrainingJob
from insitu.training.options import Target
from insitu.training.train import train

T = TypeVar("T")
REPEATS = 5


def least(run: Callable[[], T]) -> tuple[float, T]:
    """CPU milliseconds, and what it gives."""
    times = []
    for _ in range(REPEATS):
        begin = process_time()
        found = run()
        times.append(process_time() - begin)
    return 1e3 * min(times), found


def row(label: str, values: np.ndarray, share: float) -> str:
    peer = next(found for found in available()[0] if found.name == "SZ3")
    bound = share * float(np.ptp(values))

    def kept() -> bytes:
        return train(
            TrainingJob.of(partition(values), SparseGrid(), target=Target(max_error=bound))
        ).to_bytes()

    def read(data: bytes) -> np.ndarray:
        return np.asarray(read_field(data).decode()).reshape(values.shape)

    ours_in, ours = least(kept)
    ours_out, back = least(lambda: read(ours))
    peer_in, packed = least(lambda: peer.encode(values, bound))
    peer_out, _ = least(lambda: peer.decode(packed, values.shape, values.dtype))
    if np.abs(back.astype(np.float64) - values).max() > bound:
        raise SystemExit(f"{label}: beyond the bound {bound}")
    cells = [label, f"{share:g}", str(len(ours)), str(len(packed))]
    cells += [f"{len(ours) / len(packed):.2f}", f"{ours_in:.0f} / {ours_out:.0f}"]
    cells += [f"{peer_in:.0f} / {peer_out:.0f}", f"{ours_in / peer_in:.1f}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--volumes", nargs="*", default=[""], help="how their names begin")
    parser.add_argument("--bounds", type=float, nargs="+", default=[1e-2, 1e-3, 1e-4])
    arguments = parser.parse_args()
    print(
        "| volume | bound | sparse grid, B | SZ3, B | ratio | ms in / out | SZ3, ms in / out ",
        end="",
    )
    print("| time in, ratio |\n|---|---|---|---|---|---|---|---|")
    for series in volumes(arguments.data):
        if series.name.startswith(tuple(arguments.volumes)):
            for share in arguments.bounds:
                label = f"{series.name} {series.steps[-1]}"
                print(row(label, series.volumes[-1], share), flush=True)


if __name__ == "__main__":
    main()
