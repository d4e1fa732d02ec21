"""Cells of unstructured and curvilinear meshes: hexahedra, tetrahedra, wedges, pyramids; in a
plane, quadrilaterals and triangles, as one layer of hexahedra and wedges around it; or points.

In: a domain's unstructured or curvilinear topology and its explicit coordinates.
Out: `Cells`: points, and eight corners per cell; cells with fewer corners repeat some of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from insitu.core.arrays import Array
from insitu.mesh.ghosts import ghost_names
from insitu.mesh.points import cubes
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

CELL_TOPOLOGIES = ("unstructured", "structured", "points")

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
# Shapes in a plane, as a face of a hexahedron.
_RAISED: dict[str, tuple[int, ...]] = {"quad": (0, 1, 2, 3), "tri": (0, 1, 2, 2)}
_FLAT_CORNERS = {"quad": 4, "tri": 3}


@dataclass(frozen=True)
class Cells:
    """The cells of one topology.

    Attributes:
        topology: its name.
        points: (n, 3) float64 x, y, z; a copy.
        corners: (m, 8) int64, indices of points, in the order of a VTK hexahedron.
        simplex: (m,) bool: whether the cell is a tetrahedron.
        dimension: 2 for a mesh in a plane: `points` has the mesh's own twice, below and above the
            plane, and cells reach from one to the other.
    """

    topology: str
    points: Array
    corners: Array
    simplex: Array
    dimension: int = 3
    scattered: bool = False
    """Whether the cells are cubes around points without connectivity (`mesh.points`), which are
    all that the simulation has: values of elements and of vertices are theirs."""

    @property
    def n_published(self) -> int:
        """Number of points that the simulation has."""
        if self.scattered:
            return len(self.corners)
        return len(self.points) if self.dimension == 3 else len(self.points) // 2

    def without(self, ghosts: Array) -> Cells:
        """The cells for which `ghosts` (m,) is 0, on the same points."""
        owned = ghosts == 0
        return replace(self, corners=self.corners[owned], simplex=self.simplex[owned])


def topology_kind(domain: Tree, topology: str) -> str:
    """The type of a topology, as published."""
    return require_text(domain, f"topologies/{topology}/type")


def cells_are_empty(domain: Tree, topology: str) -> bool:
    """Whether an unstructured or curvilinear topology has no cells. Raises MeshError."""
    elements = f"topologies/{topology}/elements"
    if topology_kind(domain, topology) == "points":
        return len(_points(domain, f"topologies/{topology}")[0]) == 0
    if topology_kind(domain, topology) == "structured":
        dims = [number(domain, f"{elements}/dims/{letter}", default=1) for letter in "ijk"]
        return min(dims) < 1
    return array(domain, f"{elements}/connectivity").size == 0


def read_cells(domain: Tree, topology: str, thickness: float | None = None) -> Cells:
    """The cells that `topologies/<topology>` describes. Raises MeshError. Not collective.

    thickness: of the layer of cells that stands for a mesh in a plane, the same for all domains;
    default: the side of a square of the cells' mean area.
    """
    path = f"topologies/{topology}"
    kind = require_text(domain, f"{path}/type")
    if kind not in CELL_TOPOLOGIES:
        raise MeshError(f"{path}/type: '{kind}'; expected {' or '.join(CELL_TOPOLOGIES)}")
    points, flat_z = _points(domain, path)
    if _is_of_points(domain, topology):
        if kind == "unstructured":
            points = points[_indices(domain, path, len(points))]
        around, corners = cubes(points)
        return Cells(topology, around, corners, np.zeros(len(corners), bool), scattered=True)
    if kind == "structured":
        dims = f"{path}/elements/dims"
        in_plane = flat_z and number(domain, f"{dims}/k", default=0) < 1
        corners = _curvilinear(domain, dims, len(points), in_plane)
        simplex = np.zeros(len(corners), bool)
    else:
        corners, simplex = _elements(domain, f"{path}/elements", flat_z)
    if corners.size and not (corners.min() >= 0 and corners.max() < len(points)):
        raise MeshError(
            f"{path}/elements/connectivity: points {corners.min()} to {corners.max()}, "
            f"the coordinate set has {len(points)}"
        )
    if corners.shape[1] == 8:
        return Cells(topology, points, corners, simplex)
    if thickness is None:
        thickness = _mean_side(points, corners)
    half = np.array([0.0, 0.0, 0.5 * thickness])
    both = np.concatenate([points - half, points + half])
    raised = np.concatenate([corners, corners + len(points)], axis=1)
    return Cells(topology, both, raised, simplex, dimension=2)


def plane_spacing(domain: Tree, topology: str) -> float | None:
    """About the distance of the points of cells in a plane; None for cells in space, or where there
    are none. Reads coordinates only. Raises MeshError. Not collective."""
    elements = f"topologies/{topology}/elements"
    if _is_of_points(domain, topology):
        return None
    if topology_kind(domain, topology) == "structured":
        in_plane = number(domain, f"{elements}/dims/k", default=0) < 1
    else:
        in_plane = require_text(domain, f"{elements}/shape") in (*_FLAT_CORNERS, "mixed")
    if not in_plane:
        return None
    points, flat_z = _points(domain, f"topologies/{topology}")
    extent = np.ptp(points, axis=0)[:2] if flat_z else np.zeros(2)
    return float(np.sqrt(extent.prod() / len(points))) if extent.all() else None


def _is_of_points(domain: Tree, topology: str) -> bool:
    """Whether a topology has points only, no cells."""
    kind = topology_kind(domain, topology)
    shape = f"topologies/{topology}/elements/shape"
    return kind == "points" or (kind == "unstructured" and find(domain, shape) == "point")


def _indices(domain: Tree, path: str, n_points: int) -> Array:
    """The points that an unstructured topology of points names."""
    where = f"{path}/elements/connectivity"
    found = array(domain, where).ravel().astype(np.int64)
    if found.size and not (found.min() >= 0 and found.max() < n_points):
        raise MeshError(
            f"{where}: points {found.min()} to {found.max()}, the coordinate set has {n_points}"
        )
    return found


def _mean_side(points: Array, corners: Array) -> float:
    """Side of a square of the mean area of cells in a plane, corners (m, 4)."""
    a, b = (points[corners[:, i]] - points[corners[:, j]] for i, j in ((2, 0), (3, 1)))
    area = 0.5 * np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    return float(np.sqrt(area.mean())) if area.size and area.mean() > 0 else 1.0


def _points(domain: Tree, path: str) -> tuple[Array, bool]:
    """The points (n, 3), and whether all have the same z."""
    coordset = require_text(domain, f"{path}/coordset")
    known = group(domain, "coordsets")
    if coordset not in known:
        raise MeshError(
            f"coordsets/{coordset}: missing; {path}/coordset names it, {nearest(coordset, known)}"
        )
    where = f"coordsets/{coordset}"
    given = require_text(domain, f"{where}/type")
    if given != "explicit":
        raise MeshError(
            f"{where}/type: '{given}', but {path} is made of cells or points: it is 'explicit'"
        )
    axes: list[Array] = []
    for name in "xyz":
        if find(domain, f"{where}/values/{name}") is None and name == "z":
            axes.append(np.zeros(axes[0].size))
            continue
        axes.append(np.asarray(flat(domain, f"{where}/values/{name}"), np.float64))
    if len({axis.size for axis in axes}) != 1:
        sizes = ", ".join(str(axis.size) for axis in axes)
        raise MeshError(f"{where}/values: {sizes} values of x, y, z; expected as many of each")
    points = np.stack(axes, axis=1)
    if not np.isfinite(points).all():
        raise MeshError(
            f"{where}/values: not finite at point {int(np.argwhere(~np.isfinite(points))[0, 0])}"
        )
    return points, len(points) > 0 and bool(np.ptp(points[:, 2]) == 0)


def _curvilinear(domain: Tree, path: str, n_points: int, in_plane: bool) -> Array:
    """Hexahedra (m, 8) between points that are numbered with x fastest; in a plane, quadrilaterals
    (m, 4)."""
    if in_plane:
        ni, nj = (int(number(domain, f"{path}/{letter}")) for letter in "ij")
        if min(ni, nj) < 1 or (ni + 1) * (nj + 1) != n_points:
            raise MeshError(
                f"{path}: {ni} x {nj} cells; the coordinate set has {n_points} points, expected "
                f"{(ni + 1) * (nj + 1)}"
            )
        first = (np.arange(nj)[:, None] * (ni + 1) + np.arange(ni)).ravel()
        return first[:, None] + np.array([0, 1, ni + 2, ni + 1])
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


def _elements(domain: Tree, path: str, in_plane: bool) -> tuple[Array, Array]:
    """Corners (m, 8) of an unstructured topology, (m, 4) in a plane, and whether each cell is a
    tetrahedron (m,)."""
    shape = require_text(domain, f"{path}/shape")
    connectivity = array(domain, f"{path}/connectivity").ravel().astype(np.int64)
    if shape != "mixed":
        shapes = _Shapes(in_plane, f"{path}/shape")
        corners = shapes.corners(shape, connectivity, f"{path}/connectivity")
        return corners, np.full(len(corners), shape == "tet")
    named = {
        int(np.asarray(v).reshape(())): name
        for name, v in group(domain, f"{path}/shape_map").items()
    }
    shapes = _Shapes(in_plane, f"{path}/shape_map")
    which, offsets = (array(domain, f"{path}/{name}").ravel() for name in ("shapes", "offsets"))
    if which.size != offsets.size:
        raise MeshError(f"{path}/offsets: {offsets.size} values, {path}/shapes has {which.size}")
    corners = np.empty((which.size, 4 if in_plane else 8), np.int64)
    simplex = np.zeros(which.size, bool)
    for number_of_shape in np.unique(which).tolist():
        name = named.get(number_of_shape)
        if name is None:
            raise MeshError(f"{path}/shapes: {number_of_shape} is not in {path}/shape_map")
        of_shape = which == number_of_shape
        first = offsets[of_shape].astype(np.int64)
        n = shapes.count(name)
        if first.size and not (first.min() >= 0 and first.max() + n <= connectivity.size):
            raise MeshError(f"{path}/offsets: beyond the {connectivity.size} of connectivity")
        those = connectivity[first[:, None] + np.arange(n)].ravel()
        corners[of_shape] = shapes.corners(name, those, f"{path}/connectivity")
        simplex[of_shape] = name == "tet"
    return corners, simplex


@dataclass(frozen=True)
class _Shapes:
    """The shapes of cells: in space, or in a plane."""

    in_plane: bool
    path: str  # of their names

    def corners(self, shape: str, connectivity: Array, path: str) -> Array:
        """The corners of cells of one shape as those of hexahedra, or of quadrilaterals."""
        n = self.count(shape)
        if connectivity.size % n:
            raise MeshError(
                f"{path}: {connectivity.size} values, not a multiple of {n} for '{shape}'"
            )
        order = (_RAISED if self.in_plane else AS_HEXAHEDRON)[shape]
        return np.asarray(connectivity.reshape(-1, n)[:, order])

    def count(self, shape: str) -> int:
        """Number of corners of a shape."""
        known = _FLAT_CORNERS if self.in_plane else _CORNERS
        if shape in known:
            return known[shape]
        if shape in _FLAT_CORNERS:
            raise MeshError(
                f"{self.path}: '{shape}' on points of different z: surfaces in space are not "
                f"supported, meshes in a plane z = constant are"
            )
        raise MeshError(
            f"{self.path}: '{shape}' is not supported; supported: {', '.join(_CORNERS)}, mixed; "
            f"in a plane: {', '.join(_FLAT_CORNERS)}, mixed"
        )


def element_ghosts(domain: Tree, cells: Cells, ghost_field: str | Sequence[str] | None) -> Array:
    """Flags per cell, 0 for the domain's own cells; all 0 where no field flags ghosts."""
    flags = np.zeros(len(cells.corners), np.int8)
    for name in ghost_names(ghost_field):
        path = f"fields/{name}"
        if find(domain, path) is None:
            continue
        if require_text(domain, f"{path}/topology") != cells.topology:
            continue
        found = flat(domain, f"{path}/values")
        if found.size != len(flags):
            raise MeshError(f"{path}/values: {found.size} values, expected {len(flags)} cells")
        flags |= np.not_equal(found, 0)
    return flags
