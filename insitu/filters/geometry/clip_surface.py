"""The surface of the part of a block where a function is in a range, cutting through cells.

In: a partition, the function at its nodes. Out: the cut and the kept part of the outer faces, with
the fields' values. Each cell is split into six tetrahedra, on which the function is linear. Cuts
match between cells, between cells and faces, and between blocks, so the surface is closed.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np

from insitu.core.arrays import Axes, Floats, Indices
from insitu.core.geometry import Surface
from insitu.filters.geometry.decomposition import Decomposition, Partition
from insitu.filters.geometry.derived_block import SLAB_POINTS
from insitu.filters.geometry.external_faces import edges_of, face_triangles, outer
from insitu.filters.geometry.interface_values import FACES, Face, FaceNodes
from insitu.filters.geometry.surfaces import with_values
from insitu.filters.geometry.tetrahedra import Cut, clip_triangles, cut_tetrahedra, inside


def solid_surface(
    decomposition: Decomposition,
    index: int,
    part: Partition,
    values: Callable[[list[Floats]], Floats],
    faces: FaceNodes,
    low: float,
    high: float,
) -> Surface:
    """The surface of the part of a block where low < value < high, oriented outward.

    values: function of a grid of world coordinates x, y, z -> (nz, ny, nx). faces: its values at
    the block's faces, agreed with the neighbours. low, high: at least one is finite. Nodes without
    a finite value are outside. At most 2^16 nodes, or two layers, are evaluated at a time.
    """
    nodes = next(iter(part.values())).nodes
    n_layers = len(nodes[2])
    edges = edges_of(nodes)
    apart = edges.apart
    cuts = []
    layers = max(1, SLAB_POINTS // apart[2] - 1)
    last: Floats | None = None
    for z in range(0, n_layers - 1, layers):
        stop = min(z + layers + 1, n_layers)
        start = z if last is None else z + 1  # evaluate each layer once
        slab: Floats = np.array(values([nodes[0], nodes[1], nodes[2][start:stop]]), np.float64)
        faces.put(slab, start)
        slab = inside(slab, low, high)
        slab = slab if last is None else np.concatenate([last, slab])
        last = slab[-1:]
        for level, above in ((low, True), (high, False)):
            if np.isfinite(level):
                cut = _cut_cells(slab, level, above)
                cuts.append(Cut(cut.ends + z * apart[2], cut.t))
    for face in FACES:
        axis, side = face
        of_face = inside(faces.on_face(face), low, high)
        local = [line if a != axis else line[[0]] for a, line in enumerate(nodes)]
        triangles = face_triangles(
            (local[0], local[1], local[2]), axis, 0,
            outer(decomposition, index, face, nodes), bool(side),
        )  # fmt: skip
        cut = clip_triangles(triangles, of_face.ravel(), low, high)
        cuts.append(Cut(_in_block(cut.ends, local, nodes, face), cut.t))
    ends, t, triangles = Cut.join(cuts).welded()
    a, b = (edges.nodes_at(nodes, ends[:, i]) for i in range(2))
    return with_values(part, a + t[:, None] * (b - a), triangles)


def _cut_cells(values: Floats, level: float, above: bool) -> Cut:
    """The level set in the cells between nodes (nz, ny, nx)."""
    kept = values > level if above else values < level
    some, every = kept, kept
    for axis in range(3):
        first: list[Any] = [slice(None)] * 3
        second: list[Any] = [slice(None)] * 3
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        some = some[tuple(first)] | some[tuple(second)]
        every = every[tuple(first)] & every[tuple(second)]
    z, y, x = np.nonzero(some & ~every)
    _, ny, nx = values.shape
    corner = (z * ny + y) * nx + x
    return cut_tetrahedra(_tetrahedra(corner, (1, nx, nx * ny)), values.ravel(), level, above)


def _tetrahedra(corner: Indices, apart: tuple[int, int, int]) -> Indices:
    """Six tetrahedra per cell, around the diagonal from its lowest corner (n,); each face is split
    along the diagonal from its lowest corner (Kuhn's subdivision). (6 n, 4), positively
    oriented."""
    parts = []
    for order in permutations(range(3)):
        steps = np.cumsum([0, *(apart[axis] for axis in order)])
        even = order in ((0, 1, 2), (1, 2, 0), (2, 0, 1))
        steps = steps if even else steps[[0, 1, 3, 2]]
        parts.append(corner[:, None] + steps)
    return np.concatenate(parts)


def _in_block(ends: Indices, local: list[Floats], nodes: Axes, face: Face) -> Indices:
    """Point numbers of a face, in the numbering of the whole block."""
    nx, ny, _ = (len(line) for line in local)
    place = [ends % nx, ends // nx % ny, ends // (nx * ny)]
    axis, side = face
    place[axis] = np.full_like(ends, side * (len(nodes[axis]) - 1))
    return sum(
        (at * step for at, step in zip(place, edges_of(nodes).apart, strict=True)), np.int64(0)
    )
