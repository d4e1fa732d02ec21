"""Jumps of a field across the faces of its blocks.

In: compressed or raw blocks. Out: what the two sides of every common face differ by. No
communication: of blocks on other ranks, gather their bytes first.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from insitu.core.arrays import Floats
from insitu.fields.block_field import BlockField
from insitu.metrics import ErrorSums

_PLACES = (0.0, 0.3, 0.8)  # in the cells of a face, along each axis


def face_jumps(blocks: Sequence[BlockField]) -> ErrorSums:
    """Differences of all components at common faces of blocks, at nine points to a cell, edges and
    corners included. Faces are common where the grid lines of both blocks coincide along all of
    them: where blocks meet in a T, nothing is compared."""
    total = ErrorSums()
    for one, other in itertools.permutations(blocks, 2):
        for axis in range(3):  # x, y, z
            points = _common(one, other, axis)
            if points is not None:
                total += ErrorSums.of(one(points), other(points))
    return total


def _common(low: BlockField, high: BlockField, axis: int) -> Floats | None:
    """Points (n, 3) of the face on which `low` ends and `high` begins along an axis."""
    if low.nodes[axis][-1] != high.nodes[axis][0]:
        return None
    lines: list[Floats] = []
    for a, (mine, theirs) in enumerate(zip(low.nodes, high.nodes, strict=True)):
        if a == axis:
            lines.append(np.array(mine[-1:]))
            continue
        if not np.array_equal(mine, theirs):
            return None
        inside = mine[:-1, None] + np.diff(mine)[:, None] * np.array(_PLACES)
        lines.append(np.append(inside.ravel(), mine[-1]))
    return np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 3)
