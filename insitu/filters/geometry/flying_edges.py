"""Triangles where the values of a block cross an isovalue, by VTK's FlyingEdges (extra `vtk`).

In: values at the nodes of a block, slab by slab. Out: which edges of the lattice are crossed, the
triangles between them.

FlyingEdges (Schroeder, Maynard, Geveci, LDAV 2015) is given signs, not values: every vertex lies in
the middle of its edge then, so that the edge is known exactly and where on it is ours to say. Its
table decides each face of a cell by that face's four signs alone: cells, tiles and blocks beside
each other agree. An own kernel would not pay: of 80 ms for a network of 128^3 cells and 111 000
triangles FlyingEdges takes 8 (0.17 ms a tile), the network at the nodes and on the edges 60.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from insitu.core.arrays import Floats, Indices
from insitu.core.errors import ConfigError

TILE = 32
"""Cells along an axis."""
SLAB_NODES = 2**20
"""Values held at once, 8 MiB, or two layers of nodes where these are more."""


@dataclass(frozen=True)
class Contour:
    """Triangles between edges of a block's lattice."""

    edges: Indices
    """(n,): 3 * node + axis, each once; node counts in the order z, y, x, and axis is that of the
    edge (x 0, y 1, z 2), which goes from the node to the next one."""
    low: Floats
    """(n,): value less isovalue at the node."""
    high: Floats
    """(n,): the same at the next one; of unlike sign, zero being one of the positive."""
    triangles: Indices
    """(m, 3): places in `edges`, counterclockwise seen from lower values."""


def slabs(layers: int, layer: int) -> list[slice]:
    """Of a block of so many layers of `layer` nodes: each begins with the last one of the slab
    before."""
    step = min(max(SLAB_NODES // layer - 1, 1), TILE)
    return [slice(z, min(z + step, layers - 1) + 1) for z in range(0, layers - 1, step)]


class Contours:
    """Collects the contours of one block for several isovalues while its slabs pass by."""

    def __init__(self, shape: tuple[int, int, int], isovalues: Sequence[float]) -> None:
        """shape: nodes (nz, ny, nx)."""
        self._shape, self._isovalues = shape, isovalues
        self._parts: list[list[Contour]] = [[] for _ in isovalues]

    def add(self, first: int, slab: Floats) -> None:
        """Values (layers, ny, nx) of the nodes from layer `first` on, at least two layers.

        Cells with a corner that is not finite are left out.
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
    """Boxes of nodes that cover an array; each begins with the last nodes of the one before."""
    cuts = [[*range(0, n - 1, TILE), n - 1] for n in shape]
    for z, y, x in product(*(list(pairwise(cut)) for cut in cuts)):
        yield slice(z[0], z[1] + 1), slice(y[0], y[1] + 1), slice(x[0], x[1] + 1)


def _contour(values: Floats, start: Indices, shape: tuple[int, int, int]) -> Contour:
    """Where the values of a tile change sign; edges in no order. The tile begins at node `start`,
    x y z, of a block of nodes `shape`, z y x."""
    twice, triangles = _flying_edges(values)
    finite = np.isfinite(values)
    if not finite.all():
        # No triangle lies in a face of its cell, so its corners say which cell that is.
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
    if not found.GetNumberOfPolys():  # where only what is not finite has another sign
        return np.zeros((0, 3), np.int64), np.zeros((0, 3), np.int64)
    points = vtk_to_numpy(found.GetPoints().GetData())
    corners = vtk_to_numpy(found.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return np.rint(2 * points).astype(np.int64), corners.astype(np.int64)


def _join(parts: Sequence[Contour]) -> Contour:
    """Contours of tiles with each edge once."""
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
