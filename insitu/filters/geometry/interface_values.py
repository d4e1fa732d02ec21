"""Values at the nodes on block faces, the same in all blocks that share a node.

In: each block's own values, which differ slightly between networks. Out: one value per node, so
that cuts on both sides of a face match.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from insitu.core.arrays import Axes, Floats, Indices
from insitu.core.parallel import together
from insitu.filters.geometry.edge_index import EdgeIndexing
from insitu.filters.geometry.global_node_grid import GlobalNodeGrid
from insitu.filters.geometry.interface_mean import InterfaceMean

if TYPE_CHECKING:
    from mpi4py import MPI

Face: TypeAlias = tuple[int, int]
"""Axis (0, 1, 2: x, y, z) and side (0 low, 1 high) of a block."""

FACES: tuple[Face, ...] = tuple(product(range(3), range(2)))


@dataclass(frozen=True)
class FaceNodes:
    """Values at all nodes of a block's faces. Immutable; nothing is collective."""

    edges: EdgeIndexing
    """Numbering of the block's nodes."""
    numbers: Indices
    """Numbers of the nodes, (n,), increasing."""
    values: Floats
    """Values at the nodes, (n,), float64."""

    @staticmethod
    def of(values: Callable[[list[Floats]], Floats], nodes: Axes) -> FaceNodes:
        """A block's own values; a node has the same value on all faces.

        values: function of a grid of world coordinates x, y, z -> (nz, ny, nx).
        """
        edges = EdgeIndexing((len(nodes[2]), len(nodes[1]), len(nodes[0])))
        numbers, found = [], []
        for axis, side in FACES:
            lines: list[Floats] = list(nodes)
            lines[axis] = nodes[axis][[-side]]
            numbers.append(_of_face(edges, (axis, side)).ravel())
            found.append(np.asarray(values(lines), np.float64).ravel())
        each, first = np.unique(np.concatenate(numbers), return_index=True)
        return FaceNodes(edges, each, np.concatenate(found)[first])

    def on_face(self, face: Face) -> Floats:
        """(nz, ny, nx), one layer thick."""
        return self.at(_of_face(self.edges, face))

    def at(self, numbers: Indices) -> Floats:
        """Values at given nodes, in the same shape."""
        return self.values[np.searchsorted(self.numbers, numbers)]

    def put(self, values: Floats, first: int) -> None:
        """Replace values (nz, ny, nx) at the block's nodes, from layer `first` on, in place."""
        layer = values[0].size
        start, stop = np.searchsorted(
            self.numbers, [first * layer, (first + len(values)) * layer]
        ).tolist()
        values.reshape(-1)[self.numbers[start:stop] - first * layer] = self.values[start:stop]


def agree_on_faces(
    comm: MPI.Comm, lattice: GlobalNodeGrid, own: Sequence[FaceNodes]
) -> list[FaceNodes]:
    """The face values of this rank's blocks, averaged over all blocks that share a node; bitwise
    the same in each. Collective: one all-to-all of the values on the faces between blocks.

    A node that only one of two neighbours has keeps its value.
    """
    with together(comm, "nodes on common faces"):
        shared = InterfaceMean.of(
            len(own),
            lattice.touching(comm.rank),
            lambda touch: own[touch.mine].edges.nodes_at_lines(*touch.nodes).ravel(),
        )
        values = [nodes.at(keys)[:, None] for nodes, keys in zip(own, shared.keys, strict=True)]
    agreed = []
    for nodes, keys, means in zip(own, shared.keys, shared.mean(comm, values), strict=True):
        changed = nodes.values.copy()
        changed[np.searchsorted(nodes.numbers, keys)] = means[:, 0]
        agreed.append(replace(nodes, values=changed))
    return agreed


def _of_face(edges: EdgeIndexing, face: Face) -> Indices:
    """(nz, ny, nx), one layer thick: numbers of the nodes."""
    axis, side = face
    lines = [np.arange(n) for n in edges.shape]
    lines[2 - axis] = lines[2 - axis][[-side]]
    return edges.nodes_at_lines(*lines)
