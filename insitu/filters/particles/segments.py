"""Clips straight segments at the domain's boundary and at block faces.

In: the decomposition, ends of segments. Out: parts of segments.
"""

from __future__ import annotations

import numpy as np

from insitu.core.arrays import Floats, Indices
from insitu.core.block_map import BlockMap

_PAIRS = 2**20  # (segment, block) pairs tested at once


def way_out(blocks: BlockMap, start: Floats, move: Floats) -> Floats:
    """The fraction of `move` (n, 3), 0..1, at which a point that starts inside the domain and ends
    outside reaches the boundary; periodic sides are none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = (bound - start for bound in blocks.bounds)
        reach = np.where(move > 0, high / move, np.where(move < 0, low / move, 1.0))
    reach[:, np.asarray(blocks.periodic)] = 1.0
    part = np.clip(reach.min(axis=1), 0.0, 1.0)
    # If the blocks do not fill a box, it may leave the domain sooner.
    hidden = blocks.owners(start + part[:, None] * move) < 0
    hidden |= part == 1.0
    if hidden.any():
        start, move = start[hidden], move[hidden]
        first, last = np.zeros(len(start)), part[hidden]
        for _ in range(52):  # bisection to the precision of a double
            middle = (first + last) / 2
            inside = blocks.owners(start + middle[:, None] * move) >= 0
            first, last = np.where(inside, middle, first), np.where(inside, last, middle)
        part[hidden] = first
    return part


def across(blocks: BlockMap, start: Floats, end: Floats) -> tuple[Indices, Indices, Floats]:
    """Cut straight segments (n, 3) at block faces: segment, block, and the (from, to) part of the
    segment, 0..1, in that block, one row per part. A segment along a face belongs to the block that
    owns the face."""
    low, high = blocks.boxes[:, 0], blocks.boxes[:, 1]
    segments, found, parts = [], [], []
    groups = -(-len(start) * len(low) // _PAIRS) or 1
    for some in np.array_split(np.arange(len(start)), groups):
        a, b = start[some, None], end[some, None]
        move = b - a
        with np.errstate(divide="ignore", invalid="ignore"):
            to_low, to_high = (low - a) / move, (high - a) / move
        still = move == 0
        beside = still & ((a < low) | (a > high))
        first = np.where(still, 0.0, np.minimum(to_low, to_high)).max(axis=2).clip(min=0.0)
        last = np.where(still, 1.0, np.maximum(to_low, to_high)).min(axis=2).clip(max=1.0)
        segment, block = np.nonzero((first < last) & ~beside.any(axis=2))
        part = np.stack([first[segment, block], last[segment, block]], axis=1)
        alone = ~still[segment, 0].any(axis=1)  # a segment that moves along all axes is in no face
        middle = a[segment, 0] + part.mean(axis=1)[:, None] * move[segment, 0]
        alone[~alone] = blocks.nearest(middle[~alone], block[~alone]) == block[~alone]
        segments.append(some[segment[alone]])
        found.append(block[alone])
        parts.append(part[alone])
    return np.concatenate(segments), np.concatenate(found), np.concatenate(parts)
