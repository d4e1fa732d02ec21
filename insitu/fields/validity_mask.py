"""Mask of samples outside the domain, which are neither trained, nor evaluated, nor rendered.

In: a mask of the owned samples, or its bytes. Out: whether points lie outside.
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

# Limit of the decompressed size for short payloads: blocks of 2^25 samples. For longer payloads it
# grows with their length, by a compression ratio that ZSTD reaches on nonuniform data.
_PACKED, _PER_BYTE = 2**22, 64


@dataclass(frozen=True)
class ValidityMask:
    """The samples of a block that lie outside the domain. Immutable."""

    payload: bytes
    shape: Shape
    """Number of owned samples, (nz, ny, nx)."""
    vertex: bool

    @staticmethod
    def of(mask: NDArray[np.bool_], vertex: bool) -> ValidityMask | None:
        """mask: (nz, ny, nx), True outside. Returns None where no sample is outside, or the block
        is too large for its mask to be read back."""
        payload = zstd.compress(np.packbits(mask).tobytes())
        if not mask.any() or -(-mask.size // 8) > _most(payload):
            return None
        nz, ny, nx = mask.shape
        return ValidityMask(payload, (nz, ny, nx), vertex)

    @staticmethod
    def from_payload(payload: bytes, shape: Shape, vertex: bool) -> ValidityMask:
        """The mask from its payload. Raises FrameError where it does not have this shape."""
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
        return np.unpackbits(packed, count=count).reshape(self.shape).view(np.bool_)

    def at(self, unit: Floats) -> NDArray[np.bool_]:
        """(n,): whether the sample nearest to each unit-cube point (n, 3), x y z, is outside."""
        x, y, z = (self._nearest(unit[:, axis], self.shape[2 - axis]) for axis in range(3))
        return np.asarray(self.mask[z, y, x])

    def on_grid(self, xs: Floats, ys: Floats, zs: Floats) -> NDArray[np.bool_]:
        """As `at`, for the points of a grid -> (nz, ny, nx)."""
        x, y, z = (
            self._nearest(axis, n) for axis, n in zip((xs, ys, zs), self.shape[::-1], strict=True)
        )
        return np.asarray(self.mask[np.ix_(z, y, x)])

    def _nearest(self, unit: Floats, n: int) -> NDArray[np.int64]:
        place = np.rint(unit * (n - 1)) if self.vertex else np.floor(unit * n)
        return np.clip(place, 0, n - 1).astype(np.int64)


def _most(payload: bytes) -> int:
    return _PACKED + _PER_BYTE * len(payload)
