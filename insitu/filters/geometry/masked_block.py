"""A block of which only a part is kept; the rest is NaN, which volume plots show transparent.

In: a block, and the region of its box to keep. Out: a `SampledBlock`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats, Mask
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.decomposition import Partition, evaluate_grid
from insitu.filters.geometry.derived_block import DerivedBlock
from insitu.filters.geometry.shapes import Shape

Lines = tuple[Floats, Floats, Floats]


class Region(Protocol):
    """A region of a block's box."""

    def holds(self, points: Floats) -> Mask:
        """Whether the region contains world points (n, 3) of the box: (n,)."""
        ...

    def holds_grid(self, xs: Floats, ys: Floats, zs: Floats) -> Mask:
        """As `holds`, at all points of a grid in unit coordinates of the box: (nz, ny, nx)."""
        ...

    def values(self, lines: Sequence[Floats]) -> Floats:
        """(nz, ny, nx), at all points of a grid of world coordinates x, y, z: continuous, positive
        in the region and negative outside. ValueError for a region that has no such function."""
        ...


@dataclass(frozen=True)
class MaskedBlock(DerivedBlock):
    """A block's own values in a region, NaN elsewhere."""

    region: Region

    @property
    def n_components(self) -> int:
        return self.of.n_components

    @property
    def range(self) -> Floats:
        """(n_components, 2): range of the whole block, a bound for the part."""
        return self.of.range

    def _values(self, points: Floats) -> Floats:
        values = np.array(self.of(points), np.float64).reshape(len(points), -1)
        values[~self.region.holds(points)] = np.nan
        return values

    def _slopes(self, points: Floats) -> Floats:
        slopes = np.array(self.of.gradient(points), np.float64).reshape(len(points), -1, 3)
        slopes[~self.region.holds(points)] = np.nan
        return slopes

    def _slab(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        values = np.array(self.of.on_grid(xs, ys, zs), np.float64)
        values[~self.region.holds_grid(xs, ys, zs)] = np.nan
        return values


@dataclass(frozen=True)
class OfShape:
    """The region outside a shape, or inside it."""

    shape: Shape
    inside: bool
    nodes: Lines
    """Grid lines x, y, z of the block."""

    def holds(self, points: Floats) -> Mask:
        distance = self.shape.distance(points)
        return np.asarray(distance < 0 if self.inside else distance > 0)

    def holds_grid(self, xs: Floats, ys: Floats, zs: Floats) -> Mask:
        lines = [
            np.interp(unit, np.linspace(0, 1, len(nodes)), nodes)
            for unit, nodes in zip((xs, ys, zs), self.nodes, strict=True)
        ]
        return self.values(lines) > 0

    def values(self, lines: Sequence[Floats]) -> Floats:
        points = np.stack(np.meshgrid(*lines[::-1], indexing="ij")[::-1], axis=-1)
        distance = self.shape.distance(points)
        return -distance if self.inside else distance


@dataclass(frozen=True)
class OfValues:
    """The region where a scalar is between two values."""

    block: SampledBlock
    low: float
    high: float

    def holds(self, points: Floats) -> Mask:
        values = self.block(points)
        return np.asarray((values > self.low) & (values < self.high))

    def holds_grid(self, xs: Floats, ys: Floats, zs: Floats) -> Mask:
        values = self.block.on_grid(xs, ys, zs)[..., 0]
        return np.asarray((values > self.low) & (values < self.high))

    def values(self, lines: Sequence[Floats]) -> Floats:
        values = evaluate_grid(self.block, lines)[..., 0]
        return np.minimum(values - self.low, self.high - values)


@dataclass(frozen=True)
class OfCells:
    """A region of whole cells."""

    bits: NDArray[np.uint8]
    """One bit per cell in the order z, y, x, eight to a byte."""
    nodes: Lines

    @staticmethod
    def pack(kept: Mask, nodes: Lines) -> OfCells:
        return OfCells(np.packbits(kept), nodes)

    @property
    def cells(self) -> Mask:
        """Mask of the kept cells, (nz, ny, nx), a byte each."""
        nx, ny, nz = (len(nodes) - 1 for nodes in self.nodes)
        return np.unpackbits(self.bits, count=nz * ny * nx).reshape(nz, ny, nx).astype(bool)

    def holds(self, points: Floats) -> Mask:
        x, y, z = (
            np.clip(np.searchsorted(nodes, points[:, axis], side="right") - 1, 0, len(nodes) - 2)
            for axis, nodes in enumerate(self.nodes)
        )
        return self._at(x, y, z)

    def holds_grid(self, xs: Floats, ys: Floats, zs: Floats) -> Mask:
        x, y, z = (
            np.clip((unit * (len(nodes) - 1)).astype(np.int64), 0, len(nodes) - 2)
            for unit, nodes in zip((xs, ys, zs), self.nodes, strict=True)
        )
        return self._at(x, y[:, None], z[:, None, None])

    def values(self, lines: Sequence[Floats]) -> Floats:
        raise ValueError("clip: cannot cut the whole cells of a threshold; put threshold last")

    def _at(self, x: Any, y: Any, z: Any) -> Mask:
        nx, ny = len(self.nodes[0]) - 1, len(self.nodes[1]) - 1
        number = (z * ny + y) * nx + x
        return np.asarray((self.bits[number >> 3] >> (7 - (number & 7)) & 1).astype(bool))


def unmasked(part: Partition) -> tuple[Partition, list[Region]]:
    """A partition's fields before any masking, and the regions that were kept, first to last."""
    regions: list[Region] = []
    block = next(iter(part.values()))
    while isinstance(block, DerivedBlock):
        if isinstance(block, MaskedBlock):
            regions.insert(0, block.region)
        block = block.of
    return {name: _unmasked(block) for name, block in part.items()}, regions


def _unmasked(block: SampledBlock) -> SampledBlock:
    if isinstance(block, MaskedBlock):
        return _unmasked(block.of)
    if isinstance(block, DerivedBlock):
        return replace(block, of=_unmasked(block.of))
    return block
