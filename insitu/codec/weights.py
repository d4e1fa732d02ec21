"""Weights of a network as bytes: half precision, bytes of like significance together, ZSTD.

In: parameters (n,). Out: a payload, and the parameters again exactly as half precision holds them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from insitu.codec.frame import FrameError


def half(params: NDArray[np.float32]) -> NDArray[np.float32]:
    """The parameters as they will be read back: rounded to float16, in float32.

    Raises ValueError where one does not fit float16 (|w| > 65504) or is not finite.
    """
    with np.errstate(over="ignore"):  # what overflows is found, and said, in the next line
        rounded = params.astype(np.float16)
    if not np.isfinite(rounded).all():
        worst = params[~np.isfinite(rounded)][0]
        raise ValueError(f"weights: {worst} does not fit half precision")
    return rounded.astype(np.float32)


def encode(params: NDArray[np.float32]) -> bytes:
    """params (n,), already rounded by `half` -> payload."""
    import zstandard

    planes = params.astype("<f2").view(np.uint8).reshape(-1, 2).T  # low bytes, then high bytes
    return zstandard.ZstdCompressor(level=9).compress(np.ascontiguousarray(planes).tobytes())


def decode(payload: bytes, n: int) -> NDArray[np.float32]:
    """payload -> params (n,). Raises FrameError where the payload does not hold n weights."""
    import zstandard

    try:
        raw = zstandard.ZstdDecompressor().decompress(payload, max_output_size=2 * n + 1)
    except zstandard.ZstdError as error:
        raise FrameError(f"weights: {error}") from None
    if len(raw) != 2 * n:
        raise FrameError(f"weights: {len(raw)} bytes, {n} half-precision values have {2 * n}")
    planes = np.frombuffer(raw, np.uint8).reshape(2, n)
    return np.ascontiguousarray(planes.T).view("<f2").reshape(n).astype(np.float32)
