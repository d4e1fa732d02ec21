"""Every node on faces between blocks has one value, whoever asks."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.filters.geometry.decomposition import Decomposition
from insitu.filters.geometry.global_node_grid import GlobalNodeGrid
from insitu.filters.geometry.interface_values import FACES, FaceNodes, agree_on_faces
from tests.support.analytic_fields import AnalyticBlock, cut, lines, mine, wave

COMM = MPI.COMM_WORLD


def nodes_and_values(every: list[FaceNodes], nodes: list) -> dict[tuple, set]:
    """What all faces say of each node."""
    said: dict[tuple, set] = {}
    for own, (x, y, z) in zip(every, nodes, strict=True):
        for axis, side in FACES:
            at = [x, y, z]
            at[axis] = at[axis][[-side]]
            grid = np.stack(np.meshgrid(*at[::-1], indexing="ij")[::-1], axis=-1).reshape(-1, 3)
            values = own.on_face((axis, side))
            assert values.shape == tuple(len(a) for a in at[::-1])
            for point, value in zip(grid.round(9) + 0.0, values.ravel(), strict=True):
                said.setdefault(tuple(point), set()).add(float(value))
    return said


@pytest.mark.parallel([1, 3])
def test_one_value_per_node() -> None:
    """Of blocks that have values of their own, the mean."""
    nodes = cut(lines((4, 6, 5), stretch=0.2), (2, 3, 2))
    blocks = mine(COMM, [AnalyticBlock((wave,), n) for n in nodes])
    decomposition = Decomposition.gather(COMM, {"f": blocks})
    own = [
        FaceNodes.of(lambda at, i=i: np.full([len(a) for a in at[::-1]], i**0.5), b.nodes)
        for i, b in zip(decomposition.mine, blocks, strict=True)
    ]
    before = [nodes.values.copy() for nodes in own]
    lattice = GlobalNodeGrid.of(COMM, decomposition, [b.nodes for b in blocks])
    agreed = agree_on_faces(COMM, lattice, own)
    said: dict[tuple, set] = {}
    for theirs in COMM.allgather(nodes_and_values(agreed, [b.nodes for b in blocks])):
        for point, values in theirs.items():
            said.setdefault(point, set()).update(values)
    for point, values in said.items():
        near = (np.array(point) >= decomposition.boxes[:, 0] - 1e-8) & (
            np.array(point) <= decomposition.boxes[:, 1] + 1e-8
        )
        (value,) = values  # the same bits for all
        assert value == pytest.approx(np.mean(np.flatnonzero(near.all(axis=1)) ** 0.5))
    for nodes, copy in zip(own, before, strict=True):
        np.testing.assert_array_equal(nodes.values, copy)  # the given ones are left alone


@pytest.mark.parallel([1, 3])
def test_a_node_that_a_neighbour_lacks_keeps_its_value() -> None:
    unit, halves = np.linspace(0.0, 1.0, 3), np.linspace(0.0, 1.0, 5)
    every = [
        AnalyticBlock((wave,), (unit, unit, unit)),
        AnalyticBlock((wave,), (1 + unit, halves, unit)),
    ]
    blocks = every[COMM.rank :: COMM.size]
    decomposition = Decomposition.gather(COMM, {"f": blocks})
    own = [
        FaceNodes.of(lambda at, i=i: np.full([len(a) for a in at[::-1]], float(i)), b.nodes)
        for i, b in zip(decomposition.mine, blocks, strict=True)
    ]
    lattice = GlobalNodeGrid.of(COMM, decomposition, [b.nodes for b in blocks])
    for index, nodes in zip(decomposition.mine, agree_on_faces(COMM, lattice, own), strict=True):
        if index == 0:
            assert (nodes.on_face((0, 1)) == 0.5).all() and (nodes.on_face((0, 0)) == 0).all()
        else:
            face = nodes.on_face((0, 0))[..., 0]  # z, y
            assert (face[:, ::2] == 0.5).all() and (face[:, 1::2] == 1).all()


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_faces_are_put_into_slabs(layers: int) -> None:
    nodes = lines((4, 3, 2))
    random = np.random.default_rng(0)
    faces = FaceNodes.of(lambda at: random.random([len(a) for a in at[::-1]]), nodes)
    whole = np.zeros((5, 4, 3))
    for z in range(0, 5, layers):
        faces.put(whole[z : z + layers], z)
    assert (whole[1:-1, 1:-1, 1:-1] == 0).all()
    for axis, side in FACES:
        place = [slice(None)] * 3
        place[2 - axis] = slice(-1, None) if side else slice(0, 1)
        np.testing.assert_array_equal(whole[tuple(place)], faces.on_face((axis, side)))
