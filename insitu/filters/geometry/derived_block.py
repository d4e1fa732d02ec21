"""Base class of blocks computed from another block.

In: a block. Out: another `SampledBlock` on the same partition, which only refers to the first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from insitu.core.arrays import Floats
from insitu.fields.sampled_block import SampledBlock

# Points evaluated at a time: with nine derivatives each, about 5 MB.
SLAB_POINTS = 2**16


@dataclass(frozen=True)
class DerivedBlock(ABC):
    """A function of another block's values or derivatives. Immutable; nothing is collective."""

    name: str
    of: SampledBlock

    @property
    @abstractmethod
    def n_components(self) -> int: ...

    @property
    def association(self) -> str:
        return self.of.association

    @property
    def cells(self) -> tuple[int, int, int]:
        return self.of.cells

    @property
    def nodes(self) -> tuple[Floats, Floats, Floats]:
        return self.of.nodes

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        return self.of.bounds

    @property
    def cycle(self) -> int:
        return self.of.cycle

    @property
    def time(self) -> float:
        return self.of.time

    @property
    def range(self) -> Floats:
        """(n_components, 2): as `sampled_range`, unless a subclass says otherwise."""
        return self.sampled_range

    @cached_property
    def sampled_range(self) -> Floats:
        """(n_components, 2): minimum and maximum of the finite values at the block's own samples
        (cell centres or nodes), NaN if there are none. Computed on first access; values between
        the samples may lie outside."""
        return sampled_range(self)

    def __call__(self, points: ArrayLike) -> Floats:
        """Values at world points (n, 3) -> (n,) for scalars, (n, n_components) for vectors.

        NaN outside the owned box.
        """
        found = _checked(points)
        values = self._values(found) if len(found) else np.empty((0, self.n_components))
        return values[:, 0] if self.n_components == 1 else values

    def gradient(self, points: ArrayLike) -> Floats:
        """Derivatives along x, y, z at world points (n, 3) -> (n, 3), or (n, n_components, 3).

        NaN outside the owned box.
        """
        found = _checked(points)
        slopes = self._slopes(found) if len(found) else np.empty((0, self.n_components, 3))
        return slopes[:, 0] if self.n_components == 1 else slopes

    def on_grid(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        """Values at all points of a grid in unit coordinates of the owned box, each axis (n,) in
        0..1 -> (nz, ny, nx, n_components) float64. Evaluated in slabs of at most 2^16 points, or
        one layer."""
        values = np.empty((len(zs), len(ys), len(xs), self.n_components))
        layers = max(1, SLAB_POINTS // max(1, len(ys) * len(xs)))
        for z in range(0, len(zs), layers):
            values[z : z + layers] = self._slab(xs, ys, zs[z : z + layers])
        return values

    @abstractmethod
    def _values(self, points: Floats) -> Floats:
        """At world points (n, 3) -> (n, n_components), NaN outside."""

    def _slopes(self, points: Floats) -> Floats:
        """(n, n_components, 3), by central differences over one cell."""
        return _differences(self._values, points, self.nodes)

    def _slab(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        """As `on_grid`, in one piece."""
        x, y, z = (
            np.interp(unit, np.linspace(0, 1, len(nodes)), nodes)
            for unit, nodes in zip((xs, ys, zs), self.nodes, strict=True)
        )
        points = np.stack(np.meshgrid(z, y, x, indexing="ij")[::-1], axis=-1)
        return self._values(points.reshape(-1, 3)).reshape(*points.shape[:3], -1)


def _differences(
    function: Callable[[Floats], Floats], points: Floats, nodes: tuple[Floats, Floats, Floats]
) -> Floats:
    """Derivatives along x, y, z of a function of world points (n, 3) -> (n, n_components):
    (n, n_components, 3), by central differences over one cell.

    nodes: grid lines x, y, z of the block. Near its faces the difference is cut off at the face,
    so that it is first order there, second order elsewhere.
    """
    slopes = []
    for axis, lines in enumerate(nodes):
        x = points[:, axis]
        cell = np.clip(np.searchsorted(lines, x, side="right") - 1, 0, len(lines) - 2)
        apart = 0.5 * np.diff(lines)[cell]
        inside = (x >= lines[0]) & (x <= lines[-1])  # points outside are not moved, and give NaN
        before, after = points.copy(), points.copy()
        before[inside, axis] = np.maximum(x - apart, lines[0])[inside]
        after[inside, axis] = np.minimum(x + apart, lines[-1])[inside]
        run = np.where(inside, after[:, axis] - before[:, axis], 1.0)
        slopes.append((function(after) - function(before)) / run[:, None])
    return np.stack(slopes, axis=-1)


def sampled_range(block: SampledBlock) -> Floats:
    """(n_components, 2): minimum and maximum of a block's finite values at its own samples, NaN
    if there are none. Evaluated in slabs of at most 2^16 samples, or one layer."""
    zs, ys, xs = (_unit_samples(n, block.association) for n in block.cells)
    low = np.full(block.n_components, np.nan)
    high = low.copy()
    layers = max(1, SLAB_POINTS // (len(ys) * len(xs)))
    for z in range(0, len(zs), layers):
        values = np.asarray(block.on_grid(xs, ys, zs[z : z + layers]), np.float64)
        values = np.where(np.isfinite(values), values, np.nan).reshape(-1, block.n_components)
        low = np.fmin(low, np.fmin.reduce(values))
        high = np.fmax(high, np.fmax.reduce(values))
    return np.stack([low, high], axis=1)


def _unit_samples(cells: int, association: str) -> Floats:
    """Unit coordinates of a block's samples along an axis."""
    if association == "vertex":
        return np.arange(cells + 1) / cells
    return (np.arange(cells) + 0.5) / cells


def _checked(points: ArrayLike) -> Floats:
    checked = np.atleast_2d(np.asarray(points, np.float64))
    if checked.ndim != 2 or checked.shape[1] != 3:
        raise ValueError(f"points: shape {checked.shape}, expected (n, 3)")
    return checked
