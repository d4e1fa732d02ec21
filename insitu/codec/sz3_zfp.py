"""Weights by error-bounded compressors, as in DVNR, section III-D.

In: parameters, the accuracies r_enc and r_mlp. Out: bytes, and the parameters that they stand for.

Dense levels go through SZ3 as arrays (R, R, R, F), hashed levels through ZFP as (T, F), the MLP's
weights through ZFP. Both compressors are known to break their word on weights, and to grow what is
small: each array is decoded at once and compared with its accuracy, and kept in half precision
where it does not hold it, or is not smaller.

SZ3 reads its own bytes without checking them. A digest goes before them, so that damaged bytes do
not reach it; who forges both can crash the reader.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codec import half
from insitu.codec.arrays import views
from insitu.codec.errors import FrameError
from insitu.models.base import Model
from insitu.models.hash_grid.model import HashGrid

Floats = NDArray[np.float32]

_HALF, _SZ3, _ZFP = range(3)
_ARRAY = struct.Struct("<BI")  # method, bytes
_ACCURACY = struct.Struct("<d")
_DIGEST_NBYTES = 16
# ZFP reads on where its bytes end. A block of 4 or 16 float32 values never takes more than these
# bytes per value: one bit for each of 32 planes and value, as much again for the group tests, and
# the exponent.
_ZFP_MOST = 12


class Sz3Zfp:
    """The parameters of one network, ready to be coded more or less accurately."""

    def __init__(
        self,
        network: Model,
        params: Floats,
        sensitivity: Floats,
        r_enc: float | None,
        r_mlp: float | None,
    ) -> None:
        """params (n_params,), finite; sensitivity: one value for each of `arrays.views`.

        An accuracy that is None follows the coarseness, level by level, so that all of them and the
        MLP have the same slope of distortion over rate (see `quantized`).
        """
        assert isinstance(network, HashGrid)
        self.network, self._params = network, params
        self._r_enc, self._r_mlp = r_enc, r_mlp
        mlp, f = len(network.matrix_shapes), network.n_features_per_level
        sizes = [view.size for view in views(network, params)]
        groups = [slice(0, mlp), *(slice(i, i + f) for i in range(mlp, len(sizes), f))]
        with np.errstate(divide="ignore"):
            self._relative = [
                float(np.sqrt(sum(sizes[part]) / sensitivity[part].sum(dtype=np.float64)))
                for part in groups
            ]

    def rounded(self, coarseness: float) -> Floats:
        """(n_params,): what the bytes of this coarseness decode to."""
        return decode(self.network, self.body(coarseness))

    def body(self, coarseness: float) -> bytes:
        """The bytes. Raises ValueError where what has to be half precision does not fit it."""
        r_mlp, *of_levels = (coarseness * relative for relative in self._relative)
        mlp = self._params[: self.network.n_mlp_params]
        parts = [_pack(_ZFP, mlp, self._r_mlp or r_mlp)]
        for i, level in enumerate(self.network.levels):
            r_enc = self._r_enc or of_levels[i]
            table = self.network.table(self._params, i)
            if level.hashed:
                parts.append(_pack(_ZFP, table, r_enc))
            else:
                cube = level.resolution**3
                shape = (*[level.resolution] * 3, table.shape[1])
                parts.append(_pack(_SZ3, table[:cube].reshape(shape), r_enc))
                parts.append(_pack(_HALF, table[cube:], r_enc))
        return b"".join(parts)


def _pack(method: int, values: Floats, accuracy: float) -> bytes:
    """One array, by the method if that keeps the accuracy and is smaller, else as it is."""
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


def decode(network: Model, body: bytes) -> Floats:
    """(n_params,) from the bytes. FrameError where they are not those of this network."""
    assert isinstance(network, HashGrid)
    shapes: list[tuple[int, ...]] = [(network.n_mlp_params,)]
    for level in network.levels:
        f = network.n_features_per_level
        if level.hashed:
            shapes.append((level.size, f))
        else:
            cube = level.resolution**3
            shapes += [(*[level.resolution] * 3, f), (level.size - cube, f)]
    values, at = [], 0
    for shape in shapes:
        if len(body) < at + _ARRAY.size:
            raise FrameError(f"weights: end after {len(body)} bytes, expected {len(shapes)} arrays")
        method, nbytes = _ARRAY.unpack_from(body, at)
        at += _ARRAY.size
        packed = body[at : at + nbytes]
        at += nbytes
        if method == _HALF:
            values.append(half.unpack(packed, int(np.prod(shape))))
        elif method in _METHODS and 0 not in shape:
            values.append(_METHODS[method][1](packed, shape).ravel())
        else:
            raise FrameError(f"weights: method {method} for an array of shape {shape}")
    return np.concatenate(values)


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


_Encode = Callable[[Floats, float], "bytes | None"]
_Decode = Callable[[bytes, tuple[int, ...]], Any]
# ZFP mostly stays well below its tolerance: larger ones are tried first.
_METHODS: dict[int, tuple[_Encode, _Decode, tuple[int, ...]]] = {
    _SZ3: (_sz3_encode, _sz3_decode, (1,)),
    _ZFP: (_zfp_encode, _zfp_decode, (8, 4, 2, 1)),
}
