"""A correction that is added to a model at the samples of its block, coded as sparse grids.

In: a payload. Out: any sample; a piece of at most 144^3 samples is decoded when it is first read.

    version u8 | unit f64 of each component | lengths u32 of levels and outliers, of each piece |
    levels and outliers of each piece

Pieces are in the order z, y, x. Both parts are payloads of `insitu.fields.sparse_grid`, in units of
the component: smooth levels, and single samples, which keep a bound on the error. Either may be
empty. Samples are numbers as they are, in any layout of levels: it only says in which order they
are coded, from coarse boxes to fine ones (version 1: without levels, one by one).
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from insitu.codecs.chunk_cache import CACHE
from insitu.codecs.errors import FrameError
from insitu.core.arrays import Floats, Indices
from insitu.core.box import Box, overlap
from insitu.engines.sparse_kernels import sparse_kernels
from insitu.fields import sparse_grid
from insitu.fields.sparse_grid import Component

CODEC = "sparse_grid"
"""Name of these corrections in frame headers."""
EDGE = 96
"""Samples of a piece along an axis, about."""

_VERSION, _VERSION_PLAIN = 2, 1  # samples in a layout of levels, or one by one
_HEAD = struct.Struct("<B")

Shape = tuple[int, int, int]
Part = tuple[bytes, bytes]
"""Levels and outliers of a piece."""


@dataclass(frozen=True)
class SparseCorrection:
    """`n_components` arrays of one shape. Immutable; thread-safe."""

    payload: bytes = field(repr=False)
    shape: Shape
    """Samples, (nz, ny, nx)."""
    n_components: int
    dtype: np.dtype[Any]
    """Type of the decoded values."""
    _owner: int = field(default_factory=CACHE.owner, repr=False, compare=False)

    codec = CODEC

    @staticmethod
    def of(
        parts: Sequence[Part], units: Sequence[float], shape: Shape, dtype: np.dtype[Any]
    ) -> SparseCorrection:
        """Of the bytes of each piece, in the order of `pieces`. units: of each component."""
        lengths = np.array([[len(part) for part in pair] for pair in parts], "<u4")
        payload = b"".join(
            [
                _HEAD.pack(_VERSION), np.array(units, "<f8").tobytes(), lengths.tobytes(),
                *itertools.chain.from_iterable(parts),
            ]
        )  # fmt: skip
        return SparseCorrection(payload, shape, len(units), dtype)

    @staticmethod
    def from_payload(
        payload: bytes, shape: Shape, n_components: int, dtype: np.dtype[Any]
    ) -> SparseCorrection:
        """From untrusted bytes, not decoded yet. Raises FrameError where they are no correction of
        this shape."""
        made = SparseCorrection(payload, shape, n_components, dtype)
        if payload[: _HEAD.size] not in (_HEAD.pack(_VERSION), _HEAD.pack(_VERSION_PLAIN)):
            raise FrameError("correction: an unknown version")
        _ = made._starts
        if not np.isfinite(made.units).all():
            raise FrameError("correction: a unit that is not finite")
        return made

    def decode(self) -> list[Floats]:
        """All components, each (nz, ny, nx)."""
        whole = [np.empty(self.shape, self.dtype) for _ in range(self.n_components)]
        for number, box in enumerate(pieces(self.shape)):
            for values, piece in zip(whole, self._piece(number), strict=True):
                values[box] = piece
        return whole

    def box(self, box: Box) -> Floats:
        """The samples in a box of indices z, y, x -> (nz, ny, nx, n_components). Decodes only the
        pieces that intersect the box."""
        sizes = [at.stop - at.start for at in box]
        values = np.empty((*sizes, self.n_components), self.dtype)
        for number, piece in enumerate(pieces(self.shape)):
            if meet := overlap(piece, box):
                into, within = meet
                values[into] = np.moveaxis(self._piece(number), 0, -1)[within]
        return values

    def at(self, component: int, z: Indices, y: Indices, x: Indices) -> Floats:
        """Samples at indices (n,) of each axis -> (n,)."""
        found = np.empty(len(z), self.dtype)
        numbers, local = np.zeros(len(z), np.int64), []
        for n, index in zip(self.shape, (z, y, x), strict=True):
            edges = _cuts(n)
            part = np.searchsorted(edges, index, side="right") - 1
            numbers = numbers * (len(edges) - 1) + part
            local.append(index - edges[part])
        for number in np.unique(numbers):
            here = np.flatnonzero(numbers == number)
            piece = self._piece(int(number))[component]
            found[here] = piece[local[0][here], local[1][here], local[2][here]]
        return found

    @property
    def parts(self) -> list[tuple[Box, Part]]:
        """Each piece's samples, and its bytes."""
        starts = self._starts.tolist()
        boxes = pieces(self.shape)
        return [
            (box, (self.payload[begin:middle], self.payload[middle:end]))
            for box, begin, middle, end in zip(
                boxes, starts[:-1:2], starts[1::2], starts[2::2], strict=True
            )
        ]

    @cached_property
    def units(self) -> Floats:
        """(n_components,): what an output of the parts is in units of the field."""
        return np.frombuffer(self.payload, "<f8", self.n_components, _HEAD.size).astype(np.float64)

    @cached_property
    def _starts(self) -> Indices:
        """Offset of each part in the payload, and the end of the last one."""
        count = 2 * math.prod(len(_cuts(n)) - 1 for n in self.shape)
        at = _HEAD.size + 8 * self.n_components
        if at + 4 * count > len(self.payload):
            raise FrameError(f"correction: {len(self.payload)} bytes for {count} parts")
        lengths = np.frombuffer(self.payload, "<u4", count, at).astype(np.int64)
        starts = at + 4 * count + np.concatenate([[0], np.cumsum(lengths)])
        if starts[-1] != len(self.payload):
            raise FrameError("correction: lengths that are not those of its parts")
        return starts

    def _piece(self, number: int) -> Floats:
        """(n_components, nz, ny, nx), read-only. Raises FrameError where its bytes are invalid."""
        return CACHE.get((self._owner, number), lambda: self._decoded(number))

    def _decoded(self, number: int) -> Floats:
        box = pieces(self.shape)[number]
        nz, ny, nx = (at.stop - at.start for at in box)
        begin, middle, end = self._starts[2 * number : 2 * number + 3].tolist()
        part = self.payload[begin:middle], self.payload[middle:end]
        return decoded_piece(part, self.units, (nz, ny, nx), self.dtype)


@dataclass(frozen=True, eq=False)
class Piece:
    """What a correction adds to a piece, as whole numbers; either list may be empty."""

    levels: list[Component]
    splits: list[int]
    """Of the levels."""
    singles: list[Component]
    layout: list[int]
    """The splits by which singles are ordered."""

    @cached_property
    def part(self) -> Part:
        """Its bytes. Raises ValueError where numbers are too large."""
        levels, singles = (
            sparse_grid.pack(numbers, splits) if any(c.numbers.any() for c in numbers) else b""
            for numbers, splits in ((self.levels, self.splits), (self.singles, self.layout))
        )
        return levels, singles

    def values(self, units: Floats, shape: Shape, dtype: np.dtype[Any]) -> Floats:
        """(n_components, nz, ny, nx), in the units of the field."""
        total = np.zeros((len(units), *shape), dtype)
        for values, component, unit in zip(total, self.levels, units, strict=False):
            coefficients = component.coefficients(self.splits)
            smooth = sparse_kernels().synthesise(coefficients, self.splits)
            values += (unit * smooth).astype(dtype)
        for values, component, unit in zip(total, self.singles, units, strict=False):
            places, found = _single_samples(component, float(unit), dtype)
            values.reshape(-1)[places] += found
        return total


def decoded_piece(part: Part, units: Floats, shape: Shape, dtype: np.dtype[Any]) -> Floats:
    """`Piece.values` of the bytes of a piece. Raises FrameError."""
    levels, singles = (_unpacked(payload, shape, len(units)) for payload in part)
    return Piece(*levels, *singles).values(units, shape, dtype)


def _unpacked(payload: bytes, shape: Shape, n: int) -> tuple[list[Component], list[int]]:
    if not payload:
        return [], []
    components, splits = sparse_grid.unpack(payload, shape, n)
    if components[0].shared is not None:
        raise FrameError("correction: a part with shared faces")
    return components, splits


def _single_samples(
    component: Component, unit: float, dtype: np.dtype[Any]
) -> tuple[Indices, Floats]:
    """Samples of one component that are not 0: where they are in the flat piece, and what they add,
    in the units of the field."""
    places = np.flatnonzero(component.numbers)
    if not places.size:
        return places, np.zeros(0, dtype)
    few = replace(component, numbers=component.numbers.reshape(-1)[places].reshape(1, 1, -1))
    return places, (unit * few.coefficients([]).reshape(-1).astype(np.float64)).astype(dtype)


def _cuts(n: int) -> Indices:
    """Boundaries of the pieces of an axis of n samples, both ends included."""
    parts = max(1, round(n / EDGE))
    return np.arange(parts + 1, dtype=np.int64) * n // parts


def pieces(shape: Shape) -> list[Box]:
    """The pieces of a block of samples (nz, ny, nx), x fastest."""
    axes = [list(itertools.starmap(slice, itertools.pairwise(_cuts(n).tolist()))) for n in shape]
    return [(z, y, x) for z, y, x in itertools.product(*axes)]
