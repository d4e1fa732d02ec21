"""The levels of a sparse grid in one array: the reference, in NumPy.

In: samples (nz, ny, nx), and for each level the axes that it splits. Out: coefficients in an array
of the same shape. A level splits the averages of the finer one: along a split axis, n of them
become (n + 1) // 2 averages, kept at the low end, and n // 2 details.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from insitu.core.arrays import Floats
from insitu.models.sparse_grid import lifting
from insitu.models.sparse_grid.lines import Line, line

Shape = tuple[int, int, int]

X, Y, Z = 1, 2, 4
"""Bits of the axes that a level splits."""


def axes_of(mask: int) -> list[int]:
    """Axes of an array (nz, ny, nx) that a level splits, in the order in which it does: x, y, z."""
    return [2 - bit for bit in range(3) if mask >> bit & 1]


def sizes(shape: Shape, splits: list[int]) -> list[Shape]:
    """(nz, ny, nx) of the averages before each level, and after the last one."""
    found = [shape]
    for mask in splits:
        z, y, x = ((n + 1) // 2 if axis in axes_of(mask) else n for axis, n in enumerate(found[-1]))
        found.append((z, y, x))
    return found


def lines(shape: Shape, splits: list[int], ends: int) -> list[list[Line]]:
    """For each level, the line of each axis z, y, x before it; after the last one, what is left.

    Raises ValueError where a level splits a line that has none."""
    now = [line(n, ends, 2 - axis) for axis, n in enumerate(shape)]
    found = [now]
    for mask in splits:
        axes = axes_of(mask)
        if not all(now[axis].splits for axis in axes):
            raise ValueError("splits: an axis of one sample, or of two that are kept")
        now = [one.coarser if axis in axes else one for axis, one in enumerate(now)]
        found.append(now)
    return found


def analyse(samples: Floats, splits: list[int], ends: int = 0) -> Floats:
    """Coefficients (nz, ny, nx), float64, of samples (nz, ny, nx). ends: see `lines.HALF_CELLS`."""
    return _downwards(lifting.analyse, samples, splits, ends)


def synthesise(coefficients: Floats, splits: list[int], ends: int = 0) -> Floats:
    """Inverse of `analyse`."""
    values = np.array(coefficients, np.float64)
    levels = list(zip(lines(values.shape, splits, ends), splits, strict=False))
    for along, mask in reversed(levels):
        box = tuple(slice(len(one)) for one in along)
        for axis in reversed(axes_of(mask)):
            values[box] = lifting.synthesise(values[box], axis, along[axis])
    return values


def adjoint(samples: Floats, splits: list[int], ends: int = 0) -> Floats:
    """Transpose of `synthesise`: from a gradient by the samples to one by the coefficients."""
    return _downwards(lifting.adjoint, samples, splits, ends)


def _downwards(
    split: Callable[[Floats, int, Line], Floats], samples: Floats, splits: list[int], ends: int
) -> Floats:
    """The samples after a step of lifting along each axis of each level, from the finest."""
    values = np.array(samples, np.float64)
    for along, mask in zip(lines(values.shape, splits, ends), splits, strict=False):
        box = tuple(slice(len(one)) for one in along)
        for axis in axes_of(mask):
            values[box] = split(values[box], axis, along[axis])
    return values
