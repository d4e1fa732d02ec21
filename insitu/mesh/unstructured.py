"""Hexahedra of any shape, resampled to the nodes of a box.

In: a domain whose topology is unstructured, of hexahedra on explicit coordinates; points shared
between cells, or each cell's own.
Out: a rectilinear domain over their bounding box, its fields on the nodes, NaN outside the mesh.

A node's value is the trilinear interpolation in the cell that it lies in: the cell's map from the
unit cube is inverted by Newton's method. Where several cells meet, it is their mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from insitu.mesh.partition import Array
from insitu.mesh.tree import MeshError, Tree, array, find, group, require_text

# Corners of the unit cube in the order of conduit's and VTK's hexahedra, (8, 3).
_CORNERS = np.array(
    [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]], float
)
_ITERATIONS = 20
_TOLERANCE = 1e-9  # of the unit cube: what counts as inside
_AT_ONCE = 200_000  # pairs of node and cell


@dataclass(frozen=True)
class Resampling:
    """Which nodes of a box lie in which cells, and with which weights.

    Attributes:
        nodes: coordinates of the box's nodes along x, y, z; float64.
        points, connectivity: the mesh, (n, 3) and (m, 8).
        node, cell: (p,) pairs of a node, as flat index with x fastest, and a cell that it lies in.
        weights: (p, 8) of the cell's points at that node.
    """

    nodes: tuple[Array, Array, Array]
    points: Array
    connectivity: Array
    node: Array
    cell: Array
    weights: Array

    @property
    def shape(self) -> tuple[int, int, int]:
        """Nodes (nz, ny, nx)."""
        x, y, z = self.nodes
        return z.size, y.size, x.size

    def is_of(self, points: Array, connectivity: Array) -> bool:
        """Whether this is the resampling of that mesh."""
        return np.array_equal(self.points, points) and np.array_equal(
            self.connectivity, connectivity
        )

    @property
    def inside(self) -> Array:
        """(nz, ny, nx) bool: which nodes lie in the mesh."""
        found = np.zeros(math.prod(self.shape), bool)
        found[self.node] = True
        return found.reshape(self.shape)

    def __call__(self, values: Array) -> Array:
        """Values on the nodes, (nz, ny, nx) in the precision given, NaN outside the mesh.

        values: one per point, or one per cell.
        """
        if values.size == self.connectivity.shape[0]:
            there = values[self.cell]
        else:
            there = np.einsum("pc,pc->p", self.weights, values[self.connectivity[self.cell]])
        size = math.prod(self.shape)
        total = np.bincount(self.node, there, size)
        count = np.bincount(self.node, minlength=size)
        with np.errstate(invalid="ignore"):
            return (total / count).astype(values.dtype).reshape(self.shape)


def resample(points: Array, connectivity: Array) -> Resampling:
    """Lay a box over hexahedra, as finely as the cells are on average. Not collective.

    Args:
        points: (n, 3) coordinates.
        connectivity: (m, 8) indices of points, in conduit's order of corners.
    """
    corners = points[connectivity]  # (m, 8, 3)
    low, high = corners.min(axis=1), corners.max(axis=1)
    bounds = low.min(axis=0), high.max(axis=0)
    spacing = (high - low).mean(axis=0)
    n = np.maximum(np.rint((bounds[1] - bounds[0]) / spacing).astype(int), 1) + 1
    nodes = tuple(np.linspace(bounds[0][a], bounds[1][a], n[a]) for a in range(3))
    # Nodes within each cell's bounding box, by axis: the first, and how many.
    room = 1e-9 * (bounds[1] - bounds[0])
    first = np.stack([nodes[a].searchsorted(low[:, a] - room[a]) for a in range(3)], axis=1)
    last = np.stack(
        [nodes[a].searchsorted(high[:, a] + room[a], "right") for a in range(3)], axis=1
    )
    counts = last - first
    found_node, found_cell, found_weights = [], [], []
    for some in _chunks(counts.prod(axis=1)):
        cell, index = _pairs(some, first, counts)
        place = np.stack([nodes[a][index[:, a]] for a in range(3)], axis=1)
        unit, good = _inverse(corners[cell], place)
        keep = good & (unit >= -_TOLERANCE).all(axis=1) & (unit <= 1 + _TOLERANCE).all(axis=1)
        i, j, k = index[keep].T
        found_node.append(i + n[0] * (j + n[1] * k))
        found_cell.append(cell[keep])
        found_weights.append(_weights(unit[keep]))
    return Resampling(
        (nodes[0], nodes[1], nodes[2]),
        points.copy(),
        connectivity.copy(),
        np.concatenate(found_node),
        np.concatenate(found_cell),
        np.concatenate(found_weights),
    )


def is_unstructured(domain: Tree) -> bool:
    """Whether a domain has one topology, and that is unstructured."""
    topologies = find(domain, "topologies")
    if not isinstance(topologies, dict) or len(topologies) != 1:
        return False
    (topology,) = topologies.values()
    return isinstance(topology, dict) and topology.get("type") == "unstructured"


def read(domain: Tree) -> tuple[str, Array, Array]:
    """The topology's name, points (n, 3), connectivity (m, 8). Raises MeshError. Not collective."""
    (name,) = group(domain, "topologies")
    path = f"topologies/{name}"
    shape = require_text(domain, f"{path}/elements/shape")
    if shape != "hex":
        raise MeshError(f"{path}/elements/shape: '{shape}' is not supported; supported: hex")
    coordset = f"coordsets/{require_text(domain, f'{path}/coordset')}"
    kind = require_text(domain, f"{coordset}/type")
    if kind != "explicit":
        raise MeshError(f"{coordset}/type: '{kind}', but {path}/type is 'unstructured'")
    axes = [array(domain, f"{coordset}/values/{axis}") for axis in "xyz"]
    points = np.stack([axis.astype(np.float64).ravel() for axis in axes], axis=1)
    flat = array(domain, f"{path}/elements/connectivity").ravel()
    if flat.dtype.kind not in "iu" or flat.size % 8 or not flat.size:
        raise MeshError(
            f"{path}/elements/connectivity: {flat.size} {flat.dtype}; expected 8 a cell"
        )
    if flat.min() < 0 or flat.max() >= len(points):
        raise MeshError(f"{path}/elements/connectivity: names points beyond 0..{len(points) - 1}")
    return name, points, flat.reshape(-1, 8)


def structured(domain: Tree, name: str, resampling: Resampling) -> Tree:
    """The domain with its floating-point fields on the nodes of the box. Raises MeshError."""
    coordset = require_text(domain, f"topologies/{name}/coordset")
    values = dict(zip("xyz", resampling.nodes, strict=True))
    fields: Tree = {}
    for field, content in group(domain, "fields").items() if "fields" in domain else ():
        path = f"fields/{field}/values"
        leaf = find(domain, path)
        parts = list(leaf) if isinstance(leaf, dict) else []
        resampled = {p: _field(domain, f"{path}/{p}", resampling) for p in parts} or _field(
            domain, path, resampling
        )
        fields[field] = {**content, "association": "vertex", "values": resampled}
    return {
        **domain,
        "coordsets": {coordset: {"type": "rectilinear", "values": values}},
        "topologies": {name: {"type": "rectilinear", "coordset": coordset}},
        "fields": fields,
    }


def _field(domain: Tree, path: str, resampling: Resampling) -> Array:
    values = array(domain, path).ravel()
    cells, points = len(resampling.connectivity), int(resampling.connectivity.max()) + 1
    if values.size != cells and values.size < points:
        raise MeshError(f"{path}: {values.size} values, there are {cells} cells, {points} points")
    return resampling(values)


def _chunks(pairs: Array) -> list[Array]:
    """Cells in groups of about _AT_ONCE pairs."""
    groups = np.cumsum(pairs) // _AT_ONCE
    return np.split(np.arange(len(pairs)), np.flatnonzero(np.diff(groups)) + 1)


def _pairs(cells: Array, first: Array, counts: Array) -> tuple[Array, Array]:
    """Every node in the bounding box of each cell: (p,) cells and (p, 3) indices along x, y, z."""
    counts = counts[cells]
    n = counts.prod(axis=1)
    cell = np.repeat(cells, n)
    rest = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    size = np.repeat(counts, n, axis=0)
    i, rest = rest % size[:, 0], rest // size[:, 0]
    return cell, first[cell] + np.stack([i, rest % size[:, 1], rest // size[:, 1]], axis=1)


def _weights(unit: Array) -> Array:
    """Trilinear weights of the corners, (p, 8), at points (p, 3) of the unit cube."""
    x = unit[:, None, :]
    return np.where(_CORNERS, x, 1 - x).prod(axis=2)


def _gradients(unit: Array) -> Array:
    """Derivatives of the weights, (p, 8, 3)."""
    x = unit[:, None, :]
    factors = np.where(_CORNERS, x, 1 - x)
    signs = np.where(_CORNERS, 1.0, -1.0)
    return np.stack(
        [signs[:, a] * np.delete(factors, a, axis=2).prod(axis=2) for a in range(3)], axis=2
    )


def _inverse(corners: Array, place: Array) -> tuple[Array, Array]:
    """Where points (p, 3) lie in the unit cubes of their cells (p, 8, 3), and which were found."""
    scale = np.abs(corners - corners[:, :1]).max(axis=(1, 2))
    unit = np.full_like(place, 0.5)
    off = np.zeros(len(place), bool)
    for _ in range(_ITERATIONS):
        miss = place - np.einsum("pc,pca->pa", _weights(unit), corners)
        off = np.abs(miss).max(axis=1, initial=0) > 1e-10 * scale
        if not off.any():
            break
        jacobian = np.einsum("pca,pcb->pba", _gradients(unit[off]), corners[off])
        flat = np.abs(np.linalg.det(jacobian)) < 1e-12 * scale[off] ** 3
        jacobian[flat] = np.eye(3) * scale[off][flat, None, None]
        step = np.linalg.solve(jacobian, miss[off][..., None])[..., 0]
        unit[off] = np.clip(unit[off] + step, -2, 3)  # what leads further out is outside
    return unit, ~off
