"""Half precision, byte-shuffled: the reference, and the fallback.

In: values. Out: two bytes for each, and the values rounded to half precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.errors import FrameError

Floats = NDArray[np.float32]


def rounded(values: NDArray[Any]) -> Floats:
    """The values as decoded: rounded to float16, in float32.

    Raises ValueError where a value is too large for float16 (|w| > 65504) or not finite.
    """
    with np.errstate(over="ignore"):  # overflow is reported below
        halves = values.astype(np.float16)
    if not np.isfinite(halves).all():
        worst = values[~np.isfinite(halves)].flat[0]
        raise ValueError(f"weights: {worst} does not fit half precision")
    return halves.astype(np.float32)


def pack(values: NDArray[Any]) -> bytes:
    """Values, rounded by `rounded` -> all low bytes, then all high bytes."""
    planes = values.astype("<f2").ravel().view(np.uint8).reshape(-1, 2).T
    return np.ascontiguousarray(planes).tobytes()


def unpack(data: bytes, n: int) -> Floats:
    """(n,) values of `pack`. Raises FrameError for another length, or a nonfinite value."""
    if len(data) != 2 * n:
        raise FrameError(f"weights: {len(data)} bytes, {n} half-precision values have {2 * n}")
    planes = np.frombuffer(data, np.uint8).reshape(2, n)
    values = np.ascontiguousarray(planes.T).view("<f2").reshape(n).astype(np.float32)
    if not np.isfinite(values).all():
        raise FrameError("weights: a half-precision value is not finite")
    return values
