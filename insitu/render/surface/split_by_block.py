"""Splits a rank's piece of a surface or of lines into one part per block.

In: geometry whose triangles and lines each lie in one box, and the boxes. Out: one part per box.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from insitu.core.block_map import owner_of
from insitu.core.box import Bounds
from insitu.core.geometry import Lines, Surface
from insitu.filters.geometry.surfaces import used


def split_by_block(piece: Surface | Lines, boxes: Sequence[Bounds]) -> list[Surface | Lines]:
    """One part per box, in the same order. Raises ValueError if there is geometry but no box."""
    if len(boxes) == 1:
        return [piece]
    if isinstance(piece, Surface):
        owners = _nearest(piece.points[piece.triangles].mean(axis=1), boxes)
        return [_of_surface(piece, owners == i) for i in range(len(boxes))]
    counts = np.diff(piece.offsets)
    lines = np.repeat(np.arange(piece.n_lines), counts)
    sums = np.zeros((piece.n_lines, 3))
    np.add.at(sums, lines, piece.points)
    owners = _nearest(sums / np.maximum(counts, 1)[:, None], boxes)
    return [_of_lines(piece, owners == i) for i in range(len(boxes))]


def _nearest(points: np.ndarray, boxes: Sequence[Bounds]) -> np.ndarray:
    """Index (n,) of the box that owns each point (n, 3); the nearest for points just outside."""
    if not boxes:
        raise ValueError("geometry: given on a rank without blocks; expected a block around it")
    return owner_of(points, np.array(boxes, np.float64))


def _of_surface(piece: Surface, chosen: np.ndarray) -> Surface:
    points, triangles, numbers = used(piece.points, piece.triangles[chosen])
    values = {name: array[numbers] for name, array in piece.values.items()}
    normals = None if piece.normals is None else piece.normals[numbers]
    return Surface(points, triangles, values, normals)


def _of_lines(piece: Lines, chosen: np.ndarray) -> Lines:
    counts = np.diff(piece.offsets)
    kept = np.repeat(chosen, counts)
    offsets = np.concatenate([[0], np.cumsum(counts[chosen])])
    values = {name: array[kept] for name, array in piece.values.items()}
    return Lines(piece.points[kept], offsets, values)
