"""A window over two steps of two fields, for tests of what reads it."""

from __future__ import annotations

from mpi4py import MPI

from insitu.fields.distributed_field import DistributedField
from insitu.models.hash_grid.model import HashGrid
from insitu.store.window import Window
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange
from insitu.training.train import train
from tests.blocks import blob, local_ranges, split, swirl

CELLS = (12, 14, 16)
NETWORK = HashGrid(log2_hashmap_size=11)


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
