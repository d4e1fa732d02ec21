"""A block trained by a small network, and where its samples are.

In: a partition, and options of training. Out: its field; the world positions of its samples.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np

from insitu.codecs.options import Compression
from insitu.fields.model_field import ModelField
from insitu.models.hash_grid.model import HashGrid
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.train import train
from tests.support.blocks import local_ranges

SMALL = HashGrid(log2_hashmap_size=12)


def fit(
    block: object,
    network: HashGrid = SMALL,
    previous: ModelField | None = None,
    cycle: int = 0,
    time: float = 0.0,
    clock: Callable[[], float] = perf_counter,
    **options: object,
) -> ModelField:
    whole = local_ranges({"f": [block]})["f"]
    ends = {key: options.pop(key) for key in Target.__dataclass_fields__ if key in options}
    kept = Compression(**{k: options.pop(k) for k in list(options) if k.startswith("compression")})
    return train(
        TrainingJob.of(
            block,
            network,
            options=TrainingOptions(**options),
            target=Target(**ends),
            whole=whole,
            previous=previous,
            compression=kept,
            cycle=cycle,
            time=time,
            clock=clock,
        )
    )


def sample_points(field: ModelField) -> np.ndarray:
    """World positions of the owned samples, (n, 3)."""
    axes = [
        nodes if field.association == "vertex" else 0.5 * (nodes[1:] + nodes[:-1])
        for nodes in field.nodes
    ]
    z, y, x = np.meshgrid(*reversed(axes), indexing="ij")
    return np.stack([x, y, z], axis=-1).reshape(-1, 3)
