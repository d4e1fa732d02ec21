"""Jumps of a field across the faces of its blocks.

In: compressed or raw blocks. Out: what the two sides of every face differ by. No communication: of
blocks on other ranks, gather their bytes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Floats
from insitu.fields.block_field import BlockField
from insitu.metrics import ErrorSums

_PLACES = (0.0, 0.3, 0.8)  # in the cells of a face, along each axis


@dataclass(frozen=True)
class FaceJump:
    """The common part of the faces of two blocks."""

    low: int
    """Number of the domain that ends there,"""
    high: int
    """and of the one that begins."""
    axis: int
    """Across the face: x 0, y 1, z 2."""
    conforms: bool
    """Whether the grid lines of both blocks coincide along all of the face. Otherwise they meet in
    a T, or with cells of different sizes, where models share no samples."""
    errors: ErrorSums
    """Of one side against the other, all components."""


def jumps(blocks: Sequence[BlockField]) -> list[FaceJump]:
    """Every face that two blocks have in common, with their differences at nine points to a cell of
    the side that ends there, edges and corners included."""
    found = []
    for axis in range(3):  # x, y, z
        begin: dict[float, list[BlockField]] = {}
        for block in blocks:
            begin.setdefault(float(block.nodes[axis][0]), []).append(block)
        for low in blocks:
            for high in begin.get(float(low.nodes[axis][-1]), ()):
                points = _common(low, high, axis)
                if points is not None:
                    errors = ErrorSums.of(low(points), high(points))
                    conforms = _conform(low, high, axis)
                    found.append(FaceJump(low.domain_id, high.domain_id, axis, conforms, errors))
    return found


def face_jumps(blocks: Sequence[BlockField]) -> ErrorSums:
    """The sums over all faces that conform; where blocks meet in a T, nothing is compared."""
    return sum((jump.errors for jump in jumps(blocks) if jump.conforms), ErrorSums())


def _conform(low: BlockField, high: BlockField, axis: int) -> bool:
    return all(np.array_equal(low.nodes[a], high.nodes[a]) for a in range(3) if a != axis)


def _common(low: BlockField, high: BlockField, axis: int) -> Floats | None:
    """Points (n, 3) of the face on which `low` ends and `high` begins along an axis."""
    lines: list[Floats] = []
    for a, (mine, theirs) in enumerate(zip(low.nodes, high.nodes, strict=True)):
        if a == axis:
            lines.append(np.array(mine[-1:]))
            continue
        first, last = max(mine[0], theirs[0]), min(mine[-1], theirs[-1])
        if not first < last:
            return None
        inside = mine[:-1, None] + np.diff(mine)[:, None] * np.array(_PLACES)
        inside = np.append(inside.ravel(), mine[-1])
        lines.append(inside[(inside >= first) & (inside <= last)])
    return np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 3)
