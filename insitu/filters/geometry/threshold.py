"""Keeps whole cells whose values are in a range: Ascent's `threshold`.

In: each rank's blocks, with a scalar field, two values. Out: the kept cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats, Mask
from insitu.core.geometry import Surface
from insitu.core.parallel import together
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.clipped_volume import ClippedVolume, clipped_volume, scalar
from insitu.filters.geometry.decomposition import Decomposition, Fields, exchange, partitions
from insitu.filters.geometry.derived_block import SLAB_POINTS
from insitu.filters.geometry.external_faces import cells_surface
from insitu.filters.geometry.interface_values import FACES, Face
from insitu.filters.geometry.masked_block import OfCells, unmasked

if TYPE_CHECKING:
    from mpi4py import MPI

Layer = tuple[int, Face, Floats, Floats, Mask]
"""Cells behind a face of a block: lines along the two axes after the face's, mask of kept cells."""


def threshold(
    comm: MPI.Comm,
    fields: Fields,
    field: str,
    min_value: float,
    max_value: float,
    *,
    invert: bool = False,
) -> ClippedVolume:
    """Keep cells whose value is in min_value..max_value, both included; with `invert`, the others.
    Collective.

    As in Ascent, the test uses the value at the cell's centre for element data, and any of the
    corner values for vertex data. Cells of NaN are never kept, not even with `invert`; nor are
    cells whose centre, or all of whose corners, an earlier clip removed. The surface consists of
    whole faces. The result stores one bit per cell; extracting the surface takes a byte per cell.

    Raises RemoteError on every rank if one fails; ValueError if no rank has a block.
    """
    decomposition = Decomposition.gather(comm, fields)
    with together(comm, "threshold"):
        if not min_value <= max_value:
            raise ValueError(f"min_value: {min_value} is not at most max_value, {max_value}")
        blocks = [scalar(part, field) for part in partitions(fields)]
        parts = [unmasked(part)[0] for part in partitions(fields)]
        regions = [OfCells.pack(_kept(b, min_value, max_value, invert), b.nodes) for b in blocks]

    def pieces(comm: MPI.Comm) -> list[Surface]:
        with together(comm, "surface of a threshold"):
            kept = [region.cells for region in regions]
            sent = [
                parcel
                for index, cells, block in zip(decomposition.mine, kept, blocks, strict=True)
                for parcel in _layers(decomposition, index, cells, block.nodes)
            ]
        received = exchange(comm, sent)
        with together(comm, "surface of a threshold"):
            found = []
            mine = zip(decomposition.mine, parts, kept, blocks, strict=True)
            for index, part, cells, block in mine:
                beyond = _beyond(block.nodes, [r for r in received if r[0] == index])
                found.append(cells_surface(part, block.nodes, cells, beyond))
            return found

    return clipped_volume(fields, decomposition.components, regions, pieces)


def _kept(block: SampledBlock, low: float, high: float, invert: bool) -> Mask:
    """Mask of the kept cells (nz, ny, nx), computed slab by slab."""
    nz, ny, nx = block.cells
    vertex = block.association == "vertex"
    ys, xs = (np.arange(n + 1) / n if vertex else (np.arange(n) + 0.5) / n for n in (ny, nx))
    kept = np.empty(block.cells, bool)
    layers = max(1, SLAB_POINTS // (len(ys) * len(xs)))
    for z in range(0, nz, layers):
        count = min(layers, nz - z)
        zs = (z + np.arange(count + 1)) / nz if vertex else (z + np.arange(count) + 0.5) / nz
        values = np.asarray(block.on_grid(xs, ys, zs))[..., 0]
        inside, known = (values >= low) & (values <= high), ~np.isnan(values)
        if vertex:
            inside, known = _any_corner(inside), _any_corner(known)
        kept[z : z + count] = (inside != invert) & known
    return kept


def _any_corner(nodes: Mask) -> Mask:
    """Whether any corner is set, for the cells between nodes (nz, ny, nx)."""
    for axis in range(3):
        n = nodes.shape[axis]
        nodes = nodes.take(range(n - 1), axis) | nodes.take(range(1, n), axis)
    return nodes


def _layers(
    decomposition: Decomposition, index: int, kept: Mask, nodes: tuple[Floats, Floats, Floats]
) -> list[tuple[int, Layer]]:
    """This block's outermost cells, for the blocks behind each face."""
    parcels = []
    for axis, side in FACES:
        place = decomposition.boxes[index][side, axis]
        first, second = (axis + 1) % 3, (axis + 2) % 3
        cells = kept.transpose(2 - axis, 2 - first, 2 - second)[-1 if side else 0]
        for other in decomposition.touching(index).tolist():
            if decomposition.boxes[other][1 - side, axis] == place:
                layer = (other, (axis, 1 - side), nodes[first], nodes[second], cells)
                parcels.append((int(decomposition.ranks[other]), layer))
    return parcels


def _beyond(nodes: tuple[Floats, Floats, Floats], layers: list[Layer]) -> dict[Face, Mask]:
    """By face: the cells that have a kept cell behind them; none at the domain's outer faces."""
    beyond = {}
    for axis, side in FACES:
        u, v = (0.5 * (nodes[a % 3][1:] + nodes[a % 3][:-1]) for a in (axis + 1, axis + 2))
        kept = np.zeros((len(u), len(v)), bool)
        for _, face, first, second, cells in layers:
            if face != (axis, side):
                continue
            i, j = (
                np.searchsorted(lines, at, side="right") - 1
                for lines, at in ((first, u), (second, v))
            )
            there_i = (i >= 0) & (i < len(first) - 1)
            there_j = (j >= 0) & (j < len(second) - 1)
            kept[np.ix_(there_i, there_j)] = cells[np.ix_(i[there_i], j[there_j])]
        beyond[axis, side] = kept
    return beyond
