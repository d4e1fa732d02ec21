"""A block stored by an error-bounded compressor, in chunks.

In: chunks and geometry, or bytes. Out: values and gradients at any point, by trilinear
interpolation; only the chunks that are needed are decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from insitu.codecs.chunks import Chunks
from insitu.codecs.frame import FrameError
from insitu.core.arrays import Floats
from insitu.core.box import Box
from insitu.fields import header as head
from insitu.fields.block_field import BlockField, owned_samples
from insitu.fields.header import NO_LAYERS, Layers
from insitu.fields.trilinear import Trilinear

if TYPE_CHECKING:
    from insitu.engines import Engine


@dataclass(frozen=True, kw_only=True, repr=False)
class BrickField(BlockField):
    """One field on one partition, in chunks of about 32^3 samples, compressed by SZ3, ZFP or SPERR.
    Immutable; no method is collective."""

    kind: ClassVar[str] = "brick_field"

    chunks: Chunks
    """Owned samples and ghost layers, so that values at the faces agree with the neighbors'."""
    ghost_layers: Layers = NO_LAYERS
    """Number of layers in `chunks` on the (low, high) side along z, y, x."""

    @property
    def codec(self) -> str:
        return self.chunks.codec

    @classmethod
    def from_bytes(cls, data: bytes | memoryview, engine: Engine | None = None) -> BrickField:
        """The field of one frame; `engine` is not used. Raises FrameError where the bytes are not a
        complete frame of a brick field."""
        header, payloads, common = cls._unpacked(data, {"codec", "ghost_layers"})
        if len(payloads) != 1:
            raise FrameError(f"{len(payloads)} payloads of a brick field's own")
        layers = head.ghost_layers(header["ghost_layers"])
        owned = owned_samples(common["cells"], common["association"])
        nz, ny, nx = (n + sum(sides) for n, sides in zip(owned, layers, strict=True))
        chunks = Chunks.from_payload(
            payloads[0],
            head.word("codec", header["codec"]),
            (nz, ny, nx),
            len(common["range"]),
            common["dtype"],
        )
        return cls(**common, chunks=chunks, ghost_layers=layers)

    @property
    def _vertex(self) -> bool:
        return self.association == "vertex"

    @cached_property
    def _function(self) -> Trilinear:
        return Trilinear(self.chunks, self.cells, self._vertex, self.ghost_layers)

    def _content(self) -> tuple[dict[str, Any], list[bytes]]:
        entries = {"codec": self.chunks.codec, "ghost_layers": self.ghost_layers}
        return entries, [self.chunks.payload]

    def _values(self, unit: Floats) -> Floats:
        return self._function.values(unit).astype(self.dtype)

    def _slopes(self, unit: Floats) -> Floats:
        return self._function.slopes(unit)

    def _slab(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        return self._function.on_grid(xs, ys, zs)

    def _box(self, box: Box) -> Floats:
        z, y, x = (
            slice(at.start + low, at.stop + low)
            for at, (low, _) in zip(box, self.ghost_layers, strict=True)
        )
        return self.chunks.box((z, y, x))

    def _grid(self, shape: tuple[int, int, int]) -> Floats:
        if shape == self.shape:
            owned = tuple(
                slice(low, low + n)
                for n, (low, _) in zip(self.shape, self.ghost_layers, strict=True)
            )
            return np.stack([values[owned] for values in self.chunks.decode()], axis=-1)
        zs, ys, xs = (self._unit_samples(n) for n in shape)
        return self.on_grid(xs, ys, zs)
