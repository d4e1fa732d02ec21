"""The grid that blocks tile: joined from their own lines, and who touches whom."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.block_map import BlockMap
from insitu.filters.geometry.global_node_grid import BlockAdjacency, GlobalNodeGrid, NodeGridError
from insitu.filters.geometry.interface_mean import InterfaceMean
from tests.support.analytic_grid import AnalyticBlock, blocks, dealt, sphere


def lattice_of(comm: MPI.Comm, mine: list[AnalyticBlock]) -> GlobalNodeGrid:
    nodes = [block.nodes for block in mine]
    return GlobalNodeGrid.of(comm, BlockMap.of_all_ranks(comm, nodes), nodes)


def nodes_of_all(lattice: GlobalNodeGrid, rank: int, touch: BlockAdjacency) -> list[list[int]]:
    """z, y, x: lines of the whole grid."""
    numbers = lattice.numbers[rank][touch.mine][::-1]
    return [of[own].tolist() for of, own in zip(numbers, touch.nodes, strict=True)]


@pytest.mark.parallel([1, 4])
def test_lines_that_differ_by_rounding_are_one(parts: int = 9) -> None:
    comm = MPI.COMM_WORLD
    everything = blocks(sphere, (12, 13, 14), parts, rounding=1e-12)
    mine = dealt(everything, comm.rank, comm.size)
    lattice = lattice_of(comm, mine)
    assert [len(lines) for lines in lattice.lines] == [15, 14, 13]
    assert comm.bcast(lattice.lines[0]).tobytes() == lattice.lines[0].tobytes()
    assert sum(map(len, lattice.numbers)) == parts
    for i, block in enumerate(mine):
        for own, lines in zip(block.nodes, lattice.lines_of(comm.rank, i), strict=True):
            np.testing.assert_allclose(own, lines, atol=1e-10)
    # Whoever touches me, I touch, in the same nodes of the whole.
    touches = [
        (comm.rank, t.mine, t.rank, t.theirs, nodes_of_all(lattice, comm.rank, t))
        for t in lattice.touching(comm.rank)
    ]
    every = [touch for theirs in comm.allgather(touches) for touch in theirs]
    assert len(every) >= 2 * (parts - 1)
    assert sorted(every) == sorted((r, t, s, m, nodes) for s, m, r, t, nodes in every)


@pytest.mark.parallel([1, 3])
def test_of_cells_that_halve_the_neighbours_no_nodes_are_shared() -> None:
    comm = MPI.COMM_WORLD
    unit, halves = np.linspace(0.0, 1.0, 5), np.linspace(0.0, 1.0, 9)
    everything = [
        AnalyticBlock((sphere,), (unit, unit, unit)),
        AnalyticBlock((sphere,), (1 + unit, halves, unit)),
        AnalyticBlock((sphere,), (unit, 1 + halves, unit)),
    ]
    lattice = lattice_of(comm, everything[comm.rank :: comm.size])
    found = {
        lattice.blocks.on_rank(comm.rank)[touch.mine]: [n.tolist() for n in touch.nodes]
        for touch in lattice.touching(comm.rank)
    }
    each = {index: nodes for theirs in comm.allgather(found) for index, nodes in theirs.items()}
    # Those above each other along y have the same lines of x and z; along x, others of y.
    same = list(range(5))
    assert each[0] == [same, [4], same]
    assert 1 not in each or len(each[1][2]) == 1  # the edge that it shares with the last one


@pytest.mark.parallel([1, 2])
def test_two_blocks_with_the_same_cells() -> None:
    comm = MPI.COMM_WORLD
    unit = np.linspace(0.0, 1.0, 5)
    everything = [AnalyticBlock((sphere,), (unit + 0.25 * i, unit, unit)) for i in range(2)]
    lattice = lattice_of(comm, everything[comm.rank :: comm.size])
    with pytest.raises(NodeGridError, match="the same cells"):
        lattice.touching(comm.rank)


@pytest.mark.parallel([1, 3])
def test_a_mean_is_that_of_all_blocks_at_a_node() -> None:
    """Blocks 0 .. 7 around the middle node of a cube, each with its number for a value."""
    comm = MPI.COMM_WORLD
    everything = blocks(sphere, (4, 4, 4), 8, stretch=0.0)
    mine = dealt(list(enumerate(everything)), comm.rank, comm.size)
    lattice = lattice_of(comm, [block for _, block in mine])
    touches = lattice.touching(comm.rank)
    boxes = [[(n[0], n[-1]) for n in numbers[::-1]] for numbers in lattice.numbers[comm.rank]]

    def nodes(touch: BlockAdjacency) -> np.ndarray:
        """In the whole grid: every block may number its nodes as it likes."""
        z, y, x = nodes_of_all(lattice, comm.rank, touch)
        return np.ravel(25 * np.array(z)[:, None, None] + 5 * np.array(y)[:, None] + x)

    shared = InterfaceMean.of(len(mine), touches, nodes)
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
                i
                for rank in theirs
                for i, box in rank
                if all(a <= n <= b for n, (a, b) in zip(at, box, strict=True))
            ]
            assert len(holders) > 1
            assert number == pytest.approx(np.mean(holders))
            assert own == pytest.approx(0.1 * node)
