"""The grid of a domain, from its topology and coordinate set.

In: a domain's tree and a topology's name.
Out: `Grid`: node coordinates along x, y and z, ghost cells included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Array
from insitu.mesh.cells import CELL_TOPOLOGIES
from insitu.mesh.partition import Association, Shape
from insitu.mesh.tree import MeshError, Tree, array, find, group, nearest, number, require_text

SUPPORTED = ("rectilinear", "uniform")  # CELL_TOPOLOGIES are resampled


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

    @property
    def cells(self) -> Shape:
        """Cells (nz, ny, nx)."""
        x, y, z = self.nodes
        return z.size - 1, y.size - 1, x.size - 1

    def shape(self, association: Association) -> Shape:
        """Samples (nz, ny, nx) of a field with this association."""
        nz, ny, nx = self.cells
        extra = 1 if association == "vertex" else 0
        return nz + extra, ny + extra, nx + extra


def read_grid(domain: Tree, topology: str) -> Grid:
    """The grid that `topologies/<topology>` describes. Raises MeshError. Not collective."""
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
    read = _uniform if kind == "uniform" else _rectilinear
    return Grid(topology, read(domain, f"coordsets/{coordset}"))


def _uniform(domain: Tree, path: str) -> tuple[Array, Array, Array]:
    """Nodes origin + i * spacing; `dims` count nodes; origin defaults to 0, spacing to 1."""
    group(domain, f"{path}/dims")

    def axis(letter: str, name: str) -> Array:
        dim = f"{path}/dims/{letter}"
        if find(domain, dim) is None and letter == "k":
            raise MeshError(f"{dim}: missing; a 2-D mesh is not supported, one layer of cells is")
        size = int(number(domain, dim))
        _check_size(dim, size)
        origin = number(domain, f"{path}/origin/{name}", default=0.0)
        spacing = number(domain, f"{path}/spacing/d{name}", default=1.0)
        if spacing <= 0:
            raise MeshError(f"{path}/spacing/d{name}: {spacing:g} is not positive")
        return origin + spacing * np.arange(size, dtype=np.float64)

    return axis("i", "x"), axis("j", "y"), axis("k", "z")


def _rectilinear(domain: Tree, path: str) -> tuple[Array, Array, Array]:
    """Nodes as listed in `values/x`, `/y`, `/z`."""
    group(domain, f"{path}/values")

    def axis(name: str) -> Array:
        values = f"{path}/values/{name}"
        if find(domain, values) is None and name == "z":
            raise MeshError(
                f"{values}: missing; a 2-D mesh is not supported, one layer of cells is"
            )
        nodes = np.array(array(domain, values), dtype=np.float64).ravel()  # small: copied
        _check_size(values, nodes.size)
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
