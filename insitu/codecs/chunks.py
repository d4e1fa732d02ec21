"""A block in chunks of about 32^3 samples, each compressed independently.

In: components and the largest error of each, or a payload. Out: any sample, by decoding the chunks
that are needed; a cache of bounded size keeps recently used ones.

    digest 16 | length of the table u32 | table (u32 per chunk, through ZSTD) | chunks

Chunks are numbered by component, z, y, x. An axis of n samples is cut evenly into round(n / 32)
parts, so that no chunk is thin. The first byte of a chunk is its kind: one value; raw values
(byte-shuffled, through ZSTD); or a compressor's error bound and its bytes. Where samples are not
finite, a map of them precedes the rest.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codecs import compressors, zstd
from insitu.codecs.chunk_cache import CACHE
from insitu.codecs.errors import FrameError
from insitu.core.arrays import Indices
from insitu.core.box import Box

Values = NDArray[np.floating[Any]]
Shape = tuple[int, int, int]

EDGE = 32  # samples

_CONSTANT, _EXACT, _COMPRESSED = range(3)
_HOLES = 4  # flag, added to the kind where samples are not finite
_NON_FINITE = np.array([0, np.nan, np.inf, -np.inf])
_LENGTH = struct.Struct("<I")
_BOUND = struct.Struct("<d")
_DIGEST_NBYTES = 16
# The overhead of a compressor alone is larger than this many values.
_FEWEST = 16


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
    def encode(components: Sequence[Values], codec: str, bounds: Sequence[float]) -> Chunks:
        """Compress with every finite sample within its component's bound. NaN and infinities are
        preserved, but not a NaN's payload. Each chunk is decoded and compared before it is
        accepted, and stored raw where the compressor violates the bound or does not save space.

        bounds: one per component, >= 0, in its unit.
        """
        shape = components[0].shape
        parts = [
            _pack(np.ascontiguousarray(values[box]), codec, bound)
            for values, bound in zip(components, bounds, strict=True)
            for box in _boxes(shape)
        ]
        lengths = np.array([len(part) for part in parts], "<u4")
        table = zstd.compress(lengths.tobytes())
        body = b"".join([_LENGTH.pack(len(table)), table, *parts])
        kind = (codec, (shape[0], shape[1], shape[2]), len(components), components[0].dtype)
        return Chunks(_digest(body, *kind) + body, *kind)

    @staticmethod
    def from_payload(
        payload: bytes, codec: str, shape: Shape, n_components: int, dtype: np.dtype[Any]
    ) -> Chunks:
        """Chunks from a payload, not decoded yet. Raises FrameError where the payload does not have
        this shape, or was altered."""
        if codec not in compressors.names():
            known = ", ".join(compressors.names())
            raise FrameError(f"bricks: codec {codec!r}, expected one of {known}")
        if payload[:_DIGEST_NBYTES] != _digest(
            payload[_DIGEST_NBYTES:], codec, shape, n_components, dtype
        ):
            raise FrameError("bricks: the bytes are not those that were written")
        chunks = Chunks(payload, codec, shape, n_components, dtype)
        _ = chunks._starts
        return chunks

    def decode(self) -> list[Values]:
        """All components, each (nz, ny, nx)."""
        whole = [np.empty(self.shape, self.dtype) for _ in range(self.n_components)]
        boxes = list(_boxes(self.shape))
        for c, values in enumerate(whole):
            for i, box in enumerate(boxes):
                values[box] = self.chunk(c * len(boxes) + i)
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
        return [_cuts(n) for n in self.shape]

    @cached_property
    def _starts(self) -> Indices:
        """Offset of each chunk in the payload, and the end of the last one."""
        count = self.n_components * math.prod(len(edges) - 1 for edges in self._edges)
        at = _DIGEST_NBYTES + _LENGTH.size
        if count > len(self.payload):
            raise FrameError(f"bricks: {len(self.payload)} bytes for {count} bricks")
        (nbytes,) = _LENGTH.unpack_from(self.payload, _DIGEST_NBYTES)
        table = zstd.decompress(self.payload[at : at + nbytes], 4 * count)
        lengths = np.frombuffer(table, "<u4").astype(np.int64)
        if len(lengths) != count or at + nbytes + lengths.sum() != len(self.payload):
            raise FrameError(f"bricks: a table of {len(lengths)} lengths, expected {count}")
        return np.concatenate([[0], np.cumsum(lengths)]) + at + nbytes

    def _decoded(self, number: int) -> Values:
        begin, end = self._starts[number : number + 2]
        sizes = [np.diff(edges) for edges in self._edges]
        _, z, y, x = np.unravel_index(number, (self.n_components, *map(len, sizes)))
        shape = (int(sizes[0][z]), int(sizes[1][y]), int(sizes[2][x]))
        return _unpack(self.payload[begin:end], self.codec, shape, self.dtype)


def _digest(
    body: bytes, codec: str, shape: Shape, n_components: int, dtype: np.dtype[Any]
) -> bytes:
    """Digest of all input of a decompressor: SZ3 trusts the number of values in its bytes."""
    kind = f"{codec} {shape} {n_components} {dtype.name} ".encode()
    return hashlib.blake2b(kind + body, digest_size=_DIGEST_NBYTES).digest()


def _cuts(n: int) -> Indices:
    """Boundaries of the parts of an axis of n samples, both ends included."""
    parts = max(1, round(n / EDGE))
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


def _boxes(shape: Sequence[int]) -> list[tuple[slice, ...]]:
    axes = [list(itertools.starmap(slice, itertools.pairwise(_cuts(n)))) for n in shape]
    return list(itertools.product(*axes))


def _pack(values: Values, codec: str, bound: float) -> bytes:
    finite = np.isfinite(values)
    if finite.all():
        kind, body = _body(values, codec, bound)
        return bytes([kind]) + body
    # Replacement values cost least where they are similar to the other values.
    filled = np.where(finite, values, values[finite].mean() if finite.any() else 0)
    codes = np.select([finite, np.isnan(values), values > 0], [0, 1, 2], 3).astype(np.uint8)
    holes = zstd.compress(codes.tobytes())
    kind, body = _body(filled.astype(values.dtype), codec, bound)
    return bytes([kind + _HOLES]) + _LENGTH.pack(len(holes)) + holes + body


def _body(values: Values, codec: str, bound: float) -> tuple[int, bytes]:
    """Kind and bytes of a chunk of finite values."""
    low, high = values.min(), values.max()
    middle = np.asarray(low / 2 + high / 2).astype(values.dtype)
    if low == high:
        middle = np.asarray(low)
    if _within(middle, values, bound):
        return _CONSTANT, middle.tobytes()
    planes = values.reshape(-1, 1).view(np.uint8).T
    exact = zstd.compress(planes.tobytes())
    if bound > 0 and values.size >= _FEWEST:
        for multiple in compressors.compressor(codec).multiples:
            packed = compressors.encode(codec, values, multiple * bound)
            if packed is None or _BOUND.size + len(packed) >= len(exact):
                continue
            again = compressors.decode(codec, packed, values.shape, values.dtype, multiple * bound)
            if _within(again, values, bound):
                return _COMPRESSED, _BOUND.pack(multiple * bound) + packed
    return _EXACT, exact


def _within(result: Values, values: Values, bound: float) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.abs(result.astype(np.float64) - values.astype(np.float64))
    return bool((error <= bound).all())


def _unpack(data: bytes, codec: str, shape: Shape, dtype: np.dtype[Any]) -> Values:
    size = math.prod(shape)
    if not data or data[0] >= 2 * _HOLES:
        raise FrameError("bricks: a chunk of an unknown kind")
    kind, body, codes = data[0], data[1:], None
    if kind >= _HOLES:
        if len(body) < _LENGTH.size:
            raise FrameError("bricks: a chunk ends in the length of its map")
        (nbytes,) = _LENGTH.unpack_from(body)
        codes = np.frombuffer(zstd.decompress(body[_LENGTH.size :][:nbytes], size), np.uint8)
        if codes.size != size or codes.max() >= len(_NON_FINITE):
            raise FrameError("bricks: a map that is not one of this brick")
        kind, body = kind - _HOLES, body[_LENGTH.size + nbytes :]
    if kind == _CONSTANT:
        if len(body) != dtype.itemsize:
            raise FrameError(f"bricks: {len(body)} bytes for one value")
        values = np.full(shape, np.frombuffer(body, dtype)[0], dtype)
    elif kind == _EXACT:
        planes = np.frombuffer(zstd.decompress(body, size * dtype.itemsize), np.uint8)
        if planes.size != size * dtype.itemsize:
            raise FrameError(f"bricks: {planes.size} bytes for {size} values")
        values = planes.reshape(dtype.itemsize, size).T.copy().view(dtype).reshape(shape)
    elif kind == _COMPRESSED and len(body) > _BOUND.size:
        (bound,) = _BOUND.unpack_from(body)
        values = compressors.decode(codec, body[_BOUND.size :], shape, dtype, bound)
    else:
        raise FrameError("bricks: a chunk of an unknown kind")
    if codes is not None:
        holes = codes.reshape(shape)
        values = np.where(holes == 0, values, _NON_FINITE[holes]).astype(dtype)
    return np.ascontiguousarray(values)
