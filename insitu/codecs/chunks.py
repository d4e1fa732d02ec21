"""A block in chunks, each compressed independently: of about 32^3 samples, or, where a compressor
needs more of them at once, of the whole block up to 239 samples an axis.

In: components and the largest error of each, or a payload. Out: any sample, by decoding the chunks
that are needed; a cache of bounded size keeps recently used ones.

    digest 16 | length of the table u32 | table (u32 per chunk, through ZSTD) | chunks

Chunks are numbered by component, z, y, x. An axis of n samples is cut evenly into round(n / edge)
parts, so that no chunk is thin; the number of chunks tells which edge it is. `codecs.chunk` has the
bytes of one.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from insitu.codecs import compressors, zstd
from insitu.codecs.chunk import Shape, Values, pack, unpack
from insitu.codecs.chunk_cache import CACHE
from insitu.codecs.errors import FrameError
from insitu.core.arrays import Indices
from insitu.core.box import Box

EDGE = 32  # samples
# SPERR's wavelets reach over the whole block: bricks of 32^3 take it several times the bytes. A
# chunk of float32 stays below the cache's limit.
_EDGES = {"sperr": 160}

_LENGTH = struct.Struct("<I")
_DIGEST_NBYTES = 16

Decoded = Callable[[int, Box, Values], None]
"""Called with a component, the box of a chunk in the block, and the chunk as it will decode."""


@dataclass(frozen=True)
class Chunks:
    """`n_components` arrays of one shape. Immutable; thread-safe."""

    payload: bytes = field(repr=False)
    codec: str
    """One of `compressors.names()`."""
    shape: Shape
    """Samples, (nz, ny, nx)."""
    n_components: int
    dtype: np.dtype[Any]
    _owner: int = field(default_factory=CACHE.owner, repr=False, compare=False)

    @staticmethod
    def encode(
        components: Sequence[Values],
        codec: str,
        bounds: Sequence[float],
        decoded: Decoded | None = None,
    ) -> Chunks:
        """Compress with every finite sample within its component's bound. NaN and infinities are
        preserved, but not a NaN's payload. Each chunk is decoded and compared before it is
        accepted, and stored raw where the compressor violates the bound or does not save space.

        bounds: one per component, >= 0, in its unit. decoded: called for each chunk.
        """
        parts = []
        for c, (values, bound) in enumerate(zip(components, bounds, strict=True)):
            for box in boxes(values.shape, _EDGES.get(codec, EDGE)):
                packed, again = pack(np.ascontiguousarray(values[box]), codec, bound)
                parts.append(packed)
                if decoded is not None:
                    decoded(c, box, again)
        return Chunks.of(parts, codec, components[0].shape, len(components), components[0].dtype)

    @staticmethod
    def of(
        parts: Sequence[bytes],
        codec: str,
        shape: Sequence[int],
        n_components: int,
        dtype: np.dtype[Any],
    ) -> Chunks:
        """Chunks of the bytes of each, from `chunk.pack`, in the order of `boxes` for each
        component in turn."""
        lengths = np.array([len(part) for part in parts], "<u4")
        table = zstd.compress(lengths.tobytes())
        body = [_LENGTH.pack(len(table)), table, *parts]
        nz, ny, nx = shape
        kind = (codec, (nz, ny, nx), n_components, dtype)
        return Chunks(b"".join([_digest(body, *kind), *body]), *kind)

    @staticmethod
    def from_payload(
        payload: bytes, codec: str, shape: Shape, n_components: int, dtype: np.dtype[Any]
    ) -> Chunks:
        """Chunks from a payload, not decoded yet. Raises FrameError where the payload does not have
        this shape, or was altered."""
        if codec not in compressors.names():
            known = ", ".join(compressors.names())
            raise FrameError(f"bricks: codec {codec!r}, expected one of {known}")
        body = [memoryview(payload)[_DIGEST_NBYTES:]]
        if payload[:_DIGEST_NBYTES] != _digest(body, codec, shape, n_components, dtype):
            raise FrameError("bricks: the bytes are not those that were written")
        chunks = Chunks(payload, codec, shape, n_components, dtype)
        _ = chunks._starts
        return chunks

    def decode(self) -> list[Values]:
        """All components, each (nz, ny, nx)."""
        whole = [np.empty(self.shape, self.dtype) for _ in range(self.n_components)]
        all_boxes = boxes(self.shape, self._edge)
        for c, values in enumerate(whole):
            for i, box in enumerate(all_boxes):
                values[box] = self.chunk(c * len(all_boxes) + i)
        return whole

    def box(self, box: Box) -> Values:
        """The samples in a box of indices z, y, x -> (nz, ny, nx, n_components). Decodes only the
        chunks that intersect the box."""
        sizes = [at.stop - at.start for at in box]
        values = np.empty((*sizes, self.n_components), self.dtype)
        counts = (self.n_components, *(len(edges) - 1 for edges in self._edges))
        spans = [_spans(edges, at) for edges, at in zip(self._edges, box, strict=True)]
        for component in range(self.n_components):
            for meet in itertools.product(*spans):
                (z, y, x), into, out_of = zip(*meet, strict=True)
                number = int(np.ravel_multi_index((component, z, y, x), counts))
                values[..., component][into] = self.chunk(number)[out_of]
        return values

    def chunk(self, number: int) -> Values:
        """One chunk, read-only. Raises FrameError where its bytes are invalid."""
        return CACHE.get((self._owner, number), lambda: self._decoded(number))

    def at(self, component: int, z: Indices, y: Indices, x: Indices) -> Values:
        """Samples at indices (n,) of each axis -> (n,)."""
        if not len(z):
            return np.zeros(0, self.dtype)
        edges = self._edges
        numbers, local = np.zeros(len(z), np.int64), []
        for axis, index in enumerate((z, y, x)):
            part = np.searchsorted(edges[axis], index, side="right") - 1
            numbers = numbers * (len(edges[axis]) - 1) + part
            local.append(index - edges[axis][part])
        order = np.argsort(numbers, kind="stable")
        used, begins = np.unique(numbers[order], return_index=True)
        found = np.empty(len(z), self.dtype)
        first = component * math.prod(len(e) - 1 for e in edges)
        for number, here in zip(used, np.split(order, begins[1:]), strict=True):
            chunk = self.chunk(first + int(number))
            found[here] = chunk[local[0][here], local[1][here], local[2][here]]
        return found

    @cached_property
    def _edges(self) -> list[Indices]:
        return [_cuts(n, self._edge) for n in self.shape]

    @cached_property
    def _edge(self) -> int:
        """Of the chunks, from their number; those of earlier versions are of 32^3 samples."""
        count, own = len(self._lengths[0]), _EDGES.get(self.codec, EDGE)
        return own if count == self.n_components * len(boxes(self.shape, own)) else EDGE

    @cached_property
    def _lengths(self) -> tuple[Indices, int]:
        """Length of each chunk, and where the first one begins."""
        most = self.n_components * math.prod(len(_cuts(n, EDGE)) - 1 for n in self.shape)
        at = _DIGEST_NBYTES + _LENGTH.size
        if len(self.payload) < at:
            raise FrameError(f"bricks: {len(self.payload)} bytes")
        (nbytes,) = _LENGTH.unpack_from(self.payload, _DIGEST_NBYTES)
        table = zstd.decompress(self.payload[at : at + nbytes], 4 * most)
        return np.frombuffer(table[: len(table) // 4 * 4], "<u4").astype(np.int64), at + nbytes

    @cached_property
    def _starts(self) -> Indices:
        """Offset of each chunk in the payload, and the end of the last one."""
        lengths, at = self._lengths
        count = self.n_components * math.prod(len(edges) - 1 for edges in self._edges)
        if len(lengths) != count or at + lengths.sum() != len(self.payload):
            raise FrameError(f"bricks: a table of {len(lengths)} lengths, expected {count}")
        return np.concatenate([[0], np.cumsum(lengths)]) + at

    def _decoded(self, number: int) -> Values:
        begin, end = self._starts[number : number + 2]
        sizes = [np.diff(edges) for edges in self._edges]
        _, z, y, x = np.unravel_index(number, (self.n_components, *map(len, sizes)))
        shape = (int(sizes[0][z]), int(sizes[1][y]), int(sizes[2][x]))
        return unpack(self.payload[begin:end], self.codec, shape, self.dtype)


def _digest(
    body: Iterable[bytes | memoryview],
    codec: str,
    shape: Shape,
    n_components: int,
    dtype: np.dtype[Any],
) -> bytes:
    """Digest of all input of a decompressor: SZ3 trusts the number of values in its bytes."""
    kind = f"{codec} {shape} {n_components} {dtype.name} ".encode()
    digest = hashlib.blake2b(kind, digest_size=_DIGEST_NBYTES)
    for part in body:
        digest.update(part)
    return digest.digest()


def _cuts(n: int, edge: int) -> Indices:
    """Boundaries of the parts of an axis of n samples, both ends included."""
    parts = max(1, round(n / edge))
    return np.arange(parts + 1, dtype=np.int64) * n // parts


def _spans(edges: Indices, at: slice) -> list[tuple[int, slice, slice]]:
    """The parts of an axis that intersect a range of samples: part index, and the common samples
    relative to the range and relative to the part."""
    spans = []
    for part, (begin, end) in enumerate(itertools.pairwise(edges.tolist())):
        start, stop = max(begin, at.start), min(end, at.stop)
        if start < stop:
            into = slice(start - at.start, stop - at.start)
            spans.append((part, into, slice(start - begin, stop - begin)))
    return spans


def boxes(shape: Sequence[int], edge: int = EDGE) -> list[Box]:
    """The chunks of a block of samples (nz, ny, nx), x fastest."""
    cuts = [_cuts(n, edge).tolist() for n in shape]
    axes = [list(itertools.starmap(slice, itertools.pairwise(ends))) for ends in cuts]
    return [(z, y, x) for z, y, x in itertools.product(*axes)]
