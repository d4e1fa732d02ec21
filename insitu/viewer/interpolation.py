"""Samples as the few whole numbers by which they differ from interpolation of coarser ones.

In: samples, NaN where there is none. Out: numbers, from which `page/interpolation.js` has samples
within half a step of the given ones.

The predictor of SZ3 (Zhao et al. 2021, "Optimizing error-bounded lossy compression for scientific
data by dynamic spline interpolation"): from one sample, each level halves the distance of samples,
axis by axis, and predicts the new ones by cubic polynomials through those that the page has.
Coarser levels have smaller steps, so that smooth fields give zeros on the finest, where most are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats

_FINEST_PER_COARSEST = 8.0


def numbers(samples: Floats, step: float) -> NDArray[np.int64]:
    """Numbers (n,), in the order of levels, of samples (nz, ny, nx). step: of the finest level."""
    known = np.zeros(samples.shape)  # what the page has
    wide = step / _FINEST_PER_COARSEST
    first = np.nan_to_num(np.rint(samples[:1, :1, :1] / wide), nan=0.0)
    known[:1, :1, :1] = first * wide
    found = [first.ravel()]
    for stride, axis, chosen in passes(samples.shape):
        wide = step / min(float(stride), _FINEST_PER_COARSEST)
        coarse = np.moveaxis(known[chosen], axis, 0)
        predicted = predict(coarse[0::2], len(coarse) // 2)
        want = np.moveaxis(samples[chosen], axis, 0)[1::2]
        differ = np.nan_to_num(np.rint((want - predicted) / wide), nan=0.0)
        coarse[1::2] = predicted + differ * wide  # a view of `known`
        found.append(np.moveaxis(differ, 0, axis).ravel())
    return np.concatenate(found).astype(np.int64)


def passes(shape: tuple[int, ...]) -> Iterator[tuple[int, int, tuple[slice, ...]]]:
    """(distance of samples, axis, samples): of these, every other one along the axis is new."""
    stride = 1
    while 2 * stride < max(shape):
        stride *= 2
    while stride:
        for axis in range(3):
            if stride < shape[axis]:
                each = (stride if other <= axis else 2 * stride for other in range(3))
                yield stride, axis, tuple(slice(None, None, n) for n in each)
        stride //= 2


def predict(known: Floats, count: int) -> Floats:
    """`count` samples, each after one of the known ones along the first axis."""
    n = len(known)
    found = known[:count].copy()
    inner = min(count, n - 1)
    found[:inner] = (known[:inner] + known[1 : inner + 1]) / 2
    if n > 3:
        middle = known[1 : n - 2] + known[2 : n - 1]
        found[1 : n - 2] = (9 * middle - (known[: n - 3] + known[3:])) / 16
    if count == n and n > 1:
        found[-1] = 1.5 * known[-1] - 0.5 * known[-2]
    return found
