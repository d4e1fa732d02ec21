"""A step cut by a plane, box or sphere, or by the values of a field: Ascent's `clip`,
`clip_with_field` and `isovolume`.

In: each rank's blocks, what to cut by. Out: what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from insitu.extract.cell_faces import FACES, Face, cells_surface, outer
from insitu.extract.decomposition import (
    ROUNDING,
    Decomposition,
    Fields,
    Partition,
    evaluate_grid,
    partitions,
)
from insitu.extract.masked_block import OfShape, OfValues
from insitu.extract.remainder import Remainder, remainder, scalar
from insitu.extract.shapes import Box, Plane, Shape, Sphere
from insitu.extract.shared_nodes import agree_on_shells, shell
from insitu.extract.solid import solid_surface
from insitu.geometry import Surface
from insitu.parallel import together

if TYPE_CHECKING:
    from mpi4py import MPI

Floats = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
Lines = tuple[Floats, Floats, Floats]


def clip(comm: MPI.Comm, fields: Fields, shape: Shape, *, invert: bool = False) -> Remainder:
    """What is outside of a box or sphere, or on the side of a plane that its normal looks to; with
    `invert`, the rest. Collective.

    The surface is exact for planes and boxes. A sphere is cut by straight lines within a cell: its
    volume is off by the square of the cell's size.

    Raises RemoteError on every rank if one fails; ValueError if no rank has a block.
    """
    decomposition = Decomposition.gather(comm, fields)
    with together(comm, "clip"):
        parts = partitions(fields)
        nodes = [next(iter(part.values())).nodes for part in parts]
        regions = [OfShape(shape, invert, lines) for lines in nodes]

    def pieces(comm: MPI.Comm) -> list[Surface]:
        with together(comm, "surface of a clip"):
            located = zip(decomposition.mine, parts, strict=True)
            if isinstance(shape, Box):
                return [_by_box(decomposition, i, part, shape, invert) for i, part in located]
            return [_by_shape(decomposition, i, part, shape, invert) for i, part in located]

    return remainder(fields, decomposition, regions, pieces)


def clip_with_field(
    comm: MPI.Comm, fields: Fields, field: str, clip_value: float, *, invert: bool = False
) -> Remainder:
    """Where a scalar is greater than a value; with `invert`, where it is less. Collective.

    See `isovolume` for the surface and for errors.
    """
    low, high = (-np.inf, clip_value) if invert else (clip_value, np.inf)
    return _by_values(comm, fields, field, low, high)


def isovolume(
    comm: MPI.Comm, fields: Fields, field: str, min_value: float, max_value: float
) -> Remainder:
    """Where a scalar is between two values. Collective.

    The surface is cut by straight lines between the network's values at the nodes of the grid, on
    faces between blocks at those of one of the two. It is closed where the blocks' nodes fit
    together.

    Raises RemoteError on every rank if one fails; ValueError if no rank has a block.
    """
    return _by_values(comm, fields, field, min_value, max_value)


def _by_values(comm: MPI.Comm, fields: Fields, field: str, low: float, high: float) -> Remainder:
    decomposition = Decomposition.gather(comm, fields)
    with together(comm, "clip by a field"):
        if not low < high or not (np.isfinite(low) or np.isfinite(high)):
            raise ValueError(f"values: {low} to {high}, expected numbers, the first less")
        parts = partitions(fields)
        blocks = [scalar(part, field) for part in parts]
        regions = [OfValues(block, low, high) for block in blocks]

    def pieces(comm: MPI.Comm) -> list[Surface]:
        with together(comm, "surface of a clip"):
            values: list[Callable[[list[Floats]], Floats]] = [
                lambda lines, block=block: evaluate_grid(block, lines)[..., 0]  # type: ignore[misc]
                for block in blocks
            ]
            own = [shell(v, block.nodes) for v, block in zip(values, blocks, strict=True)]
        agreed = agree_on_shells(comm, decomposition, own, [block.nodes for block in blocks])
        with together(comm, "surface of a clip"):
            return [
                solid_surface(decomposition, index, part, v, faces, low, high)
                for index, part, v, faces in zip(
                    decomposition.mine, parts, values, agreed, strict=True
                )
            ]

    return remainder(fields, decomposition, regions, pieces)


def _by_shape(
    decomposition: Decomposition, index: int, part: Partition, shape: Plane | Sphere, invert: bool
) -> Surface:
    sign = -1.0 if invert else 1.0

    def values(lines: list[Floats]) -> Floats:
        points = np.stack(np.meshgrid(*lines[::-1], indexing="ij")[::-1], axis=-1)
        return sign * shape.distance(points)

    faces = shell(values, next(iter(part.values())).nodes)
    return solid_surface(decomposition, index, part, values, faces, 0.0, np.inf)


def _by_box(
    decomposition: Decomposition, index: int, part: Partition, box: Box, invert: bool
) -> Surface:
    """Whole cells, of the grid with the box's faces among its lines."""
    nodes = next(iter(part.values())).nodes
    tolerance = ROUNDING * decomposition.spacing
    lines, within = [], []
    for axis, line in enumerate(nodes):
        ends = np.array([box.min[axis], box.max[axis]])
        nearest = line[np.argmin(np.abs(line[:, None] - ends), axis=0)]
        ends = np.where(np.abs(nearest - ends) <= tolerance, nearest, ends)
        line = np.unique(np.concatenate([line, ends[(ends > line[0]) & (ends < line[-1])]]))
        # Cells of the line, and one beyond each end.
        below, above = np.nextafter(line[0], -np.inf), np.nextafter(line[-1], np.inf)
        middles = np.concatenate([[below], 0.5 * (line[1:] + line[:-1]), [above]])
        within.append((middles > ends[0]) & (middles < ends[1]))
        lines.append(line)
    grid = (lines[0], lines[1], lines[2])
    x, y, z = within
    removed = z[:, None, None] & y[:, None] & x
    kept = removed if invert else ~removed
    beyond: dict[Face, Mask] = {}
    for axis, side in FACES:
        behind = kept.transpose(2 - axis, 2 - (axis + 1) % 3, 2 - (axis + 2) % 3)[-side]
        there = ~outer(decomposition, index, (axis, side), grid)
        beyond[axis, side] = behind[1:-1, 1:-1] & there
    return cells_surface(part, grid, kept[1:-1, 1:-1, 1:-1], beyond)
