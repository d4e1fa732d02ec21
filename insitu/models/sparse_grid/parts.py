"""The parts of a sparse grid that neighbors have in common: kept faces, edges, corners.

In: a block's samples, levels, kept ends. Out: for each part, its coefficients' places in the
block's, and how it is a sparse grid of its own.

No level updates what is kept. So the coefficients of a face are those of the transform of its own
samples, whatever lies behind it, and the same for edges and corners.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from insitu.models.sparse_grid import bands
from insitu.models.sparse_grid.lines import HALF_CELLS, kept_at

Side = int | None
"""-1: low end, 1: high end, None: all of the axis."""


@dataclass(frozen=True, eq=False)
class Part:
    sides: tuple[Side, Side, Side]
    """Along z, y, x."""
    splits: list[int]
    """Of its levels."""
    ends: int
    """Which of its own ends are kept."""
    places: NDArray[np.int64]
    """(nz, ny, nx), with 1 where a side is given: place in the block's array of each coefficient of
    the part's own."""
    averages: tuple[slice, slice, slice]
    """Where the averages are that no level splits."""

    @property
    def samples(self) -> tuple[slice, slice, slice]:
        """Where the part's samples lie among the block's."""
        z, y, x = (
            slice(None) if side is None else slice(0, 1) if side < 0 else slice(-1, None)
            for side in self.sides
        )
        return z, y, x


def parts(shape: tuple[int, int, int], splits: list[int], ends: int) -> list[Part]:
    """All parts of a block (nz, ny, nx): faces, then edges, then corners. What comes later has
    precedence where places are the same."""
    return list(_parts(shape, tuple(splits), ends))


def n_parts(ends: int) -> int:
    """How many parts a block has."""
    count = 1
    for axis in range(3):
        count *= 1 + sum(kept_at(ends, axis))
    return count - 1


@lru_cache(maxsize=64)
def _parts(shape: tuple[int, int, int], splits: tuple[int, ...], ends: int) -> tuple[Part, ...]:
    choices: list[list[Side]] = []
    for axis in range(3):
        low, high = kept_at(ends, 2 - axis)
        choices.append([None, *([-1] if low else []), *([1] if high else [])])
    found = [sides for sides in itertools.product(*choices) if any(s is not None for s in sides)]
    found.sort(key=lambda sides: sum(s is not None for s in sides))
    return tuple(_part(shape, list(splits), ends, sides) for sides in found)


def _part(
    shape: tuple[int, int, int], splits: list[int], ends: int, sides: tuple[Side, ...]
) -> Part:
    z, y, x = sides
    sizes = bands.sizes(shape, splits)
    places = np.empty([n if s is None else 1 for n, s in zip(shape, sides, strict=True)], np.int64)
    # Its details at a level lie where the averages of that level do; the last averages at the end.
    for size, low in zip(sizes, [*sizes[1:], sizes[-1]], strict=True):
        box = tuple(slice(n) if s is None else slice(1) for n, s in zip(size, sides, strict=True))
        at = [
            np.arange(n) if s is None else np.array([0 if s < 0 else m - 1])
            for n, m, s in zip(size, low, sides, strict=True)
        ]
        places[box] = np.ravel_multi_index(np.ix_(*at), shape)
    free = sum(1 << (2 - axis) for axis, side in enumerate(sides) if side is None)
    kept = sum(0b11 << 2 * a for a in range(3) if free >> a & 1) | HALF_CELLS
    averages = [slice(n if s is None else 1) for n, s in zip(sizes[-1], sides, strict=True)]
    return Part(
        sides=(z, y, x),
        splits=[mask & free for mask in splits if mask & free],
        ends=ends & kept,
        places=places,
        averages=(averages[0], averages[1], averages[2]),
    )
