"""Hard samples: PSNR by seconds with and without, on one engine; on torch, memory of the graph.

In: volumes as NAME_STEP.npz, axes z, y, x; by default those of ../shared/data, else the CloverLeaf
example's. Out: for the middle of each volume and choice of `candidates` and `hardest`, trained for
the same time: steps and dB; and how many bytes a gradient's graph holds.

    OMP_NUM_THREADS=1 python benchmarks/hard_samples.py [FOLDER] [--engine torch] [--seconds 4]

The gain that is reported of such mining (twice as fast, 40 % less memory on a GPU) comes from a
backward pass that costs more than the forward pass of all candidates.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from volumes import DATA, cloverleaf, middle, partition, volumes

from insitu import engines, models
from insitu.engines import Engine
from insitu.engines.base import Trainer
from insitu.engines.options import TrainerOptions
from insitu.training.job import TrainingJob
from insitu.training.measure import measure
from insitu.training.options import TrainingOptions
from insitu.training.trial import ADAM
from insitu.training.warm_start import choose_start


class Row(NamedTuple):
    steps: int
    psnr_db: float


# Names, `candidates` in batches, `hardest`: the same number of samples is learned from, or fewer.
CHOICES = (
    ("off", 1.0, 1.0),
    ("half of 1", 1.0, 0.5),
    ("half of 2", 2.0, 0.5),
    ("quarter of 4", 4.0, 0.25),
    ("eighth of 8", 8.0, 0.125),
)


def trainer_of(values: np.ndarray, kind: str, engine: Engine, options: TrainerOptions) -> Trainer:
    """A training from the start, of the default size for the volume."""
    job = TrainingJob.of(partition(values), models.make(kind, {}).for_domain(values.size),
                         engine=engine)  # fmt: skip
    start = choose_start(job, job.of_block)
    return engine.trainer(
        job.of_block, start.params, job.sampler, start.origin, job.extent, job.extent, options
    )


def options_of(seconds: float, batch: int, choice: tuple[str, float, float]) -> TrainerOptions:
    """The usual ones, with a schedule that follows the time."""
    _, candidates, hardest = choice
    usual = TrainingOptions()
    return TrainerOptions(
        batch=batch, candidates=candidates, hardest=hardest, learning_rate=usual.learning_rate,
        final_rate=usual.final_rate, decay=usual.decay, huber=usual.huber, iterations=10**9,
        seconds=seconds, **ADAM,
    )  # fmt: skip


def trained(values: np.ndarray, kind: str, engine: Engine, options: TrainerOptions) -> Row:
    trainer = trainer_of(values, kind, engine, options)
    trainer.run(2 * options.seconds)
    job = TrainingJob.of(partition(values), models.make(kind, {}).for_domain(values.size))
    origin = choose_start(job, job.of_block).origin
    params = trainer.params
    errors = measure(job.engine, job.of_block, params, job.sampler, origin, job.extent)
    mean = errors[0].sum_of_squares / errors[0].finite
    return Row(trainer.iteration, float(10 * np.log10(np.ptp(values) ** 2 / mean)))


def graph_nbytes(values: np.ndarray, kind: str, engine: Engine, options: TrainerOptions) -> int:
    """Bytes of the tensors that autograd keeps for the backward pass of a step, on torch."""
    import torch

    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    trainer = trainer_of(values, kind, engine, options)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        trainer.compute_gradient()
    return sum(kept.values())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=DATA)
    parser.add_argument("--engine", default="cpu", choices=engines.names())
    parser.add_argument("--model", default="hash_grid")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each training")
    parser.add_argument("--batch", type=int, default=4096, help="of which `candidates` are units")
    parser.add_argument("--cells", type=int, default=96, help="of the example, along an axis")
    parser.add_argument("--most", type=int, default=3, help="volumes")
    parser.add_argument("--middle", type=int, default=64, help="cells of a block along an axis")
    given = parser.parse_args(arguments)
    found = volumes(given.folder) if given.folder.is_dir() else cloverleaf(given.cells, (100,))
    engine = engines.engine(given.engine)
    print(f"engine {engine.name}, {engine.device}; {given.model}; {given.seconds:g} s each")
    print("| volume | learned from | steps | dB | MiB of the graph |")
    print("|---|---|---|---|---|")
    for series in found[: given.most]:
        values = middle(series.volumes[-1], given.middle)
        for choice in CHOICES:
            options = options_of(given.seconds, given.batch, choice)
            row = trained(values, given.model, engine, options)
            held = "-"
            if given.engine == "torch":
                nbytes = graph_nbytes(values, given.model, engine, options)
                held = f"{nbytes / 2**20:.1f}"
            print(
                f"| {series.name} | {choice[0]} | {row.steps} | {row.psnr_db:.1f} | {held} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
