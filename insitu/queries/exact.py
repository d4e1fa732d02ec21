"""Exact sums of float64 numbers, independent of order and of the number of ranks.

In: arrays of finite numbers. Out: their sum as an integer multiple of 2^-1074, which is exact;
it is rounded once, at the end.

Leading parts are split off the numbers until nothing is left. All parts of one pass are multiples
of one unit, so that float64 adds them without error (S. M. Rump, T. Ogita, S. Oishi: Accurate
floating-point summation, part I, SIAM J. Sci. Comput. 31, 2008, algorithm ExtractVector).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_UNIT = 1074  # float64's smallest number is 2^-1074
_LIMB = 32
N_LIMBS = -(-(1024 + _UNIT + 64) // _LIMB)
"""Integers (int64) of 32 bits each that hold a sum of up to 2^64 numbers."""
_SAFE = 2.0**900  # larger numbers are scaled down first


def fixed_sum(values: NDArray[Any]) -> int:
    """The sum of finite floats or bools of any shape, times 2^1074. Allocates four temporaries."""
    if values.size == 0:
        return 0
    if values.dtype == bool:
        return int(np.count_nonzero(values)) << _UNIT
    rest = np.array(values, np.float64).ravel()
    if np.abs(rest).max() < _SAFE:
        return _extract(rest)
    large = np.abs(rest) >= _SAFE
    return _extract(rest[~large]) + (_extract(rest[large] * 2.0**-200) << 200)


def _extract(rest: NDArray[np.float64]) -> int:
    """As `fixed_sum`; modifies `rest`."""
    total = 0
    room = math.ceil(math.log2(rest.size + 2)) if rest.size else 0
    while rest.size:
        top = float(np.abs(rest).max())
        if top == 0.0:
            break
        sigma = math.ldexp(1.0, math.frexp(top)[1] + room)
        part = (rest + sigma) - sigma
        total += _fixed(float(part.sum()))
        rest -= part
    return total


def _fixed(value: float) -> int:
    numerator, denominator = value.as_integer_ratio()
    return numerator << (_UNIT + 1 - denominator.bit_length())


def to_limbs(total: int) -> NDArray[np.int64]:
    """A sum as N_LIMBS integers; sums are added by adding these element by element."""
    sign, size = (-1, -total) if total < 0 else (1, total)
    data = size.to_bytes(N_LIMBS * _LIMB // 8, "little")
    return sign * np.frombuffer(data, "<u4").astype(np.int64)


def from_limbs(limbs: NDArray[np.int64]) -> int:
    return sum(int(limb) << (_LIMB * i) for i, limb in enumerate(limbs))


def rounded(total: int, count: int = 1) -> float:
    """total / 2^1074 / count as the nearest float64; infinite on overflow."""
    try:
        return total / (count << _UNIT)  # Python's division of integers is correctly rounded
    except OverflowError:
        return math.inf if total > 0 else -math.inf
