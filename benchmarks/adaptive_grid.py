"""Adaptive grids (AMGSRN) against hash and dense grids of as many parameters.

In: volumes as NAME_STEP.npz, axes z, y, x; by default those of ../shared/data, else the CloverLeaf
example's. Out: for each volume and model, with one schedule and loss: parameters, dB, CPU seconds,
CPU seconds to 40 dB and of the training alone; with --boxes, where the grids lie, over a slice of
the volume, as PNG.

    OMP_NUM_THREADS=1 python benchmarks/adaptive_grid.py [FOLDER] [--epochs 2] [--boxes FOLDER]
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
from insitu.fields.model_field import ModelField
from insitu.models.adaptive_grid.model import AdaptiveGrid
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.train import train
from insitu.training.trial import Trial
from insitu.training.warm_start import choose_start

# From 134,000 to 150,000 parameters.
MODELS: dict[str, dict[str, Any]] = {
    "hash_grid": {"log2_hashmap_size": 14},
    "dense_grid": {"resolution": 26},
    "adaptive_grid": {"resolution": 16},
}
GOAL_DB = 40.0


def trained(
    values: np.ndarray, kind: str, epochs: int, target: Target
) -> tuple[ModelField, float, float]:
    """The field, its PSNR in dB, CPU seconds."""
    job = TrainingJob.of(
        partition(values),
        models.make(kind, MODELS[kind]),
        options=TrainingOptions(epochs=epochs),
        target=target,
    )
    start = process_time()
    field = train(job)
    seconds = process_time() - start
    assert isinstance(field, ModelField)
    return field, field.metrics.psnr_db([float(np.ptp(values))]), seconds


def training_alone(values: np.ndarray, kind: str, epochs: int) -> tuple[int, float]:
    """Steps and CPU seconds until the running error says 40 dB, or until the last step: without
    coding, and without measuring the block, which takes a pass over all its samples."""
    job = TrainingJob.of(
        partition(values), models.make(kind, MODELS[kind]),
        options=TrainingOptions(epochs=epochs), target=Target(psnr=GOAL_DB),
    )  # fmt: skip
    model = job.of_block
    trial = Trial(job, model, choose_start(job, model), job.options.iterations(values.size))
    trainer = trial.begin(np.inf, 1.0).trainer
    start = process_time()
    while not trainer.run(1.0):
        pass
    return trainer.iteration, process_time() - start


def draw(values: np.ndarray, corners: np.ndarray, path: Path) -> None:
    """The middle slices along z and y, with the outlines of all grids as seen along these axes.

    corners: (n_grids, 8, 3), x y z, of the unit cube; corner c is at the upper end of axis a where
    bit a of c is set.
    """
    import matplotlib.pyplot as plt

    nz, ny, _ = values.shape
    views = (("y", 1, values[nz // 2]), ("z", 2, values[:, ny // 2]))
    edges = [(c, c | bit) for c in range(8) for bit in (1, 2, 4) if not c & bit]
    figure, frames = plt.subplots(1, 2, figsize=(8, 4.2), layout="constrained")
    for frame, (name, axis, layer) in zip(frames, views, strict=True):
        frame.imshow(layer, origin="lower", extent=(0, 1, 0, 1), cmap="viridis")
        for box in corners:
            for a, b in edges:
                line = box[[a, b]][:, [0, axis]].T
                frame.plot(*line, color="crimson", linewidth=0.6, alpha=0.7)
        frame.set(xlim=(-0.3, 1.3), ylim=(-0.3, 1.3), xlabel="x", ylabel=name)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=DATA)
    parser.add_argument("--epochs", type=int, default=2, help="see training.epochs")
    parser.add_argument("--cells", type=int, default=96, help="of the example, along an axis")
    parser.add_argument("--boxes", type=Path, help="folder for pictures of the grids")
    given = parser.parse_args(arguments)
    found = volumes(given.folder) if given.folder.is_dir() else cloverleaf(given.cells, (100,))
    print("| volume | model | parameters | dB | CPU s | CPU s to 40 dB | its training (steps) |")
    print("|---|---|---|---|---|---|---|")
    for series in found:
        values = series.volumes[-1]
        for kind in MODELS:
            field, psnr, seconds = trained(values, kind, given.epochs, Target())
            _, reached, to_goal = trained(values, kind, given.epochs, Target(psnr=GOAL_DB))
            until = f"{to_goal:.2f}" if reached >= GOAL_DB else f"({reached:.1f} dB)"
            steps, alone = training_alone(values, kind, given.epochs)
            assert field.model is not None
            print(
                f"| {series.name} | {kind} | {field.model.n_params} | {psnr:.1f} | {seconds:.1f} "
                f"| {until} | {alone:.2f} ({steps}) |",
                flush=True,
            )
            if given.boxes and kind == "adaptive_grid":
                given.boxes.mkdir(parents=True, exist_ok=True)
                assert isinstance(field.model, AdaptiveGrid)
                corners = field.model.boxes(field.params)
                draw(values, corners, given.boxes / f"{series.name}.png")


if __name__ == "__main__":
    main()
