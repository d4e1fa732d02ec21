"""Compressed weights of a model: the bytes, and the parameters that they decode to.

In: parameters, or a payload. Out: `Weights`, in which the two are always consistent.

A payload is the codec's bytes, compressed by ZSTD. Its decompressed size and its number of
parameters are limited before anything is allocated.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from insitu.codecs import half, zstd
from insitu.codecs.arrays import Layout
from insitu.codecs.errors import FrameError
from insitu.codecs.weight_codecs import weight_codec

Floats = NDArray[np.float32]

# A payload of b bytes may hold at most FREE + b * PER_BYTE parameters. Trained networks are far
# from this limit; the payload of an untrained one is padded with zeros where needed.
_FREE, _PER_BYTE = 1 << 16, 1024
# Maximum bytes that a codec may use per weight, and for everything else.
_PER_WEIGHT, _HEADS = 6, 1 << 14


@dataclass(frozen=True)
class Weights:
    """Parameters, and the bytes that decode to them. Immutable."""

    params: Floats
    """(n_params,), read-only."""
    codec: str
    """One of `weight_codecs.names()`."""
    payload: bytes = field(repr=False)

    @property
    def body(self) -> bytes:
        """The codec's bytes, before ZSTD."""
        return zstd.decompress(self.payload, _HEADS + _PER_WEIGHT * len(self.params))

    @staticmethod
    def none() -> Weights:
        """Weights of a field that needs no model."""
        return Weights.known(np.zeros(0, np.float32), "half", b"")

    @staticmethod
    def half(params: Floats) -> Weights:
        """Weights in half precision. Raises ValueError where one is too large (|w| > 65504)."""
        params = half.rounded(params)
        return Weights.known(params, "half", half.pack(params))

    @staticmethod
    def of(layout: Layout, codec: str, body: bytes) -> Weights:
        """Weights from a codec's bytes, which are decoded."""
        return Weights.known(_decode(layout, codec, body), codec, body)

    @staticmethod
    def known(params: Floats, codec: str, body: bytes) -> Weights:
        """Weights from a codec's bytes, and the parameters (n_params,) that they decode to."""
        payload = zstd.compress(body)
        least = -(-(len(params) - _FREE) // _PER_BYTE)
        return _freeze(params, codec, payload + bytes(max(least - len(payload), 0)))

    @staticmethod
    def from_payload(payload: bytes, codec: str, layout: Layout | None) -> Weights:
        """Weights from a stored payload.

        Args:
            payload, codec: those of the `Weights` that were written.
            layout: layout of their model; None for a field without a model.

        Raises FrameError where the payload does not match the model.
        """
        try:
            weight_codec(codec)
        except ValueError as error:
            raise FrameError(f"weights: {error}") from None
        if layout is None:
            return Weights.none()
        n = layout.n_params
        if n > _FREE + _PER_BYTE * len(payload):
            raise FrameError(f"weights: {len(payload)} bytes for {n} parameters")
        body = zstd.decompress(payload, _HEADS + _PER_WEIGHT * n)
        return _freeze(_decode(layout, codec, body), codec, payload)


def _decode(layout: Layout, codec: str, body: bytes) -> Floats:
    params = weight_codec(codec).decode(layout, body)
    if not np.isfinite(params).all():
        raise FrameError("weights: a parameter is not finite")
    return params


def _freeze(params: Floats, codec: str, payload: bytes) -> Weights:
    params = np.ascontiguousarray(params, np.float32)
    params.flags.writeable = False
    return Weights(params, codec, payload)
