"""Values at the nodes on the faces of blocks, the same in all blocks that have a node.

In: each block's own values, which differ as their networks do. Out: one value per node, so that
what is cut on both sides of a face fits together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from insitu.extract.cell_faces import FACES, Face
from insitu.extract.decomposition import ROUNDING, Decomposition, exchange

if TYPE_CHECKING:
    from mpi4py import MPI

Floats = NDArray[np.floating[Any]]
Lines = tuple[Floats, Floats, Floats]
Shell = dict[Face, Floats]
"""By face of a block: values at its nodes (nz, ny, nx), one layer thick."""
Parcel = tuple[int, int, list[Floats], Floats]
"""For a block, from a block: coordinates x, y, z and values (nz, ny, nx) of nodes they share."""


def shell(values: Callable[[list[Floats]], Floats], nodes: Lines) -> Shell:
    """A block's own values at the nodes of its faces; an edge has the same in all its faces.

    values: of a grid of world coordinates x, y, z -> (nz, ny, nx).
    """
    faces: Shell = {}
    for axis, side in FACES:
        lines: list[Floats] = list(nodes)
        lines[axis] = nodes[axis][[-side]]
        faces[axis, side] = np.array(values(lines), np.float64)
    _settle(faces)
    return faces


def agree_on_shells(
    comm: MPI.Comm, decomposition: Decomposition, shells: list[Shell], nodes: list[Lines]
) -> list[Shell]:
    """Shells of this rank's blocks with the values of the block that is last in order, wherever a
    node is in several. Collective: one all-to-all of the values on the faces between blocks.

    Where the nodes of two blocks do not fit together, each keeps its own.
    """
    tolerance = ROUNDING * decomposition.spacing
    parcels: list[tuple[int, Parcel]] = []
    for index, faces, lines in zip(decomposition.mine, shells, nodes, strict=True):
        for other in decomposition.touching(index).tolist():
            if other < index:
                parcel = _parcel(decomposition, index, other, faces, lines, tolerance)
                parcels.append((int(decomposition.ranks[other]), parcel))
    received = sorted(exchange(comm, parcels), key=lambda parcel: parcel[1])
    agreed = []
    for index, faces, lines in zip(decomposition.mine, shells, nodes, strict=True):
        mine = {face: values.copy() for face, values in faces.items()}
        for to, _, theirs, values in received:
            if to == index:
                _take(mine, lines, theirs, values, tolerance)
        agreed.append(mine)
    return agreed


def put(values: Floats, first: int, faces: Shell, n_layers: int) -> None:
    """Replace values (nz, ny, nx) at the faces of the block, from layer `first` of `n_layers` on,
    in place."""
    last = first + len(values)
    for axis in (2, 1, 0):  # as `_settle` has it, x counts most
        for side in range(2):
            face = faces[axis, side]
            if axis < 2:
                place: list[Any] = [slice(None)] * 3
                place[2 - axis] = slice(-1, None) if side else slice(0, 1)
                values[tuple(place)] = face[first:last]
            elif first <= (layer := side * (n_layers - 1)) < last:
                values[layer - first] = face[0]


def _settle(faces: Shell) -> None:
    """Edges of a face get the values of the faces along x, else along y."""
    for axis, other in ((1, 0), (2, 1), (2, 0)):
        for side in range(2):
            for end in range(2):
                to: list[Any] = [slice(None)] * 3
                of: list[Any] = [slice(None)] * 3
                to[2 - other] = slice(-1, None) if end else slice(0, 1)
                of[2 - axis] = slice(-1, None) if side else slice(0, 1)
                faces[axis, side][tuple(to)] = faces[other, end][tuple(of)]


def _parcel(
    decomposition: Decomposition,
    index: int,
    other: int,
    faces: Shell,
    lines: Lines,
    tolerance: float,
) -> Parcel:
    low = np.maximum(decomposition.boxes[index][0], decomposition.boxes[other][0])
    high = np.minimum(decomposition.boxes[index][1], decomposition.boxes[other][1])
    axis = int(np.flatnonzero(low == high)[0])
    side = int(decomposition.boxes[index][1, axis] == low[axis])
    inside = [
        np.flatnonzero((line >= a - tolerance) & (line <= b + tolerance))
        for line, a, b in zip(lines, low, high, strict=True)
    ]
    shared = [line[i] for line, i in zip(lines, inside, strict=True)]
    inside[axis] = np.array([0])
    return other, index, shared, faces[axis, side][np.ix_(*inside[::-1])]


def _take(
    mine: Shell, lines: Lines, theirs: list[Floats], values: Floats, tolerance: float
) -> None:
    to, of = [], []  # node numbers along x, y, z: here, and in what was received
    for line, their in zip(lines, theirs, strict=True):
        near = np.clip(np.searchsorted(line, their - tolerance), 0, len(line) - 1)
        same = np.abs(line[near] - their) <= tolerance
        to.append(near[same])
        of.append(np.flatnonzero(same))
    values = values[np.ix_(*of[::-1])]
    for axis, side in FACES:
        on_face = to[axis] == side * (len(lines[axis]) - 1)
        if not on_face.any():
            continue
        place = list(to)
        place[axis] = np.array([0])
        layer = np.compress(on_face, values, axis=2 - axis)
        mine[axis, side][np.ix_(*place[::-1])] = layer
