"""NumPy's basic indices of arrays that are decoded where they are sliced.

In: integers, slices and `...`, and a shape. Out: the least box around what they select, and the
indices of that in the box.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from insitu.core.arrays import Array
from insitu.core.box import Box


def pick(
    key: Any, shape: Sequence[int], dtype: np.dtype[Any], read: Callable[[Box], Array]
) -> Array:
    """What `array[key]` is of an array that is read by boxes; nothing is read of an empty one.

    Args:
        key: integers, slices, `...`, or a tuple of them, as NumPy's basic indices.
        shape: of the array: (ny, nx), (nz, ny, nx), or (nz, ny, nx, n_components).
        dtype: of the samples.
        read: returns the samples of a box (nz, ny, nx[, n_components]).

    Raises: IndexError where an index is out of range, or not of these kinds.
    """
    region, inner = _least_box(key, shape)
    sizes = [axis.stop - axis.start for axis in region]
    if 0 in sizes:
        return np.empty(sizes, dtype)[inner]
    z, y, x = ((slice(0, 1),) * (3 - len(shape)) + region)[:3]
    # Components are always read together.
    values: Array = read((z, y, x)).reshape(*sizes[:3], *shape[3:])
    of_components: tuple[Any, ...] = (..., *region[3:])
    return values[of_components][inner]


def _least_box(key: Any, shape: Sequence[int]) -> tuple[tuple[slice, ...], tuple[int | slice, ...]]:
    """A slice with start, stop and no step for every axis; and the index relative to it."""
    parts = list(key) if isinstance(key, tuple) else [key]
    if sum(part is Ellipsis for part in parts) == 0:
        parts.append(Ellipsis)
    at = [part is Ellipsis for part in parts].index(True)
    parts[at : at + 1] = [slice(None)] * (len(shape) - len(parts) + 1)
    if len(parts) != len(shape):
        raise IndexError(f"{key!r}: {len(parts)} indices of an array of shape {tuple(shape)}")
    region: list[slice] = []
    inner: list[int | slice] = []
    for axis, (part, n) in enumerate(zip(parts, shape, strict=True)):
        if isinstance(part, slice):
            chosen = range(n)[part]
            first, last = (chosen[0], chosen[-1]) if chosen else (0, -1)
            region.append(slice(min(first, last), max(first, last) + 1) if chosen else slice(0, 0))
            inner.append(slice(first - region[-1].start if chosen else 0, None, chosen.step))
            continue
        index = _integer(part, key)
        if not -n <= index < n:
            raise IndexError(f"index {index} of {n} samples along axis {axis}")
        region.append(slice(index % n, index % n + 1))
        inner.append(0)
    return tuple(region), tuple(inner)


def _integer(part: Any, key: Any) -> int:
    if not isinstance(part, bool | np.bool_):
        try:
            return operator.index(part)
        except TypeError:
            pass
    raise IndexError(f"{key!r}: expected integers, slices and `...`; decode() gives a plain array")
