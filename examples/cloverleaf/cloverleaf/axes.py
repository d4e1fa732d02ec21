"""Names the array axes and cuts views out of arrays, so that kernels read like their formulas.

In: index boxes counted from the first owned cell. Out: views of ghosted arrays, never copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Triple = tuple[int, int, int]

# Arrays are C order (z, y, x): x runs fastest in memory, as in the Fortran original.
Z, Y, X = 0, 1, 2
GHOSTS = 2
# Temporaries of this many values (64 KiB) stay in cache, and below the size from which the
# allocator maps fresh pages for each.
_SLAB_VALUES = 8192


@dataclass(frozen=True)
class Region:
    """A box of indices in (z, y, x) order, from `start` up to but excluding `stop`.

    Index 0 is the first owned cell, or the vertex or face at that cell's lower side, so ghosts
    have negative indices; `of` adds the ghost offset.
    """

    start: Triple
    stop: Triple

    @classmethod
    def cells(cls, shape: Triple) -> Region:
        """All owned cells of a block of `shape` cells."""
        return cls((0, 0, 0), shape)

    @classmethod
    def vertices(cls, shape: Triple) -> Region:
        """All owned vertices, one more than cells along each axis."""
        return cls((0, 0, 0), (shape[0] + 1, shape[1] + 1, shape[2] + 1))

    @classmethod
    def faces(cls, shape: Triple, axis: int) -> Region:
        """All owned faces normal to `axis`."""
        return cls.cells(shape).grown(axis, 0, 1)

    def grown(self, axis: int, before: int, after: int) -> Region:
        """This box with `before` planes more below and `after` more above along one axis."""
        start, stop = list(self.start), list(self.stop)
        start[axis] -= before
        stop[axis] += after
        return Region((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))

    def of(self, a: Array, z: int = 0, y: int = 0, x: int = 0) -> Array:
        """The view of `a` on this box moved by (z, y, x)."""
        (z0, y0, x0), (z1, y1, x1) = self.start, self.stop
        z, y, x = z + GHOSTS, y + GHOSTS, x + GHOSTS
        return a[z0 + z : z1 + z, y0 + y : y1 + y, x0 + x : x1 + x]

    def along(self, axis: int, a: Array, n: int = 0) -> Array:
        """The view of `a` on this box moved by `n` along one axis."""
        return self.of(a, *(n if axis == other else 0 for other in (Z, Y, X)))

    def slabs(self) -> Iterator[Region]:
        """Cut into thin boxes along z whose temporaries stay in cache."""
        plane = (self.stop[1] - self.start[1]) * (self.stop[2] - self.start[2])
        thickness = max(1, _SLAB_VALUES // max(plane, 1))
        for z in range(self.start[0], self.stop[0], thickness):
            yield replace(
                self,
                start=(z, *self.start[1:]),
                stop=(min(z + thickness, self.stop[0]), *self.stop[1:]),
            )


def sum_shifted(region: Region, a: Array, offsets: tuple[Triple, ...]) -> Array:
    """Add up `a` at several (z, y, x) offsets, in the order given, into a new array."""
    total = region.of(a, *offsets[0]) + region.of(a, *offsets[1])
    for offset in offsets[2:]:
        total += region.of(a, *offset)
    return total


def lower(faces: Array, axis: int) -> Array:
    """Of face values along `axis`, each cell's lower one, as a view."""
    return faces[tuple(slice(None, -1 if other == axis else None) for other in (Z, Y, X))]


def upper(faces: Array, axis: int) -> Array:
    """Of face values along `axis`, each cell's upper one, as a view."""
    return faces[tuple(slice(1 if other == axis else None, None) for other in (Z, Y, X))]


# The four vertices of the face at a cell's lower side. The order is CloverLeaf's, since the order
# of a floating-point sum shows in its last digit.
FACE_VERTICES: dict[int, tuple[Triple, ...]] = {
    X: ((0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0)),
    Y: ((0, 0, 0), (0, 0, 1), (1, 0, 0), (1, 0, 1)),
    Z: ((0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1)),
}
