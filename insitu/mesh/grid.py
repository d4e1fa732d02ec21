"""The grid of a domain, from its topology and coordinate set.

In: a domain's tree and a topology's name.
Out: `Grid`: node coordinates along x, y and z, ghost cells included. A mesh in a plane becomes one
layer of cells around it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Array
from insitu.mesh.cells import CELL_TOPOLOGIES
from insitu.mesh.partition import Association, Shape
from insitu.mesh.tree import MeshError, Tree, array, find, group, nearest, number, require_text

SUPPORTED = ("rectilinear", "uniform")  # CELL_TOPOLOGIES are resampled

# Where a coordinate set has what makes the number of nodes along an axis.
_PLACES = {
    "uniform": {"x": "dims/i", "y": "dims/j", "z": "dims/k"},
    "rectilinear": {"x": "values/x", "y": "values/y", "z": "values/z"},
}


@dataclass(frozen=True)
class Grid:
    """The whole grid of a domain, ghosts included.

    Attributes:
        topology: its name.
        nodes: coordinates along x, y, z; float64 (n + 1,) each for n cells, strictly increasing,
            copies of what the simulation published.
    """

    topology: str
    nodes: tuple[Array, Array, Array]
    dimension: int = 3
    """2 for a mesh in a plane z = constant: one layer of cells around it."""

    @property
    def cells(self) -> Shape:
        """Cells (nz, ny, nx); none along any axis where the domain is empty."""
        x, y, z = self.nodes
        return max(z.size - 1, 0), max(y.size - 1, 0), max(x.size - 1, 0)

    @property
    def empty(self) -> bool:
        return 0 in self.cells

    def published(self, association: Association) -> Shape:
        """Samples (nz, ny, nx) that are published: one plane where the mesh lies in a plane."""
        nz, ny, nx = self.shape(association)
        return (nz if self.dimension == 3 else 1), ny, nx

    def shape(self, association: Association) -> Shape:
        """Samples (nz, ny, nx) of a field with this association."""
        nz, ny, nx = self.cells
        extra = 1 if association == "vertex" else 0
        return nz + extra, ny + extra, nx + extra


def read_grid(domain: Tree, topology: str, thickness: float | None = None) -> Grid:
    """The grid that `topologies/<topology>` describes; one without cells where the simulation gives
    no nodes along some axis. Raises MeshError. Not collective.

    thickness: of the layer of cells that stands for a mesh in a plane, the same for all domains;
    default: the smallest distance of this domain's grid lines.
    """
    path = f"topologies/{topology}"
    kind = require_text(domain, f"{path}/type")
    if kind not in SUPPORTED:
        raise MeshError(
            f"{path}/type: '{kind}' is not supported; "
            f"supported: {', '.join((*SUPPORTED, *CELL_TOPOLOGIES))}"
        )
    coordset = require_text(domain, f"{path}/coordset")
    known = group(domain, "coordsets")
    if coordset not in known:
        raise MeshError(
            f"coordsets/{coordset}: missing; {path}/coordset names it, {nearest(coordset, known)}"
        )
    given = require_text(domain, f"coordsets/{coordset}/type")
    if given != kind:
        raise MeshError(f"coordsets/{coordset}/type: '{given}', but {path}/type is '{kind}'")
    where = f"coordsets/{coordset}"
    x, y, z = (_uniform if kind == "uniform" else _rectilinear)(domain, where)
    if 0 in (x.size, y.size, z.size):
        return Grid(topology, (np.empty(0),) * 3)
    for name, nodes in (("x", x), ("y", y)):
        _check_size(f"{where}/{_PLACES[kind][name]}", nodes.size)
    if z.size > 1:
        return Grid(topology, (x, y, z))
    if thickness is None:
        thickness = float(min(np.diff(x).min(), np.diff(y).min()))
    return Grid(topology, (x, y, around(float(z[0]), thickness)), dimension=2)


def around(z: float, thickness: float) -> Array:
    """The two faces of the layer of cells around the plane at `z`, (2,)."""
    return np.array([z - 0.5 * thickness, z + 0.5 * thickness])


def _uniform(domain: Tree, path: str) -> tuple[Array, Array, Array]:
    """Nodes origin + i * spacing; `dims` count nodes; origin defaults to 0, spacing to 1. Without
    dims/k the mesh lies in a plane."""
    group(domain, f"{path}/dims")

    def axis(letter: str, name: str) -> Array:
        size = int(number(domain, f"{path}/dims/{letter}", default=1 if letter == "k" else None))
        origin = number(domain, f"{path}/origin/{name}", default=0.0)
        spacing = number(domain, f"{path}/spacing/d{name}", default=1.0)
        if spacing <= 0 and size > 1:
            raise MeshError(f"{path}/spacing/d{name}: {spacing:g} is not positive")
        return origin + spacing * np.arange(max(size, 0), dtype=np.float64)

    return axis("i", "x"), axis("j", "y"), axis("k", "z")


def _rectilinear(domain: Tree, path: str) -> tuple[Array, Array, Array]:
    """Nodes as listed in `values/x`, `/y`, `/z`. Without z the mesh lies in the plane z = 0."""
    group(domain, f"{path}/values")

    def axis(name: str) -> Array:
        values = f"{path}/values/{name}"
        if find(domain, values) is None and name == "z":
            return np.zeros(1)
        nodes = np.array(array(domain, values), dtype=np.float64).ravel()  # small: copied
        steps = np.diff(nodes)
        if not np.all(steps > 0):
            i = int(np.argmin(steps > 0))
            raise MeshError(
                f"{values}: not increasing: [{i}] is {nodes[i]:g}, [{i + 1}] is {nodes[i + 1]:g}"
            )
        return nodes

    return axis("x"), axis("y"), axis("z")


def _check_size(path: str, size: int) -> None:
    if size < 2:
        raise MeshError(f"{path}: {size} nodes make no cell; at least 2 are needed")
