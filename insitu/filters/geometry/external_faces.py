"""External faces: the domain's outer faces, and faces between kept and removed cells.

In: a partition, which cells are kept. Out: two triangles per face, with the fields' values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Axes, Indices, Mask
from insitu.core.geometry import Surface
from insitu.core.parallel import together
from insitu.filters.geometry.decomposition import Decomposition, Fields, Partition, partitions
from insitu.filters.geometry.edge_index import EdgeIndexing
from insitu.filters.geometry.interface_values import FACES, Face
from insitu.filters.geometry.join import join
from insitu.filters.geometry.surfaces import empty_surface, quads, with_values

if TYPE_CHECKING:
    from mpi4py import MPI


def boundary_surface(comm: MPI.Comm, fields: Fields) -> Surface:
    """This rank's share of the domain's outer faces, two triangles per cell face, with all fields
    at the cells' corners. Collective: one gather.

    Faces between blocks are excluded; the domain need not be a box. Fields are evaluated on the
    faces only.

    Raises RemoteError on every rank if one fails; ValueError if no rank has a block.
    """
    decomposition = Decomposition.gather(comm, fields)
    with together(comm, "outer faces"):
        pieces = [
            _outer_faces(decomposition, index, part)
            for index, part in zip(decomposition.mine, partitions(fields), strict=True)
        ]
        return join([empty_surface(decomposition.components), *pieces])


def outer(decomposition: Decomposition, index: int, face: Face, lines: Axes) -> Mask:
    """Mask of the cells at a block's face that have no block behind them: (n, m), along the two
    axes after the face's own.

    lines: coordinates x, y, z of the cells' corners.
    """
    axis, side = face
    box = decomposition.boxes[index]
    middles = [0.5 * (line[1:] + line[:-1]) for line in lines]
    points = np.empty((len(lines[(axis + 1) % 3]) - 1, len(lines[(axis + 2) % 3]) - 1, 3))
    points[..., axis] = box[side, axis]
    points[..., (axis + 1) % 3] = middles[(axis + 1) % 3][:, None]
    points[..., (axis + 2) % 3] = middles[(axis + 2) % 3]
    alone = np.ones(points.shape[:2], bool)
    for other in decomposition.touching(index):
        low, high = decomposition.boxes[other]
        alone &= ~((points >= low) & (points <= high)).all(axis=-1)
    return alone


def face_triangles(lines: Axes, axis: int, layer: int, chosen: Mask, up: bool) -> Indices:
    """Triangles (m, 3) of the faces `chosen`, (n, m) along the two axes after `axis`, at a line of
    the axis; oriented along the axis, or against it."""
    if not chosen.any():
        return np.zeros((0, 3), np.int64)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    apart = edges_of(lines).apart
    shape = len(lines[first]), len(lines[second])
    local = quads(shape, chosen)
    row, column = np.divmod(local, shape[1])
    triangles = layer * apart[axis] + row * apart[first] + column * apart[second]
    return triangles if up else triangles[:, ::-1]


def cells_surface(part: Partition, lines: Axes, kept: Mask, beyond: Mapping[Face, Mask]) -> Surface:
    """The faces around the kept cells, oriented outward.

    lines: coordinates x, y, z of the cells' corners, in the partition's box. kept: (nz, ny, nx).
    beyond: face of the block -> mask of cells with a kept cell behind them, as `outer`.
    """
    triangles = []
    for axis in range(3):
        # Layers of cells along the axis, each along the two axes after it.
        layers = kept.transpose(2 - axis, 2 - (axis + 1) % 3, 2 - (axis + 2) % 3)
        ends = [beyond[axis, 0], *layers, beyond[axis, 1]]
        for layer in range(len(layers) + 1):
            below, above = ends[layer], ends[layer + 1]
            # The neighbour draws its own faces.
            if layer < len(layers):
                triangles.append(face_triangles(lines, axis, layer, above & ~below, False))
            if layer > 0:
                triangles.append(face_triangles(lines, axis, layer, below & ~above, True))
    return faces_surface(part, lines, np.concatenate(triangles))


def faces_surface(part: Partition, lines: Axes, triangles: Indices) -> Surface:
    """Triangles between numbered points of a partition, as a surface."""
    held, triangles = np.unique(triangles, return_inverse=True)
    points = edges_of(lines).nodes_at(lines, held)
    return with_values(part, points, triangles.reshape(-1, 3).astype(np.int64))


def edges_of(lines: Axes) -> EdgeIndexing:
    """The numbering of the nodes of a grid with lines x, y, z."""
    return EdgeIndexing((len(lines[2]), len(lines[1]), len(lines[0])))


def _outer_faces(decomposition: Decomposition, index: int, part: Partition) -> Surface:
    """A block's share of the domain's outer faces."""
    lines = next(iter(part.values())).nodes
    triangles = [
        face_triangles(
            lines, face[0], face[1] * (len(lines[face[0]]) - 1),
            outer(decomposition, index, face, lines), bool(face[1]),
        )
        for face in FACES
    ]  # fmt: skip
    return faces_surface(part, lines, np.concatenate(triangles))
