"""Sort-last compositing: the layers of all ranks to one picture.

In: each rank's layers, and the eye. Out: the blended picture on rank 0.
The order of blending comes from the boxes alone, so every rank finds it by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from mpi4py import MPI

from insitu.errors import nearest
from insitu.render.march import Layer

_HEADER = 5  # place in the order, y0, y1, x0, x1: exact in float32 up to 2^24


def visibility_order(boxes: np.ndarray, eye: Sequence[float]) -> np.ndarray:
    """The order, front to back, in which disjoint axis-aligned boxes are to be blended.

    boxes: (n, 2, 3) as lo, hi; eye: (3,), anywhere, in a box too. Returns indices (n,): no ray
    from the eye enters a box before another that precedes it. Boxes may touch, and overlap by a
    millionth of their size (rounding of node coordinates).

    Raises ValueError naming boxes that overlap, or that hide each other in a circle (three beams
    laid crosswise; it does not happen in rectilinear or recursively bisected decompositions).
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 2, 3)
    before = _hides(boxes, np.asarray(eye, dtype=np.float64))  # (n, n)
    waiting = before.sum(axis=0)  # boxes that must come first
    order: list[int] = []
    ready = np.flatnonzero(waiting == 0)[::-1].tolist()  # a stack, the lowest index on top
    while ready:
        box = ready.pop()
        order.append(box)
        behind = np.flatnonzero(before[box])
        waiting[behind] -= 1
        ready.extend(behind[waiting[behind] == 0][::-1].tolist())
    if len(order) < len(boxes):
        circle = sorted(set(range(len(boxes))) - set(order))
        raise ValueError(f"boxes {circle[:8]}: some hide each other in a circle, no order exists")
    return np.array(order, dtype=np.int64)


def _hides(boxes: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """(n, n) booleans: row i, column j: box i must be blended before box j.

    Two disjoint boxes are separated by a plane across at least one axis. The box on the eye's side
    of it comes first on every ray that meets both. With the eye between the boxes no ray meets
    both, for it cannot go up and down the axis at once. Nor does a ray meet both if two such planes
    demand opposite orders: each would be a proof against the other. Such pairs are left free.
    """
    n = len(boxes)
    forward = np.zeros((n, n), dtype=bool)  # some plane says i before j
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


def over(front: np.ndarray, back: np.ndarray) -> None:
    """Blend `back` (..., 4) behind `front` (..., 4), in place; both premultiplied."""
    front += (1 - front[..., 3:]) * back


def composite(
    comm: MPI.Comm,
    layers: Sequence[Layer],
    eye: Sequence[float],
    width: int,
    height: int,
    algorithm: str = "direct-send",
) -> np.ndarray | None:
    """One picture of the layers of all ranks. Collective.

    layers: any number per rank, none too; their boxes must be disjoint over all ranks.
    eye: (3,), world, the same on every rank. Returns premultiplied RGBA (height, width, 4) float32
    on rank 0, None elsewhere. Which rank holds which layer does not matter to it.

    Raises ValueError, on every rank alike, as visibility_order does, or for an unknown algorithm.
    """
    if algorithm not in _ALGORITHMS:
        raise ValueError(
            f"compositing: '{algorithm}' is unknown{nearest(algorithm, _ALGORITHMS)}"
            f" (known: {', '.join(_ALGORITHMS)})"
        )
    places = _places(comm, layers, eye)
    return _ALGORITHMS[algorithm](comm, layers, places, width, height)


def _places(comm: MPI.Comm, layers: Sequence[Layer], eye: Sequence[float]) -> list[int]:
    """The place of each of this rank's layers in the visibility order of all. Collective."""
    mine = np.array([layer.bounds for layer in layers], dtype=np.float64).reshape(-1, 2, 3)
    counts = np.empty(comm.size, dtype=np.int64)
    comm.Allgather(np.array([len(layers)], dtype=np.int64), counts)
    boxes = np.empty((int(counts.sum()), 2, 3))
    comm.Allgatherv(mine, [boxes, (counts * 6).tolist()])
    order = visibility_order(boxes, eye)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    first = int(counts[: comm.rank].sum())
    return place[first : first + len(layers)].tolist()


def _direct_send(
    comm: MPI.Comm, layers: Sequence[Layer], places: Sequence[int], width: int, height: int
) -> np.ndarray | None:
    """Each rank blends one strip of rows, sent to it by all; rank 0 gathers the strips."""
    edges = [height * rank // comm.size for rank in range(comm.size + 1)]
    outgoing = [_pack(layers, places, y0, y1) for y0, y1 in pairwise(edges)]
    incoming = _exchange(comm, outgoing)
    y0, y1 = edges[comm.rank], edges[comm.rank + 1]
    strip = np.zeros((y1 - y0, width, 4), dtype=np.float32)
    for (top, bottom, left, right), rgba in _unpack(incoming):
        over(strip[top - y0 : bottom - y0, left:right], rgba)
    image = np.empty((height, width, 4), dtype=np.float32) if comm.rank == 0 else None
    counts = [(b - a) * width * 4 for a, b in pairwise(edges)]
    comm.Gatherv(strip, [image, counts] if image is not None else None, root=0)
    return image


# Every algorithm is collective and takes (comm, layers, their places, width, height).
_Algorithm = Callable[[MPI.Comm, Sequence[Layer], Sequence[int], int, int], "np.ndarray | None"]
_ALGORITHMS: dict[str, _Algorithm] = {"direct-send": _direct_send}


def _pack(layers: Sequence[Layer], places: Sequence[int], y0: int, y1: int) -> np.ndarray:
    """What the rows y0..y1 need of these layers: for each a header and its visible rectangle."""
    parts: list[np.ndarray] = []
    for layer, place in zip(layers, places, strict=True):
        top, bottom, left, right = _visible(layer, y0, y1)
        if top < bottom:
            row, column = layer.rectangle[0], layer.rectangle[2]
            part = layer.rgba[top - row : bottom - row, left - column : right - column]
            parts.append(np.array([place, top, bottom, left, right], dtype=np.float32))
            parts.append(part.ravel())
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)


def _visible(layer: Layer, y0: int, y1: int) -> tuple[int, int, int, int]:
    """The smallest rectangle of a layer within rows y0..y1 that holds all that is not clear."""
    row, end, column, _ = layer.rectangle
    top, bottom = max(y0, row), min(y1, end)
    if top >= bottom:
        return (0, 0, 0, 0)
    shown = layer.rgba[top - row : bottom - row, :, 3] > 0
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    if not len(rows):
        return (0, 0, 0, 0)
    return (
        top + int(rows[0]),
        top + int(rows[-1]) + 1,
        column + int(columns[0]),
        column + int(columns[-1]) + 1,
    )


def _exchange(comm: MPI.Comm, outgoing: list[np.ndarray]) -> np.ndarray:
    """Send outgoing[r] to rank r; all that came, one after the other. Collective."""
    sent = np.array([buffer.size for buffer in outgoing], dtype=np.int64)
    received = np.empty_like(sent)
    comm.Alltoall(sent, received)
    incoming = np.empty(int(received.sum()), dtype=np.float32)
    comm.Alltoallv([np.concatenate(outgoing), sent.tolist()], [incoming, received.tolist()])
    return incoming


def _unpack(buffer: np.ndarray) -> list[tuple[tuple[int, int, int, int], np.ndarray]]:
    """The rectangles and their RGBA (h, w, 4) in a received buffer, front to back."""
    parts: list[tuple[int, tuple[int, int, int, int], np.ndarray]] = []
    at = 0
    while at < buffer.size:
        place, top, bottom, left, right = buffer[at : at + _HEADER].astype(int).tolist()
        at += _HEADER
        size = (bottom - top) * (right - left) * 4
        rgba = buffer[at : at + size].reshape(bottom - top, right - left, 4)
        parts.append((place, (top, bottom, left, right), rgba))
        at += size
    return [(rectangle, rgba) for _, rectangle, rgba in sorted(parts, key=_place)]


def _place(part: tuple[int, Any, Any]) -> int:
    return part[0]
