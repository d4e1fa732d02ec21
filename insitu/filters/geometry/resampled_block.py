"""Blocks sampled at other places than their own: at nodes or cells, or on a uniform grid.

In: a block. Out: a block on the same partition.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from insitu.core.arrays import Floats, Indices
from insitu.core.normalized_coordinates import to_unit
from insitu.fields.trilinear import Trilinear
from insitu.filters.geometry.decomposition import evaluate_grid
from insitu.filters.geometry.derived_block import DerivedBlock

Lines = tuple[Floats, Floats, Floats]


@dataclass(frozen=True)
class RecenteredBlock(DerivedBlock):
    """The same function, with its samples at nodes ("vertex") or cell centres ("element")."""

    centred: str

    @property
    def association(self) -> str:
        return self.centred

    @property
    def n_components(self) -> int:
        return self.of.n_components

    def _values(self, points: Floats) -> Floats:
        return np.asarray(self.of(points), np.float64).reshape(len(points), -1)

    def _slopes(self, points: Floats) -> Floats:
        return np.asarray(self.of.gradient(points), np.float64).reshape(len(points), -1, 3)

    def _slab(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        return np.asarray(self.of.on_grid(xs, ys, zs), np.float64)


@dataclass(frozen=True)
class GridBlock(DerivedBlock):
    """The values at the lines of a grid and at the block's own faces, trilinear between them."""

    lines: Lines
    """Coordinates x, y, z; each from the block's lower face to its upper face, or beyond a face of
    the domain."""
    beyond: float | None = None
    """The value at lines beyond the block; None where there are none."""

    @property
    def association(self) -> str:
        return "vertex"

    @property
    def nodes(self) -> Lines:
        return self.lines

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        return (
            np.array([line[0] for line in self.lines]),
            np.array([line[-1] for line in self.lines]),
        )

    @property
    def cells(self) -> tuple[int, int, int]:
        x, y, z = (len(line) - 1 for line in self.lines)
        return z, y, x

    @property
    def n_components(self) -> int:
        return self.of.n_components

    def _values(self, points: Floats) -> Floats:
        unit, inside = to_unit(points, self.lines)
        values = self._function.values(unit)
        values[~inside] = np.nan
        return values

    def _slab(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        return self._function.on_grid(xs, ys, zs)

    @cached_property
    def _function(self) -> Trilinear:
        low, high = self.of.bounds
        kept = [(line >= a) & (line <= b) for line, a, b in zip(self.lines, low, high, strict=True)]
        x, y, z = (line[here] for line, here in zip(self.lines, kept, strict=True))
        values = evaluate_grid(self.of, (x, y, z))
        if self.beyond is not None:
            around = [(int(here.argmax()), int(here[::-1].argmax())) for here in reversed(kept)]
            values = np.pad(values, [*around, (0, 0)], constant_values=self.beyond)
        return Trilinear(_Array(values), self.cells, vertex=True)


@dataclass(frozen=True, eq=False)
class _Array:
    """Values (nz, ny, nx, components) as `Samples` for `Trilinear`."""

    values: Floats

    @property
    def shape(self) -> tuple[int, int, int]:
        nz, ny, nx, _ = self.values.shape
        return nz, ny, nx

    @property
    def n_components(self) -> int:
        return int(self.values.shape[3])

    def at(self, component: int, z: Indices, y: Indices, x: Indices) -> Floats:
        return np.asarray(self.values[z, y, x, component])
