"""The levels of a hash grid: scale, resolution, table size, layout.

In: the architecture's numbers. Out: a `Level` each, coarse to fine. This is the only place where
they are computed: engines get them from here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

# Beyond this resolution the dense index would not fit 32 bits: tiny-cuda-nn hashes there.
_DENSE_RESOLUTION = 1625


@dataclass(frozen=True)
class Level:
    """One level of the grid."""

    scale: float
    """Position in the level's grid is u * scale + 0.5, u in [0,1]."""
    resolution: int
    """Vertices per axis."""
    size: int
    """Number of entries of its table."""
    hashed: bool
    """Whether table indices are hashed; otherwise they are x + y R + z R^2."""
    offset: int
    """Offset of its first value in the parameter vector."""


def scales(n_levels: int, base_resolution: int, per_level_scale: float) -> list[float]:
    """The scale of each level: base * growth^i - 1, by the formula of tiny-cuda-nn,
    exp2(i * log2(growth)) * base - 1 in single precision.

    Where a level's resolution should be an integer, rounding decides whether it has one vertex
    more, and with it the number of parameters. So both functions are computed in double precision
    and rounded: NumPy's and some C libraries' single-precision ones differ in the last bit between
    machines. For growths that are powers of two every step is exact. A C library whose own
    `exp2f` and `log2f` round correctly gives the same; glibc's, with which tiny-cuda-nn computes,
    gave other resolutions for 15 of 16518 growths chosen so that the finest level is an integer.

    Raises ValueError for a growth below 1.
    """
    if not per_level_scale >= 1:
        raise ValueError("per_level_scale is not >= 1")
    growth = np.float32(math.log2(float(np.float32(per_level_scale))))
    base, one = np.float32(base_resolution), np.float32(1)
    powers = (np.float32(2.0 ** float(np.float32(i) * growth)) for i in range(n_levels))
    return [float(power * base - one) for power in powers]


def levels(
    n_levels: int,
    n_features_per_level: int,
    log2_hashmap_size: int,
    base_resolution: int,
    per_level_scale: float,
    offset: int,
) -> list[Level]:
    """The levels of a grid whose first value is at `offset`. A level is dense where its full grid
    fits the table."""
    found = []
    for scale in scales(n_levels, base_resolution, per_level_scale):
        resolution = math.ceil(scale) + 1
        dense = resolution**3
        size = min(-(-dense // 8) * 8, 2**log2_hashmap_size)
        hashed = size < dense or resolution > _DENSE_RESOLUTION
        found.append(Level(scale, resolution, size, hashed, offset))
        offset += size * n_features_per_level
    return found
