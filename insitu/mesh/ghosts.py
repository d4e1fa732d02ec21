"""The owned cells of a block, and the valid ghost layers next to them.

In: flags per cell: 0 owned, 1 a valid ghost, anything else garbage.
Out: a `GhostBox` for each box of owned cells: the box and at most one valid ghost layer on each of
its six sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Array
from insitu.core.box import Box
from insitu.mesh.cover import cover
from insitu.mesh.partition import NO_LAYERS, Association, Layers, Shape
from insitu.mesh.tree import MeshError

OWNED, VALID, GARBAGE = 0, 1, 2

_MOST_BOXES = 512  # of a domain: more are a mistake in the flags


def ghost_names(ghost_field: str | Sequence[str] | None) -> tuple[str, ...]:
    """The fields that flag ghosts: none, one or several."""
    if ghost_field is None:
        return ()
    return (ghost_field,) if isinstance(ghost_field, str) else tuple(ghost_field)


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


def ghost_boxes(flags: Array, path: str) -> list[GhostBox]:
    """The boxes of owned cells and their valid layers according to `flags` (nz, ny, nx). Not
    collective.

    Usually the owned cells fill one box. Where they do not, as around cells that a finer level
    covers, several boxes do, each with the others' cells in its layers. [] where no cell is owned.

    Raises:
        MeshError: starting with `path`, when it takes more than `_MOST_BOXES`.
    """
    boxes = cover(flags == OWNED)
    if len(boxes) > _MOST_BOXES:
        raise MeshError(
            f"{path}: it takes {len(boxes)} boxes to cover the owned cells ({OWNED}), each a block "
            f"of its own; expected at most {_MOST_BOXES}"
        )
    if len(boxes) > 1:
        flags = np.where(flags == OWNED, VALID, flags)
    return [with_valid_layers(flags, box) for box in boxes]


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
