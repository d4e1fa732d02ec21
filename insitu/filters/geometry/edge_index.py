"""Numbering of the nodes and edges of a block's grid, and points on edges.

In: numbers, positions along edges. Out: world coordinates; numbers of the nodes on given lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Floats, Indices


@dataclass(frozen=True)
class EdgeIndexing:
    """Edges of a grid with nodes (nz, ny, nx), numbered in that order: edge 3 * node + axis (x 0,
    y 1, z 2) goes from the node to the next one along the axis."""

    shape: tuple[int, int, int]
    """Number of nodes, (nz, ny, nx)."""

    @property
    def count(self) -> int:
        """One more than the largest number of an edge."""
        return 3 * int(np.prod(self.shape))

    @property
    def apart(self) -> tuple[int, int, int]:
        """Difference between the numbers of neighbouring nodes along x, y, z."""
        _, ny, nx = self.shape
        return 1, nx, nx * ny

    def nodes_at_lines(self, z: Indices, y: Indices, x: Indices) -> Indices:
        """(nz, ny, nx): numbers of the nodes at the intersections of given lines z, y, x."""
        return np.asarray((z[:, None, None] * self.shape[1] + y[:, None]) * self.shape[2] + x)

    def ends(self, edges: Indices) -> tuple[Indices, Indices]:
        """Numbers of the first and last node of each edge, (n,) each."""
        node, axis = np.divmod(edges, 3)
        return node, node + np.array(self.apart)[axis]

    def nodes_at(self, lines: tuple[Floats, Floats, Floats], nodes: Indices) -> Floats:
        """(n, 3), x y z: positions of nodes, for grid lines x, y, z."""
        index = np.unravel_index(nodes, self.shape)[::-1]
        return np.stack([along[i] for along, i in zip(lines, index, strict=True)], axis=1)

    def points(self, lines: tuple[Floats, Floats, Floats], edges: Indices, t: Floats) -> Floats:
        """(n, 3), x y z: positions at `t` (n,) in 0..1 along edges, for grid lines x, y, z."""
        begin, end = (self.nodes_at(lines, nodes) for nodes in self.ends(edges))
        return begin + t[:, None] * (end - begin)

    def toward(self, edges: Indices, sign: Floats) -> Floats:
        """(n, 3): unit vectors along the edges, times `sign` (n,)."""
        vectors = np.zeros((len(edges), 3))
        vectors[np.arange(len(edges)), edges % 3] = sign
        return vectors
