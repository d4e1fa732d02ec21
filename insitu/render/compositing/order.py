"""Visibility order of boxes.

In: the boxes of all ranks, and the eye. Out: their order, front to back.
It depends only on this input, so every rank computes the same order without communication.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def visibility_order(
    boxes: np.ndarray, eye: Sequence[float], owners: Sequence[int] | None = None
) -> np.ndarray:
    """The front-to-back order in which disjoint axis-aligned boxes must be blended.

    boxes: (n, 2, 3) as lo, hi; eye: (3,), anywhere, even inside a box. Returns indices (n,): no
    ray from the eye enters a box before one that precedes it. Boxes may touch, and may overlap by
    a millionth of their size (rounding of node coordinates). owners: (n,) the rank that holds each
    box; if several orders are valid, boxes of one rank are kept consecutive, so that the rank can
    blend them before it sends anything.

    Raises ValueError for boxes that overlap or that occlude each other cyclically (three crossed
    beams; this does not happen in rectilinear or recursively bisected decompositions).
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 2, 3)
    before = _hides(boxes, np.asarray(eye, dtype=np.float64))  # (n, n)
    waiting = before.sum(axis=0)  # number of boxes that must come first
    holders = list(range(len(boxes)) if owners is None else owners)
    order: list[int] = []
    ready = np.flatnonzero(waiting == 0)[::-1].tolist()  # a stack, the lowest index on top
    while ready:
        holder = holders[order[-1]] if order else None
        same = (i for i in reversed(range(len(ready))) if holders[ready[i]] == holder)
        box = ready.pop(next(same, -1))
        order.append(box)
        behind = np.flatnonzero(before[box])
        waiting[behind] -= 1
        ready.extend(behind[waiting[behind] == 0][::-1].tolist())
    if len(order) < len(boxes):
        circle = sorted(set(range(len(boxes))) - set(order))
        raise ValueError(
            f"boxes {circle[:8]} occlude each other in a cycle: no front-to-back order exists"
        )
    return np.array(order, dtype=np.int64)


def _hides(boxes: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """(n, n) booleans: row i, column j: box i must be blended before box j.

    Two disjoint boxes are separated by a plane normal to at least one axis. The box on the eye's
    side comes first on every ray that hits both. If the eye is between the boxes, no ray hits
    both, since it cannot go up and down the axis at once. If two planes imply opposite orders, no
    ray hits both boxes either, since it would contradict one of them. Such pairs are unordered.
    """
    n = len(boxes)
    forward = np.zeros((n, n), dtype=bool)  # some plane implies i before j
    free = np.zeros((n, n), dtype=bool)
    separated = np.eye(n, dtype=bool)
    for axis in range(3):
        lo, hi = boxes[:, 0, axis], boxes[:, 1, axis]
        slack = 1e-6 * np.minimum.outer(hi - lo, hi - lo)
        below = hi[:, None] <= lo[None, :] + slack  # i below j
        np.fill_diagonal(below, False)
        separated |= below | below.T
        gap_lo = np.minimum(hi[:, None], lo[None, :])
        gap_hi = np.maximum(hi[:, None], lo[None, :])
        eye_below, eye_above = eye[axis] < gap_lo, eye[axis] > gap_hi
        forward |= (below & eye_below) | (below & eye_above).T
        between = below & ~eye_below & ~eye_above
        free |= between | between.T
    if not separated.all():
        i, j = np.argwhere(~separated)[0]
        raise ValueError(f"boxes {i} and {j} overlap: {boxes[i].tolist()}, {boxes[j].tolist()}")
    return forward & ~forward.T & ~free
