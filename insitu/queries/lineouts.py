"""Fields at points of a line.

In: a block, the ends of the line. Out: partial results that can be added, and the values.

A point belongs to one block, as in `core.block_map`: on a face, to the upper one. An element has
one value, that of its samples; between vertices, values are trilinear.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.fields.block_field import BlockField
from insitu.fields.raw_block import RawBlock
from insitu.mesh.partition import Partition
from insitu.queries.scalars import line_points

Floats = NDArray[np.float64]


def empty(samples: int) -> Floats:
    """The partial result of no blocks, (2, samples): how many blocks have each point, and their
    values there."""
    return np.zeros((2, samples))


def of_block(
    block: Partition | BlockField, samples: int, start: Any, end: Any, upper: Floats
) -> Floats:
    """The partial result of a block of one component. upper: the upper corner of the domain."""
    points = line_points(samples, start, end)
    found = empty(samples)
    inside = np.ones(samples, bool)
    for axis, nodes in enumerate(block.nodes):
        along, last = points[:, axis], nodes[-1] >= upper[axis]
        inside &= (along >= nodes[0]) & ((along <= nodes[-1]) if last else (along < nodes[-1]))
    found[0] = inside
    if inside.any():
        found[1, inside] = _values(block, points[inside])
    return found


def _values(block: Partition | BlockField, points: Floats) -> Floats:
    if block.association == "vertex":
        function = RawBlock(block) if isinstance(block, Partition) else block
        return np.asarray(function(points), np.float64)
    x, y, z = (
        np.clip(np.searchsorted(nodes, points[:, axis], side="right") - 1, 0, len(nodes) - 2)
        for axis, nodes in enumerate(block.nodes)
    )
    if isinstance(block, Partition):
        return np.asarray(block.owned[0][z, y, x], np.float64)
    nz, ny, nx = block.cells
    whole = block.decode_box((slice(0, nz), slice(0, ny), slice(0, nx)))
    return np.asarray(whole[z, y, x], np.float64)


def result(partial: Floats, empty_value: float) -> tuple[float, ...]:
    """The value at each point."""
    return tuple(np.where(partial[0] > 0, partial[1], empty_value).tolist())
