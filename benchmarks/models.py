"""The models against each other, at equal bytes.

In: volumes as NAME_STEP.npz, axes z, y, x; by default those of ../shared/data, else the CloverLeaf
example's. Out: for each volume, model and ratio of raw to compressed bytes: dB, CPU seconds, bytes.

    OMP_NUM_THREADS=1 python benchmarks/models.py [FOLDER] [--ratios 100 400] [--epochs 1]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from volumes import DATA, cloverleaf, partition, volumes

from insitu import models
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.train import train

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "hash_grid": ("hash_grid", {}),
    "dense_grid": ("dense_grid", {}),
    "dense_grid, 4 frequencies": ("dense_grid", {"n_frequencies": 4}),
}


def row(name: str, values: np.ndarray, model: str, ratio: float, epochs: int) -> str:
    """One training, as a row of the table."""
    kind, options = MODELS[model]
    job = TrainingJob.of(
        partition(values),
        models.make(kind, options).for_domain(values.size),
        options=TrainingOptions(n_min=2000, epochs=epochs),
        target=Target(ratio=ratio),
        sized_by_target=True,
    )
    start = process_time()
    field = train(job)
    seconds = process_time() - start
    assert field.model is not None
    psnr = field.metrics.psnr_db([float(np.ptp(values))])
    return (
        f"| {name} | {ratio:g} | {model} | {field.nbytes} | {field.model.n_params} | {psnr:.1f} | "
        f"{seconds:.1f} |"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=DATA)
    parser.add_argument("--ratios", type=float, nargs="+", default=[100.0, 400.0])
    parser.add_argument("--epochs", type=int, default=1, help="see training.epochs")
    parser.add_argument("--cells", type=int, default=96, help="of the example, along an axis")
    given = parser.parse_args(arguments)
    found = volumes(given.folder) if given.folder.is_dir() else cloverleaf(given.cells, (100,))
    print("| volume | raw / compressed | model | bytes | parameters | dB | CPU s |")
    print("|---|---|---|---|---|---|---|")
    for series in found:
        for ratio in given.ratios:
            for model in MODELS:
                line = row(series.name, series.volumes[-1], model, ratio, given.epochs)
                print(line, flush=True)


if __name__ == "__main__":
    main()
