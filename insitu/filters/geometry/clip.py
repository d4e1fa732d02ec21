"""Clipping by a plane, box or sphere, or by the values of a field: Ascent's `clip`,
`clip_with_field` and `isovolume`.

In: each rank's blocks, the shape or value range. Out: the kept part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats, Mask
from insitu.core.geometry import Surface
from insitu.core.parallel import together
from insitu.filters.geometry.clip_surface import solid_surface
from insitu.filters.geometry.clipped_volume import ClippedVolume, clipped_volume, scalar
from insitu.filters.geometry.decomposition import (
    Decomposition,
    Fields,
    Partition,
    evaluate_grid,
    partitions,
)
from insitu.filters.geometry.external_faces import cells_surface, outer
from insitu.filters.geometry.global_node_grid import GlobalNodeGrid
from insitu.filters.geometry.interface_values import FACES, Face, FaceNodes, agree_on_faces
from insitu.filters.geometry.masked_block import OfShape, OfValues, Region, unmasked
from insitu.filters.geometry.shapes import Box, Shape

if TYPE_CHECKING:
    from mpi4py import MPI

Lines = tuple[Floats, Floats, Floats]


def clip(comm: MPI.Comm, fields: Fields, shape: Shape, *, invert: bool = False) -> ClippedVolume:
    """Keep what is outside a box or sphere, or on the side of a plane that its normal points to;
    with `invert`, the rest. Collective.

    The surface is exact for planes and boxes. A sphere is approximated linearly within each cell:
    the error of its volume is of second order in the cell size.

    The fields may be the result of an earlier clip. Edges where both cuts meet, and edges of
    boxes, are then bevelled within a cell. The result of a threshold cannot be cut by a clip.

    Raises RemoteError on every rank if one fails; ValueError if no rank has a block.
    """
    return _clipped(comm, fields, lambda part: OfShape(shape, invert, _nodes(part)))


def clip_with_field(
    comm: MPI.Comm, fields: Fields, field: str, clip_value: float, *, invert: bool = False
) -> ClippedVolume:
    """Keep the part where a scalar is greater than a value; with `invert`, less. Collective.

    Surface and errors: see `isovolume`.
    """
    low, high = (-np.inf, clip_value) if invert else (clip_value, np.inf)
    return _by_values(comm, fields, field, low, high)


def isovolume(
    comm: MPI.Comm, fields: Fields, field: str, min_value: float, max_value: float
) -> ClippedVolume:
    """Keep the part where a scalar is between two values. Collective.

    The surface interpolates linearly between the field's values at the grid nodes; on faces
    between blocks the mean of both is used. It is closed if the blocks' nodes match. Fields that
    were clipped before: see `clip`.

    Raises RemoteError on every rank if one fails; ValueError if no rank has a block.
    """
    return _by_values(comm, fields, field, min_value, max_value)


def _by_values(
    comm: MPI.Comm, fields: Fields, field: str, low: float, high: float
) -> ClippedVolume:
    def region(part: Partition) -> OfValues:
        return OfValues(scalar(part, field), low, high)

    if not low < high or not (np.isfinite(low) or np.isfinite(high)):
        raise ValueError(f"values: {low} to {high}, expected numbers, the first less")
    return _clipped(comm, fields, region)


def _clipped(
    comm: MPI.Comm, fields: Fields, region: Callable[[Partition], OfShape | OfValues]
) -> ClippedVolume:
    decomposition = Decomposition.gather(comm, fields)
    with together(comm, "clip"):
        found = [unmasked(part) for part in partitions(fields)]
        parts = [part for part, _ in found]
        regions = [region(part) for part in parts]
        earlier = [before for _, before in found]
        boxes = [isinstance(r, OfShape) and isinstance(r.shape, Box) for r in regions]
    # Ranks without a block cannot inspect the fields.
    alone = not comm.allreduce(any(earlier), op=_either)
    by_box = alone and comm.allreduce(any(boxes), op=_either)

    def pieces(comm: MPI.Comm) -> list[Surface]:
        located = zip(decomposition.mine, parts, regions, strict=True)
        if by_box:
            with together(comm, "surface of a clip"):
                return [_by_box(decomposition, i, part, r) for i, part, r in located]
        with together(comm, "surface of a clip"):
            cuts = [_function(r, before) for r, before in zip(regions, earlier, strict=True)]
            nodes = [_nodes(part) for part in parts]
            own = [FaceNodes.of(cut[0], lines) for cut, lines in zip(cuts, nodes, strict=True)]
        agreed = agree_on_faces(comm, GlobalNodeGrid.of(comm, decomposition, nodes), own)
        with together(comm, "surface of a clip"):
            return [
                solid_surface(decomposition, i, part, values, faces, low, high)
                for (i, part, _), (values, low, high), faces in zip(
                    located, cuts, agreed, strict=True
                )
            ]

    return clipped_volume(fields, decomposition.components, regions, pieces)


def _function(
    region: OfShape | OfValues, earlier: Sequence[Region]
) -> tuple[Callable[[list[Floats]], Floats], float, float]:
    """A function that is linear in each cell, and the range of it that is kept by all regions.

    For a single value range the values themselves: both limits may be crossed within a cell.
    """
    if isinstance(region, OfValues) and not earlier:
        block = region.block
        return lambda lines: evaluate_grid(block, lines)[..., 0], region.low, region.high

    def least(lines: list[Floats]) -> Floats:
        return reduce(np.minimum, [r.values(lines) for r in (region, *earlier)])

    return least, 0.0, np.inf


def _nodes(part: Partition) -> Lines:
    return next(iter(part.values())).nodes


def _either(a: bool, b: bool) -> bool:
    return a or b


def _by_box(
    decomposition: Decomposition, index: int, part: Partition, region: OfShape | OfValues
) -> Surface:
    """Whole cells of the grid, refined by the box's faces as grid lines."""
    assert isinstance(region, OfShape) and isinstance(region.shape, Box)
    box = region.shape
    nodes = region.nodes
    lines, within = [], []
    for axis, line in enumerate(nodes):
        ends = np.array([box.min[axis], box.max[axis]])
        nearest = line[np.argmin(np.abs(line[:, None] - ends), axis=0)]
        ends = np.where(np.abs(nearest - ends) <= decomposition.rounding, nearest, ends)
        line = np.unique(np.concatenate([line, ends[(ends > line[0]) & (ends < line[-1])]]))
        # Cells along the line, plus one beyond each end.
        below, above = np.nextafter(line[0], -np.inf), np.nextafter(line[-1], np.inf)
        middles = np.concatenate([[below], 0.5 * (line[1:] + line[:-1]), [above]])
        within.append((middles > ends[0]) & (middles < ends[1]))
        lines.append(line)
    grid = (lines[0], lines[1], lines[2])
    x, y, z = within
    removed = z[:, None, None] & y[:, None] & x
    kept = removed if region.inside else ~removed
    beyond: dict[Face, Mask] = {}
    for axis, side in FACES:
        behind = kept.transpose(2 - axis, 2 - (axis + 1) % 3, 2 - (axis + 2) % 3)[-side]
        there = ~outer(decomposition, index, (axis, side), grid)
        beyond[axis, side] = behind[1:-1, 1:-1] & there
    return cells_surface(part, grid, kept[1:-1, 1:-1, 1:-1], beyond)
