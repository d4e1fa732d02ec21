"""Values for samples that are not finite, so that a transform can pass over them.

In: one component of a block. Out: it in units of the block's range, smooth where there was nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.engines.sparse_kernels import sparse_kernels


def filled(raw: Floats, origin: float, unit: float) -> NDArray[np.float32]:
    """(raw - origin) / unit, (nz, ny, nx), with means of finite neighbors where raw is not finite:
    of the smallest cube of 2^k samples that has one."""
    # A range of float32 may be no float32.
    values, finite = sparse_kernels().scale(raw, origin, unit)
    if finite:
        return values
    there = np.isfinite(values)
    return _pulled(np.where(there, values, np.float32(0)), there.astype(np.float32))


def _pulled(values: Floats, weight: Floats) -> NDArray[np.float32]:
    """values where weight is 1, coarser means elsewhere; both (nz, ny, nx)."""
    if not weight.any() or (weight > 0).all():
        return np.ascontiguousarray(values, np.float32)
    if max(values.shape) == 1:
        return np.ascontiguousarray(values, np.float32)
    sums, counts = _halved(values * weight), _halved(weight)
    coarse = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    below = _pulled(coarse, (counts > 0).astype(np.float32))
    for axis, n in enumerate(values.shape):
        below = np.repeat(below, 2, axis)[tuple([slice(None)] * axis + [slice(n)])]
    return np.where(weight > 0, values, below).astype(np.float32)


def _halved(values: Floats) -> Floats:
    """Sums over cubes of 2^3."""
    padded = np.pad(values, [(0, n % 2) for n in values.shape])
    nz, ny, nx = (n // 2 for n in padded.shape)
    summed: Floats = padded.reshape(nz, 2, ny, 2, nx, 2).sum(axis=(1, 3, 5))
    return summed
