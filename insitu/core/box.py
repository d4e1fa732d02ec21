"""Boxes: of sample indices in a grid, and of world coordinates.

In: slices z, y, x; corners x, y, z. Out: the intersection of two boxes of samples.
"""

from __future__ import annotations

from typing import TypeAlias

from insitu.core.arrays import Floats

Box: TypeAlias = tuple[slice, slice, slice]
"""Slices z, y, x of a grid's samples; each has a start and a stop, and no step."""

Bounds: TypeAlias = tuple[Floats, Floats]
"""Lower and upper corner in world coordinates, each (3,) x, y, z."""


def overlap(own: Box, box: Box) -> tuple[Box, Box] | None:
    """Intersection of a block's samples `own` and a box, relative to the box and relative to the
    block."""
    starts = [max(a.start, b.start) for a, b in zip(own, box, strict=True)]
    stops = [min(a.stop, b.stop) for a, b in zip(own, box, strict=True)]
    if any(start >= stop for start, stop in zip(starts, stops, strict=True)):
        return None
    both = []
    for origin in (box, own):
        z, y, x = (
            slice(start - axis.start, stop - axis.start)
            for start, stop, axis in zip(starts, stops, origin, strict=True)
        )
        both.append((z, y, x))
    return both[0], both[1]
