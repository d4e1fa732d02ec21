"""Boxes that cover what a mask marks.

In: the owned cells of a domain, which may fill no box: cells that a finer level covers, or that a
neighbour owns, are left out. Out: few boxes that fill exactly them, without overlap.
"""

from __future__ import annotations

import numpy as np

from insitu.core.arrays import Array
from insitu.core.box import Box


def cover(mask: Array) -> list[Box]:
    """Boxes z, y, x that together are the true cells of `mask` (nz, ny, nx); [] where none is.

    A box that is not full is cut where two neighbouring planes differ most, along any axis, as in
    the clustering of M. Berger and I. Rigoutsos (IEEE Trans. Syst. Man Cybern. 21, 1991), whose
    cuts are at the inflections of the number of marked cells per plane.
    """
    found: list[Box] = []
    waiting = [tuple(slice(0, n) for n in mask.shape)]
    while waiting:
        z, y, x = _shrunk(mask, waiting.pop())
        inside = mask[z, y, x]
        if inside.size and inside.all():
            found.append((z, y, x))
        elif inside.size:
            axis, at = _cut(inside)
            for part in (slice(0, at), slice(at, inside.shape[axis])):
                box = [z, y, x]
                start = box[axis].start
                box[axis] = slice(start + part.start, start + part.stop)
                waiting.append(tuple(box))
    return sorted(found, key=lambda box: [axis.start for axis in box])


def _shrunk(mask: Array, box: tuple[slice, ...]) -> tuple[slice, ...]:
    """The smallest box that has all true cells of `box`; empty where it has none."""
    inside = mask[box]
    shrunk = []
    for axis, own in enumerate(box):
        others = tuple(other for other in range(3) if other != axis)
        (some,) = np.nonzero(inside.any(axis=others))
        if not some.size:
            return (slice(0, 0),) * 3
        shrunk.append(slice(own.start + int(some[0]), own.start + int(some[-1]) + 1))
    return tuple(shrunk)


def _cut(inside: Array) -> tuple[int, int]:
    """The axis, and the first plane after the cut: where the largest part of a plane changes."""
    best, found = -1.0, (0, 1)
    for axis in range(3):
        planes = np.moveaxis(inside, axis, 0)
        if len(planes) < 2:
            continue
        changes = (planes[1:] != planes[:-1]).mean(axis=(1, 2))
        at = int(np.argmax(changes))
        if changes[at] > best:
            best, found = float(changes[at]), (axis, at + 1)
    return found
