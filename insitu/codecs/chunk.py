"""The bytes of one chunk of a block.

In: values and the largest error of each, or bytes. Out: bytes with what they decode to, or values.

The first byte is the chunk's kind: one value; raw values (byte-shuffled, through ZSTD); or a
compressor's error bound and its bytes. Where samples are not finite, a map of them precedes the
rest.
"""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codecs import compressors, zstd
from insitu.codecs.errors import FrameError

Values = NDArray[np.floating[Any]]
Shape = tuple[int, int, int]

CONSTANT, EXACT, COMPRESSED = range(3)
HOLES = 4  # flag, added to the kind where samples are not finite
_NON_FINITE = np.array([0, np.nan, np.inf, -np.inf])
_LENGTH = struct.Struct("<I")
_BOUND = struct.Struct("<d")
# The overhead of a compressor alone is larger than this many values.
_FEWEST = 16
# Raw values are tried as well where a compressor saves no more than this: they are slow to code.
_SAVES = 0.5


def pack(values: Values, codec: str, bound: float) -> tuple[bytes, Values]:
    """Bytes of a chunk, and the values that they decode to: every finite one within `bound` >= 0;
    NaN and infinities as they are, but not a NaN's payload.

    values: C-contiguous. The chunk is raw where the compressor violates the bound or does not save
    space.
    """
    finite = np.isfinite(values)
    if finite.all():
        kind, body, again = _body(values, codec, bound)
        return bytes([kind]) + body, again
    # Replacement values cost least where they are similar to the other values.
    filled = np.where(finite, values, values[finite].mean() if finite.any() else 0)
    codes = np.select([finite, np.isnan(values), values > 0], [0, 1, 2], 3).astype(np.uint8)
    holes = zstd.compress(codes.tobytes())
    kind, body, again = _body(filled.astype(values.dtype), codec, bound)
    packed = bytes([kind + HOLES]) + _LENGTH.pack(len(holes)) + holes + body
    return packed, _with_holes(again, codes)


def unpack(data: bytes, codec: str, shape: Shape, dtype: np.dtype[Any]) -> Values:
    """The values of a chunk. Raises FrameError where its bytes are invalid."""
    size = math.prod(shape)
    if not data or data[0] >= 2 * HOLES:
        raise FrameError("bricks: a chunk of an unknown kind")
    kind, body, codes = data[0], data[1:], None
    if kind >= HOLES:
        if len(body) < _LENGTH.size:
            raise FrameError("bricks: a chunk ends in the length of its map")
        (nbytes,) = _LENGTH.unpack_from(body)
        codes = np.frombuffer(zstd.decompress(body[_LENGTH.size :][:nbytes], size), np.uint8)
        if codes.size != size or codes.max() >= len(_NON_FINITE):
            raise FrameError("bricks: a map that is not one of this brick")
        kind, body = kind - HOLES, body[_LENGTH.size + nbytes :]
    if kind == CONSTANT:
        if len(body) != dtype.itemsize:
            raise FrameError(f"bricks: {len(body)} bytes for one value")
        values = np.full(shape, np.frombuffer(body, dtype)[0], dtype)
    elif kind == EXACT:
        planes = np.frombuffer(zstd.decompress(body, size * dtype.itemsize), np.uint8)
        if planes.size != size * dtype.itemsize:
            raise FrameError(f"bricks: {planes.size} bytes for {size} values")
        values = planes.reshape(dtype.itemsize, size).T.copy().view(dtype).reshape(shape)
    elif kind == COMPRESSED and len(body) > _BOUND.size:
        (bound,) = _BOUND.unpack_from(body)
        values = compressors.decode(codec, body[_BOUND.size :], shape, dtype, bound)
    else:
        raise FrameError("bricks: a chunk of an unknown kind")
    if codes is not None:
        values = _with_holes(values, codes)
    return np.ascontiguousarray(values)


def _with_holes(values: Values, codes: NDArray[np.uint8]) -> Values:
    """The values, with what is not finite where `codes` are not 0."""
    holes = codes.reshape(values.shape)
    return np.asarray(np.where(holes == 0, values, _NON_FINITE[holes]).astype(values.dtype))


def _body(values: Values, codec: str, bound: float) -> tuple[int, bytes, Values]:
    """Kind and bytes of a chunk of finite values, and what they decode to."""
    low, high = values.min(), values.max()
    middle = np.asarray(low / 2 + high / 2).astype(values.dtype)
    if low == high:
        middle = np.asarray(low)
    if _within(middle, values, bound):
        return CONSTANT, middle.tobytes(), np.full(values.shape, middle, values.dtype)
    found: tuple[int, bytes, Values] | None = None
    if bound > 0 and values.size >= _FEWEST:
        found = _compressed(values, codec, bound)
    if found is not None and len(found[1]) <= _SAVES * values.nbytes:
        return found
    planes = values.reshape(-1, 1).view(np.uint8).T
    exact = zstd.compress(planes.tobytes())
    return found if found is not None and len(found[1]) < len(exact) else (EXACT, exact, values)


def _compressed(values: Values, codec: str, bound: float) -> tuple[int, bytes, Values] | None:
    for multiple in compressors.compressor(codec).multiples:
        packed = compressors.encode(codec, values, multiple * bound)
        if packed is None:
            continue
        again = compressors.decode(codec, packed, values.shape, values.dtype, multiple * bound)
        if _within(again, values, bound):
            return COMPRESSED, _BOUND.pack(multiple * bound) + packed, again
    return None


def _within(result: Values, values: Values, bound: float) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.abs(result.astype(np.float64) - values.astype(np.float64))
    return bool((error <= bound).all())
