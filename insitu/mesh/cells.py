"""Cells of unstructured and curvilinear meshes: hexahedra, tetrahedra, wedges, pyramids.

In: a domain's unstructured or curvilinear topology and its explicit coordinates.
Out: `Cells`: points, and eight corners per cell; cells with fewer corners repeat some of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Array
from insitu.mesh.tree import (
    MeshError,
    Tree,
    array,
    find,
    flat,
    group,
    nearest,
    number,
    require_text,
)

CELL_TOPOLOGIES = ("unstructured", "structured")

# The corners of each shape, numbered as in VTK and Blueprint, as those of a degenerate hexahedron.
# Collapsed edges and faces give the other shapes with their usual interpolation (linear in a
# tetrahedron and on triangles, bilinear on quadrilaterals), so cells of all shapes match at faces.
AS_HEXAHEDRON: dict[str, tuple[int, ...]] = {
    "hex": (0, 1, 2, 3, 4, 5, 6, 7),
    "wedge": (0, 1, 2, 2, 3, 4, 5, 5),
    "pyramid": (0, 1, 2, 3, 4, 4, 4, 4),
    "tet": (0, 1, 2, 2, 3, 3, 3, 3),
}
_CORNERS = {"hex": 8, "wedge": 6, "pyramid": 5, "tet": 4}


@dataclass(frozen=True)
class Cells:
    """The cells of one topology.

    Attributes:
        topology: its name.
        points: (n, 3) float64 x, y, z; a copy.
        corners: (m, 8) int64, indices of points, in the order of a VTK hexahedron.
        simplex: (m,) bool: whether the cell is a tetrahedron.
    """

    topology: str
    points: Array
    corners: Array
    simplex: Array

    def without(self, ghosts: Array) -> Cells:
        """The cells for which `ghosts` (m,) is 0, on the same points."""
        owned = ghosts == 0
        return Cells(self.topology, self.points, self.corners[owned], self.simplex[owned])


def is_made_of_cells(domain: Tree) -> bool:
    """Whether any topology of the domain is unstructured or curvilinear."""
    topologies = find(domain, "topologies")
    if not isinstance(topologies, dict):
        return False
    return any(
        isinstance(topology, dict) and topology.get("type") in CELL_TOPOLOGIES
        for topology in topologies.values()
    )


def read_cells(domain: Tree, topology: str) -> Cells:
    """The cells that `topologies/<topology>` describes. Raises MeshError. Not collective."""
    path = f"topologies/{topology}"
    kind = require_text(domain, f"{path}/type")
    if kind not in CELL_TOPOLOGIES:
        raise MeshError(f"{path}/type: '{kind}'; expected {' or '.join(CELL_TOPOLOGIES)}")
    points = _points(domain, path)
    if kind == "structured":
        corners = _curvilinear(domain, f"{path}/elements/dims", len(points))
        return Cells(topology, points, corners, np.zeros(len(corners), bool))
    corners, simplex = _elements(domain, f"{path}/elements")
    if corners.size and not (corners.min() >= 0 and corners.max() < len(points)):
        raise MeshError(
            f"{path}/elements/connectivity: points {corners.min()} to {corners.max()}, "
            f"the coordinate set has {len(points)}"
        )
    return Cells(topology, points, corners, simplex)


def _points(domain: Tree, path: str) -> Array:
    coordset = require_text(domain, f"{path}/coordset")
    known = group(domain, "coordsets")
    if coordset not in known:
        raise MeshError(
            f"coordsets/{coordset}: missing; {path}/coordset names it, {nearest(coordset, known)}"
        )
    where = f"coordsets/{coordset}"
    given = require_text(domain, f"{where}/type")
    if given != "explicit":
        raise MeshError(f"{where}/type: '{given}', but {path} is made of cells: it is 'explicit'")
    axes = []
    for name in "xyz":
        if find(domain, f"{where}/values/{name}") is None and name == "z":
            raise MeshError(f"{where}/values/z: missing; a 2-D mesh is not supported")
        axes.append(np.asarray(flat(domain, f"{where}/values/{name}"), np.float64))
    if len({axis.size for axis in axes}) != 1:
        sizes = ", ".join(str(axis.size) for axis in axes)
        raise MeshError(f"{where}/values: {sizes} values of x, y, z; expected as many of each")
    points = np.stack(axes, axis=1)
    if not np.isfinite(points).all():
        raise MeshError(
            f"{where}/values: not finite at point {int(np.argwhere(~np.isfinite(points))[0, 0])}"
        )
    return points


def _curvilinear(domain: Tree, path: str, n_points: int) -> Array:
    """Hexahedra between points that are numbered with x fastest."""
    ni, nj, nk = (int(number(domain, f"{path}/{letter}")) for letter in "ijk")  # cells
    if min(ni, nj, nk) < 1 or (ni + 1) * (nj + 1) * (nk + 1) != n_points:
        raise MeshError(
            f"{path}: {ni} x {nj} x {nk} cells; the coordinate set has {n_points} points, "
            f"expected {(ni + 1) * (nj + 1) * (nk + 1)}"
        )
    numbers = np.arange(n_points).reshape(nk + 1, nj + 1, ni + 1)
    low, high = slice(None, -1), slice(1, None)
    steps = ((low, low), (low, high), (high, high), (high, low))  # y, x: around a face
    faces = [[numbers[z, y, x] for y, x in steps] for z in (low, high)]
    return np.stack([f.ravel() for face in faces for f in face], axis=1)


def _elements(domain: Tree, path: str) -> tuple[Array, Array]:
    """Corners (m, 8) of an unstructured topology, and whether each cell is a tetrahedron (m,)."""
    shape = require_text(domain, f"{path}/shape")
    connectivity = array(domain, f"{path}/connectivity").ravel().astype(np.int64)
    if shape != "mixed":
        corners = _as_hexahedra(shape, connectivity, f"{path}/connectivity", f"{path}/shape")
        return corners, np.full(len(corners), shape == "tet")
    named = {
        int(np.asarray(v).reshape(())): name
        for name, v in group(domain, f"{path}/shape_map").items()
    }
    shapes, offsets = (array(domain, f"{path}/{name}").ravel() for name in ("shapes", "offsets"))
    if shapes.size != offsets.size:
        raise MeshError(f"{path}/offsets: {offsets.size} values, {path}/shapes has {shapes.size}")
    corners, simplex = np.empty((shapes.size, 8), np.int64), np.zeros(shapes.size, bool)
    for number_of_shape in np.unique(shapes).tolist():
        name = named.get(number_of_shape)
        if name is None:
            raise MeshError(f"{path}/shapes: {number_of_shape} is not in {path}/shape_map")
        of_shape = shapes == number_of_shape
        first = offsets[of_shape].astype(np.int64)
        n = _corner_count(name, f"{path}/shape_map")
        if first.size and not (first.min() >= 0 and first.max() + n <= connectivity.size):
            raise MeshError(f"{path}/offsets: beyond the {connectivity.size} of connectivity")
        those = connectivity[first[:, None] + np.arange(n)].ravel()
        corners[of_shape] = _as_hexahedra(name, those, f"{path}/connectivity", f"{path}/shape_map")
        simplex[of_shape] = name == "tet"
    return corners, simplex


def _as_hexahedra(shape: str, connectivity: Array, path: str, shape_path: str) -> Array:
    n = _corner_count(shape, shape_path)
    if connectivity.size % n:
        raise MeshError(f"{path}: {connectivity.size} values, not a multiple of {n} for '{shape}'")
    return np.asarray(connectivity.reshape(-1, n)[:, AS_HEXAHEDRON[shape]])


def _corner_count(shape: str, path: str) -> int:
    if shape not in _CORNERS:
        raise MeshError(
            f"{path}: '{shape}' is not supported; supported: {', '.join(_CORNERS)}, mixed"
        )
    return _CORNERS[shape]


def element_ghosts(domain: Tree, cells: Cells, ghost_field: str | None) -> Array:
    """Flags per cell, 0 for the domain's own cells; all 0 where no field flags ghosts."""
    path = f"fields/{ghost_field}"
    if ghost_field is None or find(domain, path) is None:
        return np.zeros(len(cells.corners), np.int8)
    if require_text(domain, f"{path}/topology") != cells.topology:
        return np.zeros(len(cells.corners), np.int8)
    flags = flat(domain, f"{path}/values")
    if flags.size != len(cells.corners):
        raise MeshError(f"{path}/values: {flags.size} values, expected {len(cells.corners)} cells")
    return flags
