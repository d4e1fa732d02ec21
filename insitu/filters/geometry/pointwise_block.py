"""A field computed from the values of others at the same point: a logarithm, a sum, a vector.

In: blocks on the same partition. Out: a block. Its derivatives are differences over a cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Floats
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.derived_block import DerivedBlock

Formula = Callable[[Floats], Floats]
"""(n, components of all fields) -> (n, components of the result)."""


@dataclass(frozen=True)
class PointwiseBlock(DerivedBlock):
    """A formula of `of` and `others`, whose components stand one after the other."""

    others: tuple[SampledBlock, ...]
    formula: Formula
    width: int

    @property
    def n_components(self) -> int:
        return self.width

    def _values(self, points: Floats) -> Floats:
        each = [np.asarray(b(points), np.float64).reshape(len(points), -1) for b in self._blocks]
        return self.formula(np.concatenate(each, axis=1))

    def _slab(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        each = [np.asarray(block.on_grid(xs, ys, zs), np.float64) for block in self._blocks]
        values = np.concatenate(each, axis=-1)
        found = self.formula(values.reshape(-1, values.shape[-1]))
        return found.reshape(*values.shape[:3], self.width)

    @property
    def _blocks(self) -> tuple[SampledBlock, ...]:
        return (self.of, *self.others)
