"""A block that is moved, scaled or mirrored along the axes.

In: a block, a factor and an offset for each axis. Out: a block whose value at a x + b is that of
the block at x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Floats
from insitu.filters.geometry.derived_block import DerivedBlock

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class MappedBlock(DerivedBlock):
    """The values stay those of the block; derivatives are by the new coordinates."""

    factors: Vector
    """None is 0; a negative one mirrors."""
    offsets: Vector

    @property
    def n_components(self) -> int:
        return self.of.n_components

    @property
    def range(self) -> Floats:
        return self.of.range

    @property
    def nodes(self) -> tuple[Floats, Floats, Floats]:
        x, y, z = (
            (factor * line + offset)[:: 1 if factor > 0 else -1]
            for line, factor, offset in zip(self.of.nodes, self.factors, self.offsets, strict=True)
        )
        return x, y, z

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        return (
            np.array([line[0] for line in self.nodes]),
            np.array([line[-1] for line in self.nodes]),
        )

    def _before(self, points: Floats) -> Floats:
        return (points - np.array(self.offsets)) / np.array(self.factors)

    def _values(self, points: Floats) -> Floats:
        return np.asarray(self.of(self._before(points)), np.float64).reshape(len(points), -1)

    def _slopes(self, points: Floats) -> Floats:
        slopes = np.asarray(self.of.gradient(self._before(points)), np.float64)
        return slopes.reshape(len(points), -1, 3) / np.array(self.factors)

    def _slab(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        # Grids of the block are increasing, and so is what is asked for.
        x, y, z = (
            unit if factor > 0 else (1 - unit)[::-1]
            for unit, factor in zip((xs, ys, zs), self.factors, strict=True)
        )
        values = np.asarray(self.of.on_grid(x, y, z), np.float64)
        turned = tuple(slice(None, None, 1 if f > 0 else -1) for f in reversed(self.factors))
        return values[turned]
