"""Isosurface triangles of a block, by VTK's FlyingEdges (extra `vtk`).

In: values at the nodes of a block, slab by slab. Out: the crossed edges of the grid, and the
triangles between them.

FlyingEdges (Schroeder, Maynard, Geveci, LDAV 2015) is given signs, not values: every vertex is then
at the middle of its edge, which identifies the edge exactly, and the crossing on it is found here.
Its table treats each face of a cell by the four signs on that face alone, so that adjacent cells,
tiles and blocks match. A kernel of our own would not pay: of 80 ms for a network of 128^3 cells and
111 000 triangles, FlyingEdges takes 8 (0.17 ms a tile), evaluating the network 60.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from insitu.core.arrays import Floats, Indices
from insitu.core.errors import ConfigError

TILE = 32
"""Cells of a tile along each axis."""
SLAB_NODES = 2**20
"""Values held at once, 8 MiB, or two layers of nodes if that is more."""


@dataclass(frozen=True)
class Contour:
    """Triangles between edges of a block's grid."""

    edges: Indices
    """(n,), unique: 3 * node + axis, with nodes numbered in the order z, y, x and the axis of the
    edge (x 0, y 1, z 2), which goes from the node to the next one."""
    low: Floats
    """(n,): value minus isovalue at the node."""
    high: Floats
    """(n,): the same at the next node, with the opposite sign; zero counts as positive."""
    triangles: Indices
    """(m, 3): indices into `edges`, counterclockwise as seen from lower values."""


def slabs(layers: int, layer: int) -> list[slice]:
    """Slabs of a block with a number of layers of `layer` nodes; each begins with the last layer of
    the previous one."""
    step = min(max(SLAB_NODES // layer - 1, 1), TILE)
    return [slice(z, min(z + step, layers - 1) + 1) for z in range(0, layers - 1, step)]


class Contours:
    """Collects the contours of one block for several isovalues, slab by slab."""

    def __init__(self, shape: tuple[int, int, int], isovalues: Sequence[float]) -> None:
        """shape: number of nodes, (nz, ny, nx)."""
        self._shape, self._isovalues = shape, isovalues
        self._parts: list[list[Contour]] = [[] for _ in isovalues]

    def add(self, first: int, slab: Floats) -> None:
        """Values (layers, ny, nx) of the nodes from layer `first` on, at least two layers.

        Cells with a non-finite corner are skipped.
        """
        for box in _tiles(slab.shape):
            tile = slab[box]
            low, high = np.fmin.reduce(tile, axis=None), np.fmax.reduce(tile, axis=None)
            start = np.array([box[2].start, box[1].start, first + box[0].start])
            for isovalue, parts in zip(self._isovalues, self._parts, strict=True):
                if low < isovalue <= high:
                    parts.append(_contour(tile - isovalue, start, self._shape))

    def join(self) -> list[Contour]:
        """One contour per isovalue."""
        return [_join(parts) for parts in self._parts]


def _tiles(shape: Sequence[int]) -> Iterator[tuple[slice, slice, slice]]:
    """Boxes of nodes that cover an array; each begins with the last nodes of the previous one."""
    cuts = [[*range(0, n - 1, TILE), n - 1] for n in shape]
    for z, y, x in product(*(list(pairwise(cut)) for cut in cuts)):
        yield slice(z[0], z[1] + 1), slice(y[0], y[1] + 1), slice(x[0], x[1] + 1)


def _contour(values: Floats, start: Indices, shape: tuple[int, int, int]) -> Contour:
    """The contour in a tile, with edges in no particular order. The tile begins at node `start`,
    x y z, of a block of `shape` nodes, z y x."""
    twice, triangles = _flying_edges(values)
    finite = np.isfinite(values)
    if not finite.all():
        # No triangle lies in a face of its cell, so its corners identify the cell.
        corners = twice[triangles]
        x, y, z = ((corners.min(axis=1) + corners.max(axis=1)) // 4).T
        whole = finite[:-1]
        whole = whole & finite[1:]
        whole = whole[:, :-1] & whole[:, 1:]
        whole = whole[..., :-1] & whole[..., 1:]
        kept, triangles = np.unique(triangles[whole[z, y, x]], return_inverse=True)
        twice, triangles = twice[kept], triangles.reshape(-1, 3)
    axis = np.argmax(twice & 1, axis=1)
    x, y, z = (twice >> 1).T
    low = values[z, y, x]
    high = values[z + (axis == 2), y + (axis == 1), x + (axis == 0)]
    x, y, z = ((twice >> 1) + start).T
    return Contour(3 * ((z * shape[1] + y) * shape[2] + x) + axis, low, high, triangles)


def _flying_edges(values: Floats) -> tuple[Indices, Indices]:
    """Vertices (n, 3), twice their coordinates x y z in nodes, and triangles (m, 3)."""
    try:
        from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
        from vtkmodules.vtkCommonDataModel import vtkImageData
        from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D
    except ModuleNotFoundError as error:
        raise ConfigError(
            [f"isosurfaces need {error.name}: python -m pip install 'insitu-inr[vtk]'"]
        ) from None

    signs = np.where(values >= 0, 1, -1).astype(np.int8)
    image = vtkImageData()
    image.SetDimensions(*values.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(signs.ravel()))
    contour = vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.0)
    contour.ComputeNormalsOff()
    contour.ComputeScalarsOff()
    contour.Update()
    found = contour.GetOutput()
    if not found.GetNumberOfPolys():  # sign changes due to non-finite values only
        return np.zeros((0, 3), np.int64), np.zeros((0, 3), np.int64)
    points = vtk_to_numpy(found.GetPoints().GetData())
    corners = vtk_to_numpy(found.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return np.rint(2 * points).astype(np.int64), corners.astype(np.int64)


def _join(parts: Sequence[Contour]) -> Contour:
    """Join the contours of tiles, with unique edges."""
    none = Contour(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros((0, 3), np.int64))
    parts = [none, *parts]
    edges, first, places = np.unique(
        np.concatenate([part.edges for part in parts]), return_index=True, return_inverse=True
    )
    starts = np.cumsum([0, *(len(part.edges) for part in parts)])
    corners = [part.triangles + at for part, at in zip(parts, starts, strict=False)]
    return Contour(
        edges,
        np.concatenate([part.low for part in parts])[first],
        np.concatenate([part.high for part in parts])[first],
        places.reshape(-1)[np.concatenate(corners)],
    )
