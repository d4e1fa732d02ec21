"""The grid that blocks tile: joined from their own lines, and who touches whom."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from insitu.extract.lattice import Lattice
from insitu.extract.shared import Shared
from tests.extract.analytic import blocks, dealt, sphere


@pytest.mark.parallel([1, 2, 4])
def test_lines_that_differ_by_rounding_are_one(parts: int = 9) -> None:
    comm = MPI.COMM_WORLD
    everything = blocks(sphere, (12, 13, 14), parts, rounding=1e-12)
    lattice = Lattice.of(comm, dealt(everything, comm.rank, comm.size))
    assert [len(lines) for lines in lattice.lines] == [15, 14, 13]
    assert comm.bcast(lattice.lines[0]).tobytes() == lattice.lines[0].tobytes()
    assert sum(len(boxes) for boxes in lattice.boxes) == parts
    for block, box in zip(
        dealt(everything, comm.rank, comm.size), lattice.boxes[comm.rank], strict=True
    ):
        for own, lines in zip(block.nodes, lattice.lines_of(box), strict=True):
            np.testing.assert_allclose(own, lines, atol=1e-10)
    # Whoever touches me, I touch, in the same box.
    mine = [
        (comm.rank, t.mine, t.rank, t.theirs, t.box.tolist()) for t in lattice.touching(comm.rank)
    ]
    every = [touch for touches in comm.allgather(mine) for touch in touches]
    assert len(every) >= 2 * (parts - 1)
    assert sorted(every) == sorted((r, t, s, m, box) for s, m, r, t, box in every)


@pytest.mark.parallel([1, 3, 8])
def test_a_mean_is_that_of_all_blocks_at_a_node() -> None:
    """Blocks 0 .. 7 around the middle node of a cube, each with its number for a value."""
    comm = MPI.COMM_WORLD
    everything = blocks(sphere, (4, 4, 4), 8, stretch=0.0)
    mine = dealt(list(enumerate(everything)), comm.rank, comm.size)
    lattice = Lattice.of(comm, [block for _, block in mine])
    touches = lattice.touching(comm.rank)
    boxes = lattice.boxes[comm.rank]

    def nodes(touch) -> np.ndarray:  # type: ignore[no-untyped-def]
        """In the whole grid: every block may number its nodes as it likes."""
        z, y, x = (np.arange(a, b + 1) for a, b in touch.box.T)
        return np.ravel(25 * z[:, None, None] + 5 * y[:, None] + x)

    shared = Shared.of(len(mine), touches, nodes)
    values = [
        np.stack([np.full(len(keys), float(i)), 0.1 * keys], axis=1)
        for (i, _), keys in zip(mine, shared.keys, strict=True)
    ]
    means = shared.mean(comm, values)
    theirs = comm.allgather([(i, box) for (i, _), box in zip(mine, boxes, strict=True)])
    for keys, mean in zip(shared.keys, means, strict=True):
        for node, (number, own) in zip(keys, mean, strict=True):
            at = np.array([node // 25, node // 5 % 5, node % 5])
            holders = [
                i for rank in theirs for i, box in rank if ((box[0] <= at) & (at <= box[1])).all()
            ]
            assert len(holders) > 1
            assert number == pytest.approx(np.mean(holders))
            assert own == pytest.approx(0.1 * node)
