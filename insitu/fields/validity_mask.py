"""Where a block's box lies outside of the domain: neither trained, nor evaluated, nor drawn.

In: a mask of the owned samples, or its bytes. Out: which points lie outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from insitu.codecs import zstd
from insitu.codecs.frame import FrameError
from insitu.core.arrays import Floats

Shape = tuple[int, int, int]

# Packed bytes that a payload of a few bytes may stand for: blocks of 2^25 samples; longer payloads
# for as many more as ZSTD makes of what is not all the same.
_PACKED, _PER_BYTE = 2**22, 64


@dataclass(frozen=True)
class ValidityMask:
    """The samples of a block that lie outside of the domain. Immutable."""

    payload: bytes
    shape: Shape
    """Owned samples, (nz, ny, nx)."""
    vertex: bool

    @staticmethod
    def of(mask: NDArray[np.bool_], vertex: bool) -> ValidityMask | None:
        """mask: (nz, ny, nx), True outside. None where nothing is, or the block is too large for
        its holes to be read back."""
        payload = zstd.compress(np.packbits(mask).tobytes())
        if not mask.any() or -(-mask.size // 8) > _most(payload):
            return None
        nz, ny, nx = mask.shape
        return ValidityMask(payload, (nz, ny, nx), vertex)

    @staticmethod
    def from_payload(payload: bytes, shape: Shape, vertex: bool) -> ValidityMask:
        """FrameError where the bytes are not those of a mask of this shape."""
        size = -(-int(np.prod(shape, dtype=object)) // 8)
        if size > _most(payload):
            raise FrameError(f"holes: {len(payload)} bytes for {shape} samples")
        if len(zstd.decompress(payload, size)) != size:
            raise FrameError(f"holes: not the bytes of {shape} samples")
        return ValidityMask(payload, shape, vertex)

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """(nz, ny, nx), True outside."""
        count = int(np.prod(self.shape))
        packed = np.frombuffer(zstd.decompress(self.payload, -(-count // 8)), np.uint8)
        return np.unpackbits(packed, count=count).reshape(self.shape).astype(bool)

    def at(self, unit: Floats) -> NDArray[np.bool_]:
        """At points of the unit cube (n, 3), x y z: whether the nearest sample is outside. (n,)"""
        x, y, z = (self._nearest(unit[:, axis], self.shape[2 - axis]) for axis in range(3))
        return np.asarray(self.mask[z, y, x])

    def on_grid(self, xs: Floats, ys: Floats, zs: Floats) -> NDArray[np.bool_]:
        """(nz, ny, nx), likewise at the points of a grid."""
        x, y, z = (
            self._nearest(axis, n) for axis, n in zip((xs, ys, zs), self.shape[::-1], strict=True)
        )
        return np.asarray(self.mask[np.ix_(z, y, x)])

    def _nearest(self, unit: Floats, n: int) -> NDArray[np.int64]:
        place = np.rint(unit * (n - 1)) if self.vertex else np.floor(unit * n)
        return np.clip(place, 0, n - 1).astype(np.int64)


def _most(payload: bytes) -> int:
    return _PACKED + _PER_BYTE * len(payload)
