"""Records of known fields, for tests of what reads them."""

from pathlib import Path

import numpy as np

from insitu.fields.distributed_field import DistributedField
from insitu.fields.model_field import ModelField
from insitu.models.hash_grid.model import HashGrid
from insitu.store.manifest import Units
from insitu.store.record_writer import RecordWriter
from insitu.store.window import Window
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange
from insitu.training.train import train
from tests.support.blocks import blob, split, swirl

CELLS = (12, 16, 20)
PARTS = (2, 2, 2)
UNITS = Units("m", "s", {"density": "kg m-3"})


def write(path: Path, cycles: tuple[int, ...] = (0, 5, 10)) -> dict[str, list[list[ModelField]]]:
    """A record of 8 blocks: density in cells, velocity and height at nodes; velocity at the first
    two cycles only. Returns the blocks by field and step."""
    from mpi4py import MPI

    kinds = {
        "density": ("element", [blob], len(cycles)),
        "velocity": ("vertex", [blob, swirl, blob], 2),
        "height": ("vertex", [swirl], len(cycles)),
    }
    made: dict[str, list[list[ModelField]]] = {}
    writer, window = RecordWriter(MPI.COMM_SELF, path, UNITS), Window(len(cycles))
    for name, (association, functions, n_steps) in kinds.items():
        for cycle in cycles[:n_steps]:
            moved = [lambda x, y, z, f=f, cycle=cycle: f(x + 0.01 * cycle, y, z) for f in functions]
            parts = split(moved, CELLS, PARTS, association=association, name=name)
            whole = GlobalRange(int(np.prod(CELLS)), np.array([[-1.0, 1.5]] * len(functions)))
            blocks = [
                train(
                    TrainingJob.of(
                        block,
                        HashGrid(log2_hashmap_size=8, n_levels=2, n_outputs=len(functions)),
                        options=TrainingOptions(n_min=16, epochs=1),
                        target=Target(),
                        whole=whole,
                        cycle=cycle,
                        time=cycle / 10,
                    )
                )
                for block in parts
            ]
            made.setdefault(name, []).append(blocks)
            window.append(DistributedField.join(blocks))
        writer.append(window.entries(name))
    return made
