"""Weights by error-bounded compressors, as in DVNR, section III-D.

In: parameters, the accuracies r_enc and r_mlp. Out: bytes, and the parameters that they decode to.

Grids are compressed by SZ3 as arrays (R, R, R, F); tables, which are the hashed levels (T, F) and
the MLP's weights, by ZFP. Both compressors are known to violate their bound on weights, and to
expand small arrays. So each array is decoded and compared, and stored in half precision where it
exceeds its bound or is not smaller.

SZ3 does not validate its input. A digest detects damaged bytes before they reach it; forged bytes
with a matching digest can crash the reader.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codecs import half
from insitu.codecs.arrays import Layout, Segment
from insitu.codecs.errors import FrameError

Floats = NDArray[np.float32]

_HALF, _SZ3, _ZFP = range(3)
_ARRAY = struct.Struct("<BI")  # method, bytes
_ACCURACY = struct.Struct("<d")
_DIGEST_NBYTES = 16
# ZFP reads beyond the end of its input. A block of 4 or 16 float32 values never takes more bytes
# per value than this: one bit for each of 32 planes and value, as much again for the group tests,
# and the exponent.
_ZFP_MOST = 12


class Sz3Zfp:
    """Codes the parameters of one model with given accuracy."""

    def __init__(
        self,
        layout: Layout,
        params: Floats,
        sensitivity: Floats,
        r_enc: float | None,
        r_mlp: float | None,
    ) -> None:
        """params (n_params,), finite; sensitivity: one value for each of `arrays.views`.

        An accuracy of None follows from the coarseness, group by group, so that all groups have the
        same slope of distortion over rate (see `quantized`).
        """
        self.layout, self._segments = layout, layout.segments(params)
        self.fixed = r_enc is not None and r_mlp is not None
        arrays = layout.arrays(params)
        matrices = {array.group for array in arrays if array.role == "matrix"}
        self._given: dict[str, float | None] = {}
        self._relative: dict[str, float] = {}
        groups = [array.group for array in arrays]
        for group in dict.fromkeys(groups):
            mine = np.array([g == group for g in groups])
            size = sum(array.values.size for array in arrays if array.group == group)
            with np.errstate(divide="ignore"):
                noise = sensitivity[mine].sum(dtype=np.float64)
                self._relative[group] = float(np.sqrt(size / noise))
            self._given[group] = r_mlp if group in matrices else r_enc

    def rounded(self, coarseness: float) -> Floats:
        """(n_params,): the parameters that the bytes of this coarseness decode to."""
        return decode(self.layout, self.body(coarseness))

    def body(self, coarseness: float) -> bytes:
        """The coded bytes. Raises ValueError where a weight is too large for half precision."""
        return b"".join(
            _pack(
                _METHOD[segment.kind],
                segment.values,
                self._given[segment.group] or coarseness * self._relative[segment.group],
            )
            for segment in self._segments
        )


def _pack(method: int, values: NDArray[Any], accuracy: float) -> bytes:
    """One array, by the method if it keeps the accuracy and is smaller, otherwise as it is."""
    values = np.ascontiguousarray(values)
    if method != _HALF and values.size and np.isfinite(accuracy) and accuracy > 0:
        encode, decode_one, tolerances = _METHODS[method]
        for tolerance in tolerances:
            packed = encode(values, tolerance * accuracy)
            if packed is not None and len(packed) < 2 * values.size:
                result = decode_one(packed, values.shape)
                if (np.abs(result.astype(np.float64) - values) <= accuracy).all():
                    return _ARRAY.pack(method, len(packed)) + packed
    packed = half.pack(half.rounded(values))
    return _ARRAY.pack(_HALF, len(packed)) + packed


def decode(layout: Layout, body: bytes) -> Floats:
    """(n_params,) from the bytes. Raises FrameError where they do not match this model."""
    params = np.zeros(layout.n_params, np.float32)
    segments, at = layout.segments(params), 0
    for segment in segments:
        if len(body) < at + _ARRAY.size:
            raise FrameError(
                f"weights: end after {len(body)} bytes, expected {len(segments)} arrays"
            )
        method, nbytes = _ARRAY.unpack_from(body, at)
        at += _ARRAY.size
        packed = body[at : at + nbytes]
        at += nbytes
        segment.values[...] = _unpack(method, packed, segment)
    return params


def _unpack(method: int, packed: bytes, segment: Segment) -> Floats:
    shape = segment.values.shape
    if method == _HALF:
        return half.unpack(packed, segment.values.size).reshape(shape)
    if method not in _METHODS or 0 in shape:
        raise FrameError(f"weights: method {method} for an array of shape {shape}")
    return np.asarray(_METHODS[method][1](packed, shape)).reshape(shape)


def _sz3_encode(values: Floats, accuracy: float) -> bytes | None:
    from pysz import sz, szConfig, szErrorBoundMode

    config = szConfig()
    config.errorBoundMode = szErrorBoundMode.ABS
    config.absErrorBound = accuracy
    try:
        packed = sz.compress(values, config)[0].tobytes()
    except RuntimeError:
        return None
    return hashlib.blake2b(packed, digest_size=_DIGEST_NBYTES).digest() + packed


def _sz3_decode(packed: bytes, shape: tuple[int, ...]) -> Floats:
    from pysz import sz

    digest, packed = packed[:_DIGEST_NBYTES], packed[_DIGEST_NBYTES:]
    if hashlib.blake2b(packed, digest_size=_DIGEST_NBYTES).digest() != digest:
        raise FrameError("weights: SZ3's bytes are not those that were written")
    try:
        return np.asarray(sz.decompress(np.frombuffer(packed, np.uint8), np.float32, shape)[0])
    except (RuntimeError, ValueError) as error:
        raise FrameError(f"weights: SZ3: {error}") from None


def _zfp_encode(values: Floats, accuracy: float) -> bytes | None:
    import zfpy

    try:
        packed = zfpy.compress_numpy(values, tolerance=accuracy, write_header=False)
    except (RuntimeError, ValueError):
        return None
    return _ACCURACY.pack(accuracy) + bytes(packed)


def _zfp_decode(packed: bytes, shape: tuple[int, ...]) -> Floats:
    import zfpy

    if len(packed) < _ACCURACY.size:
        raise FrameError(f"weights: {len(packed)} bytes of ZFP")
    (accuracy,) = _ACCURACY.unpack_from(packed)
    if not 0 < accuracy < np.inf:
        raise FrameError(f"weights: ZFP to an accuracy of {accuracy}")
    blocks = np.prod([-(-n // 4) * 4 for n in shape])
    padded = packed[_ACCURACY.size :] + bytes(_ZFP_MOST * int(blocks) + 64)
    kind = zfpy.dtype_to_ztype(np.dtype(np.float32))
    return np.asarray(zfpy._decompress(padded, kind, shape, tolerance=accuracy))


_METHOD = {"grid": _SZ3, "table": _ZFP, "exact": _HALF}
_Encode = Callable[[Floats, float], "bytes | None"]
_Decode = Callable[[bytes, tuple[int, ...]], Any]
# ZFP usually stays well below its tolerance, so larger ones are tried first.
_METHODS: dict[int, tuple[_Encode, _Decode, tuple[int, ...]]] = {
    _SZ3: (_sz3_encode, _sz3_decode, (1,)),
    _ZFP: (_zfp_encode, _zfp_decode, (8, 4, 2, 1)),
}
