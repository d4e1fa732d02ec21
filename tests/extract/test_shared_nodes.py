"""Every node on faces between blocks has one value, whoever asks."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.extract.cell_faces import FACES
from insitu.extract.decomposition import Decomposition
from insitu.extract.shared_nodes import agree_on_shells, put, shell

from .analytic_fields import AnalyticBlock, cut, lines, mine, wave

COMM = MPI.COMM_WORLD


def nodes_and_values(shells: list, nodes: list) -> dict[tuple, set]:
    """What all faces say of each node."""
    said: dict[tuple, set] = {}
    for faces, (x, y, z) in zip(shells, nodes, strict=True):
        for axis, side in FACES:
            at = [x, y, z]
            at[axis] = at[axis][[-side]]
            grid = np.stack(np.meshgrid(*at[::-1], indexing="ij")[::-1], axis=-1).reshape(-1, 3)
            for point, value in zip(grid.round(9) + 0.0, faces[axis, side].ravel(), strict=True):
                said.setdefault(tuple(point), set()).add(float(value))
    return said


@pytest.mark.parallel([1, 2, 3, 4])
def test_one_value_per_node() -> None:
    """Of blocks that have values of their own, the last in order."""
    nodes = cut(lines((4, 6, 5), stretch=0.2), (2, 3, 2))
    blocks = mine(COMM, [AnalyticBlock((wave,), n) for n in nodes])
    decomposition = Decomposition.gather(COMM, {"f": blocks})
    own = [
        shell(lambda at, i=i: np.full([len(a) for a in at[::-1]], float(i)), b.nodes)
        for i, b in zip(decomposition.mine, blocks, strict=True)
    ]
    before = [{face: values.copy() for face, values in faces.items()} for faces in own]
    agreed = agree_on_shells(COMM, decomposition, own, [b.nodes for b in blocks])
    said: dict[tuple, set] = {}
    for theirs in COMM.allgather(nodes_and_values(agreed, [b.nodes for b in blocks])):
        for point, values in theirs.items():
            said.setdefault(point, set()).update(values)
    for point, values in said.items():
        near = (np.array(point) >= decomposition.boxes[:, 0] - 1e-8) & (
            np.array(point) <= decomposition.boxes[:, 1] + 1e-8
        )
        assert values == {float(np.flatnonzero(near.all(axis=1)).max())}
    for faces, copy in zip(own, before, strict=True):
        for face in FACES:
            np.testing.assert_array_equal(faces[face], copy[face])  # the given ones are left alone


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_faces_are_put_into_slabs(layers: int) -> None:
    nodes = lines((4, 3, 2))
    random = np.random.default_rng(0)
    faces = shell(lambda at: random.random([len(a) for a in at[::-1]]), nodes)
    whole = np.zeros((5, 4, 3))
    for z in range(0, 5, layers):
        put(whole[z : z + layers], z, faces, 5)
    assert (whole[1:-1, 1:-1, 1:-1] == 0).all()
    for axis, side in FACES:
        place = [slice(None)] * 3
        place[2 - axis] = slice(-1, None) if side else slice(0, 1)
        np.testing.assert_array_equal(whole[tuple(place)], faces[axis, side])
