"""The isosurfaces of one block, in stages between which ranks exchange shared values.

In: a block's scalar, agreed values at nodes and edges shared with neighbours. Out: triangles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from insitu.core.arrays import Axes, Floats, Indices, Mask
from insitu.core.geometry import Surface
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.edge_index import EdgeIndexing
from insitu.filters.geometry.edge_roots import EdgeRoots, solve
from insitu.filters.geometry.flying_edges import Contour, Contours, slabs
from insitu.filters.geometry.global_node_grid import BlockAdjacency
from insitu.filters.geometry.join import join
from insitu.filters.geometry.scalar import Scalar, at_points


class BlockContour:
    """State of one block during isosurface extraction. No method is collective.

    "Common" nodes and edges are shared with other blocks. Edges are numbered consecutively over
    the isovalues, `EdgeIndexing.count` for each.
    """

    def __init__(
        self,
        scalar: Scalar,
        colors: Mapping[str, SampledBlock],
        lines: Axes,
        isovalues: Sequence[float],
    ) -> None:
        """lines: grid lines x, y, z of the block, bit for bit the same as in its neighbours."""
        self._scalar, self._colors, self._isovalues = scalar, colors, isovalues
        nz, ny, nx = (n + 1 for n in scalar.block.cells)
        self._edges = EdgeIndexing((nz, ny, nx))
        self._lines = lines
        none = np.zeros(0, np.int64)
        self._nodes, self._crossed = none, none
        self._common: Floats = np.zeros(0)
        self._offsets: Floats = np.zeros(0)
        self._crossings = EdgeRoots(self._common, self._common)

    def nodes(self, touch: BlockAdjacency) -> Indices:
        """Numbers of the nodes shared with a neighbour, in the order z, y, x."""
        return self._edges.nodes_at_lines(*touch.nodes).ravel()

    def at_nodes(self, nodes: Indices) -> Floats:
        """(n, 1): the block's own values at the common nodes."""
        self._nodes = nodes
        self._offsets = self._scalar(self._edges.nodes_at(self._scalar.block.nodes, nodes))
        return self._offsets[:, None]

    def set_nodes(self, means: Floats) -> None:
        """Set the agreed values at the common nodes, (n, 1)."""
        self._common = means[:, 0]
        self._offsets = self._common - self._offsets

    def crossed(self, touch: BlockAdjacency) -> Indices:
        """Crossed edges shared with a neighbour, in an order that is the same on both sides."""
        nodes = self._edges.nodes_at_lines(*touch.nodes)
        values = self._common[np.searchsorted(self._nodes, nodes)]
        found = [np.zeros(0, np.int64)]
        for level, isovalue in enumerate(self._isovalues):
            above, finite = values - isovalue >= 0, np.isfinite(values)
            for axis in range(3):
                low, high = _ends(axis)
                cross = (above[low] != above[high]) & finite[low] & finite[high]
                found.append(level * self._edges.count + 3 * nodes[low][cross] + axis)
        return np.concatenate(found)

    def set_crossings(self, crossed: Indices) -> None:
        """Set the common edges that are crossed."""
        self._crossed = crossed
        level, edges = np.divmod(crossed, self._edges.count)
        isovalues = np.array(self._isovalues)[level]
        low, high = (
            self._common[np.searchsorted(self._nodes, end)] - isovalues
            for end in self._edges.ends(edges)
        )
        self._crossings = EdgeRoots(low, high)

    def at_crossings(self) -> Floats:
        """(n, 1): the block's own values minus the isovalue, at the estimated crossings."""
        level, edges = np.divmod(self._crossed, self._edges.count)
        values = self._values(edges, self._crossings.t)
        return (values - np.array(self._isovalues)[level])[:, None]

    def refine(self, means: Floats) -> None:
        """Refine the crossings with the agreed values, (n, 1)."""
        self._crossings.refine(means[:, 0])

    def attributes(self) -> Floats:
        """(n, 3 + n_colors): the block's own gradient and color fields at the common crossings."""
        return self._attributes(self._crossed % self._edges.count, self._crossings.t)

    def surface(self, means: Floats) -> Surface:
        """All isosurfaces in the block, using the agreed attributes."""
        nz, _, _ = self._edges.shape
        unit = [np.arange(n) / (n - 1) for n in self._edges.shape[::-1]]
        contours = Contours(self._edges.shape, self._isovalues)
        layer = int(np.prod(self._edges.shape[1:]))
        slab: Floats = np.zeros(0)
        for z in slabs(nz, layer):
            old = slab[-1:]  # evaluated with the previous slab
            slab = self._scalar.on_grid(unit[0], unit[1], unit[2][z.start + len(old) : z.stop])
            slab = np.concatenate([old, slab]) if len(old) else slab
            here = slice(*np.searchsorted(self._nodes, [z.start * layer, z.stop * layer]))
            slab.reshape(-1)[self._nodes[here] - z.start * layer] = self._common[here]
            contours.add(z.start, slab)
        return join(
            self._one_surface(level, contour, means)
            for level, contour in enumerate(contours.join())
        )

    def _one_surface(self, level: int, contour: Contour, means: Floats) -> Surface:
        edges = contour.edges
        t = np.empty(len(edges))
        attributes = np.empty((len(edges), means.shape[1]))
        common, places = _find(self._crossed, level * self._edges.count + edges)
        t[common] = self._crossings.t[places]
        attributes[common] = means[places]

        own = edges[~common]
        t[~common] = solve(
            contour.low[~common],
            contour.high[~common],
            lambda some, at: self._values(own[some], at) - self._isovalues[level],
        )
        attributes[~common] = self._attributes(own, t[~common])

        down = -attributes[:, :3]
        length = np.sqrt(down[:, 0] ** 2 + down[:, 1] ** 2 + down[:, 2] ** 2)
        usable = np.isfinite(length) & (length > 0)
        normals = self._edges.toward(edges, np.where(contour.low < 0, -1.0, 1.0))
        normals[usable] = down[usable] / length[usable, None]

        values = {self._scalar.name: np.full(len(edges), self._isovalues[level])}
        first = 3
        for name, block in self._colors.items():
            colors = attributes[:, first : first + block.n_components]
            values[name] = colors[:, 0] if block.n_components == 1 else colors
            first += block.n_components
        points = self._edges.points(self._lines, edges, t)
        return Surface(points, contour.triangles, values, normals)

    def _values(self, edges: Indices, t: Floats) -> Floats:
        """(n,): values on edges: the block's own, plus a linear correction that gives the agreed
        values at the ends where these are common."""
        values = self._scalar(self._own_points(edges, t))
        for end, weight in zip(self._edges.ends(edges), (1 - t, t), strict=True):
            common, places = _find(self._nodes, end)
            values[common] += weight[common] * self._offsets[places]
        return values

    def _attributes(self, edges: Indices, t: Floats) -> Floats:
        points = self._own_points(edges, t)
        columns = [self._scalar.gradient_over_a_cell(points)]
        for block in self._colors.values():
            # The bounds of another field's block may differ by rounding.
            columns.append(at_points(block, np.clip(points, *block.bounds)))
        return np.concatenate(columns, axis=1)

    def _own_points(self, edges: Indices, t: Floats) -> Floats:
        """In the block's own coordinates; it has no values outside its bounds."""
        return self._edges.points(self._scalar.block.nodes, edges, t)


def _ends(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Values at both ends of the edges along an axis (x 0, y 1, z 2) of an array z, y, x."""
    low, high = [slice(None)] * 3, [slice(None)] * 3
    low[2 - axis], high[2 - axis] = slice(None, -1), slice(1, None)
    return tuple(low), tuple(high)


def _find(numbers: Indices, wanted: Indices) -> tuple[Mask, Indices]:
    """Which of `wanted` (n,) are in a sorted array, and their positions in it."""
    if not len(numbers):
        return np.zeros(len(wanted), bool), np.zeros(0, np.int64)
    at = np.minimum(np.searchsorted(numbers, wanted), len(numbers) - 1)
    found = numbers[at] == wanted
    return found, at[found]
