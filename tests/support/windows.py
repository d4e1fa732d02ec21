"""A window over two steps of two fields, for tests of what reads it."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI

from insitu.fields.distributed_field import DistributedField
from insitu.models.hash_grid.model import HashGrid
from insitu.store.window import Window
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange
from insitu.training.train import train
from tests.support.blocks import blob, local_ranges, split, swirl

CELLS = (12, 14, 16)
NETWORK = HashGrid(log2_hashmap_size=11)
TINY = HashGrid(log2_hashmap_size=6, n_levels=2)
FAST = TrainingOptions(n_min=16, epochs=1)


def window(comm: MPI.Comm, cycles: tuple[int, ...] = (5, 10)) -> Window:
    """density (of cells) and velocity (of nodes) on the unit cube in two blocks, dealt out to the
    ranks: of several, the last has none."""
    found = Window(5)
    for name, functions, association in (
        ("density", blob, "element"),
        ("velocity", [blob, swirl, blob], "vertex"),
    ):
        blocks = split(functions, CELLS, (1, 1, 2), name=name, association=association)
        whole = GlobalRange(24**3, local_ranges({"f": blocks})["f"].range)
        options = TrainingOptions(n_min=100)
        for cycle in cycles:
            mine = [
                train(
                    TrainingJob.of(
                        b,
                        NETWORK,
                        options=options,
                        target=Target(),
                        whole=whole,
                        cycle=cycle,
                        time=cycle / 10,
                    )
                )
                for i, b in enumerate(blocks)
                if i % max(comm.size - 1, 1) == comm.rank
            ]
            field = DistributedField.gather(comm, mine)
            assert field is not None
            found.append(field)
    return found


def field_at(
    comm: MPI.Comm, cycle: int, name: str = "density", empty_rank: bool = False
) -> DistributedField:
    """One block per rank, side by side; the last rank may stay empty."""
    n = comm.size - 1 if empty_rank else comm.size
    blocks = split(
        lambda x, y, z: blob(x + 0.01 * cycle, y, z), (4, 4, 4 * n), (1, 1, n), name=name
    )
    mine = [blocks[comm.rank]] if comm.rank < n else []
    whole = GlobalRange(64 * n, np.array([[0.0, 1.0]]))
    trained = [
        train(
            TrainingJob.of(
                b, TINY, options=FAST, target=Target(), whole=whole, cycle=cycle, time=cycle / 10
            )
        )
        for b in mine
    ]
    field = DistributedField.gather(comm, trained)
    assert field is not None
    return field
