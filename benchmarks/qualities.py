"""What the words for a quality mean: largest error, gradients and normals of measured volumes.

In: a folder of volumes (NAME_STEP.npz, an array `values`, axes z, y, x), or without one the
CloverLeaf example. Out: a table (Markdown).

    python benchmarks/qualities.py [--data FOLDER] [--volumes NAME ...]

Bytes are of the whole frame of a sparse grid. The largest error is in percent of the range. The
PSNR of the gradient is relative to its largest length; normals are the mean angle over the area of
all isosurfaces (`insitu.metrics.GradientError`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from mpi4py import MPI
from volumes import DATA, cloverleaf, partition, volumes

from insitu.config import FieldConfig
from insitu.metrics import GradientError
from insitu.training.distributed import train_fields
from insitu.training.options import QUALITY_DB

CYCLE = 95
"""Of the example, where there is no data."""


def row(values: np.ndarray, word: str) -> str:
    """The cells of one volume at one quality."""
    recipe = FieldConfig(quality=word).recipe  # type: ignore[arg-type]
    fields = train_fields(
        MPI.COMM_SELF, {"volume": [partition(values)]}, {"volume": recipe}, {}, cycle=0, time=0.0
    )
    assert fields is not None
    field = fields["volume"]
    summary = field.summary
    gradient = GradientError.of_samples(field.fields[0].decode(), values)
    worst = 100 * summary.metrics.max_error / float(summary.extents[0])
    return (
        f"{summary.psnr_db:.1f} | {summary.nbytes} | {worst:.2f} % | {gradient.psnr_db:.1f} | "
        f"{gradient.normals_deg:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of volumes")
    parser.add_argument("--volumes", nargs="+", default=[""], help="those with this in their name")
    parser.add_argument("--cells", type=int, default=96, help="of CloverLeaf, where no data is")
    arguments = parser.parse_args()
    print("| volume | quality | dB | bytes | largest error | gradient, dB | normals, degrees |")
    print("|---" * 7 + "|")
    for series in volumes(arguments.data) or cloverleaf(arguments.cells, (CYCLE,)):
        for step, values in zip(series.steps, series.volumes, strict=True):
            if any(part in f"{series.name}_{step}" for part in arguments.volumes):
                values = np.ascontiguousarray(values, np.float32)
                for word in QUALITY_DB:
                    print(f"| {series.name} {step} | {word} | {row(values, word)} |", flush=True)


if __name__ == "__main__":
    main()
