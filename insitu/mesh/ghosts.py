"""The owned cells of a block, and the valid ghost layers next to them.

In: flags per cell: 0 owned, 1 a valid ghost, anything else garbage.
Out: `GhostBox`: the owned box and at most one valid ghost layer on each of its six sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Array
from insitu.core.box import Box
from insitu.mesh.partition import NO_LAYERS, Association, Layers, Shape
from insitu.mesh.tree import MeshError

OWNED, VALID, GARBAGE = 0, 1, 2


@dataclass(frozen=True)
class GhostBox:
    """The owned cells `owned` of a block, and the valid ghost layers `layers` around them."""

    owned: Box
    layers: Layers = NO_LAYERS

    @classmethod
    def whole(cls, shape: Shape) -> GhostBox:
        """A block of `shape` (nz, ny, nx) cells without ghosts."""
        nz, ny, nx = shape
        return cls((slice(0, nz), slice(0, ny), slice(0, nx)))

    def without_layers(self) -> GhostBox:
        return GhostBox(self.owned)

    def slices(self, association: Association) -> Box:
        """Slices z, y, x of the owned samples and ghost layers in the block's array.

        For vertices: those of the owned cells, and the outer ones of each valid layer of cells.
        """
        extra = 1 if association == "vertex" else 0
        z, y, x = (
            slice(own.start - low, own.stop + extra + high)
            for own, (low, high) in zip(self.owned, self.layers, strict=True)
        )
        return z, y, x

    def nodes(self, nodes: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        """Node coordinates of the owned box, from the whole block's `nodes`; both in x, y, z."""
        z, y, x = (slice(own.start, own.stop + 1) for own in self.owned)
        return nodes[0][x].copy(), nodes[1][y].copy(), nodes[2][z].copy()


def ghost_box(flags: Array, path: str) -> GhostBox:
    """The owned box and valid layers according to `flags` (nz, ny, nx). Not collective.

    The owned cells must fill a box.

    Raises:
        MeshError: starting with `path`, when no cell is owned or the owned cells do not fill a box.
    """
    return with_valid_layers(flags, owned_box(flags == OWNED, path))


def with_valid_layers(flags: Array, owned: Box) -> GhostBox:
    """The box `owned` with the valid layers around it according to `flags` (nz, ny, nx). Not
    collective.

    A side gets a layer when all cells next to it are VALID, including the edges and corners shared
    with layers added before, because readers interpolate across them. Sides are tried in the order
    z low, z high, y low, y high, x low, x high: where faces are valid but edges are not, the z
    layers are kept.
    """
    layers = [[0, 0], [0, 0], [0, 0]]
    for axis in range(3):
        for side in (0, 1):
            slab = _slab(owned, layers, axis, side, flags.shape[axis])
            layers[axis][side] = int(slab is not None and bool(np.all(flags[slab] == VALID)))
    z, y, x = ((low, high) for low, high in layers)
    return GhostBox(owned, (z, y, x))


def owned_box(owned: Array, path: str) -> Box:
    """The box that the true cells of `owned` (nz, ny, nx) fill exactly."""
    ranges = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        (inside,) = np.nonzero(owned.any(axis=others))
        if inside.size == 0:
            raise MeshError(f"{path}: no cell is {OWNED} (owned)")
        ranges.append(slice(int(inside[0]), int(inside[-1]) + 1))
    z, y, x = ranges
    box = owned[z, y, x]
    if not box.all():
        k, j, i = (int(n) for n in np.argwhere(~box)[0])
        raise MeshError(
            f"{path}: the {int(box.sum())} owned cells ({OWNED}) fill no box: "
            f"i {x.start}..{x.stop - 1}, j {y.start}..{y.stop - 1}, k {z.start}..{z.stop - 1} "
            f"bounds them, but cell ({x.start + i}, {y.start + j}, {z.start + k}) in it is a ghost"
        )
    return z, y, x


def _slab(
    owned: Box, layers: list[list[int]], axis: int, side: int, length: int
) -> tuple[slice, ...] | None:
    """Index of the one-cell layer next to `side` of the box with its layers; None outside."""
    place = owned[axis].start - 1 if side == 0 else owned[axis].stop
    if not 0 <= place < length:
        return None
    index = [
        slice(own.start - low, own.stop + high)
        for own, (low, high) in zip(owned, layers, strict=True)
    ]
    index[axis] = slice(place, place + 1)
    return tuple(index)
