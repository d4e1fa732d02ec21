"""Derived fields, with Ascent's names: magnitude, component, gradient, divergence, vorticity,
Q criterion.

In: a block. Out: a block. First derivatives, by world coordinates, are exact derivatives of the
block's continuous function. Derivatives of derivatives are differences over a cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Floats
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.derived_block import DerivedBlock


@dataclass(frozen=True)
class Magnitude(DerivedBlock):
    """|v|."""

    @property
    def n_components(self) -> int:
        return 1

    @property
    def range(self) -> Floats:
        """(1, 2): bounds computed from the components' ranges. They contain all samples, but need
        not be tight; `sampled_range` is."""
        low, high = self.of.range[:, 0], self.of.range[:, 1]
        nearest = np.where((low <= 0) & (high >= 0), 0.0, np.minimum(np.abs(low), np.abs(high)))
        farthest = np.maximum(np.abs(low), np.abs(high))
        return np.array([[np.linalg.norm(nearest), np.linalg.norm(farthest)]])

    def _values(self, points: Floats) -> Floats:
        return np.linalg.norm(self._vectors(points), axis=1, keepdims=True)

    def _slopes(self, points: Floats) -> Floats:
        """Exact: sum_i v_i grad v_i / |v|; 0 where v is 0 and there is no derivative."""
        vectors = self._vectors(points)
        slopes = np.asarray(self.of.gradient(points), np.float64).reshape(*vectors.shape, 3)
        length = np.linalg.norm(vectors, axis=1)
        total = np.einsum("nc,nca->na", vectors, slopes)
        return (total / np.where(length == 0, 1.0, length)[:, None])[:, None]

    def _slab(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        vectors = np.asarray(self.of.on_grid(xs, ys, zs), np.float64)
        return np.linalg.norm(vectors, axis=-1, keepdims=True)

    def _vectors(self, points: Floats) -> Floats:
        return np.asarray(self.of(points), np.float64).reshape(len(points), -1)


@dataclass(frozen=True)
class Component(DerivedBlock):
    """One component of a vector."""

    component: int

    @property
    def n_components(self) -> int:
        return 1

    @property
    def range(self) -> Floats:
        """(1, 2): range of the component."""
        return self.of.range[self.component : self.component + 1]

    def _values(self, points: Floats) -> Floats:
        values = np.asarray(self.of(points), np.float64).reshape(len(points), -1)
        return values[:, self.component, None]

    def _slopes(self, points: Floats) -> Floats:
        """Exact."""
        slopes = np.asarray(self.of.gradient(points), np.float64).reshape(len(points), -1, 3)
        return slopes[:, self.component, None]

    def _slab(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        values = self.of.on_grid(xs, ys, zs)
        return np.asarray(values[..., self.component, None], np.float64)


@dataclass(frozen=True)
class FromGradient(DerivedBlock):
    """A field computed from the derivatives du_i/dx_j."""

    formula: Callable[[Floats], Floats]
    """(n, components of the block, 3) -> (n, n_components)."""
    width: int

    @property
    def n_components(self) -> int:
        return self.width

    def _values(self, points: Floats) -> Floats:
        slopes = np.asarray(self.of.gradient(points), np.float64)
        return self.formula(slopes.reshape(len(points), -1, 3))


def vector_magnitude(block: SampledBlock, name: str | None = None) -> Magnitude:
    """|v| of a vector, by default named `<block>_magnitude`. Its `range` is a bound."""
    return Magnitude(name or f"{block.name}_magnitude", block)


def vector_component(block: SampledBlock, component: int, name: str | None = None) -> Component:
    """A component of a vector, 0 for x, by default named `<block>_x`, `_y`, `_z`.

    Raises ValueError if the block has no such component.
    """
    if not 0 <= component < block.n_components:
        raise ValueError(f"component: {component}; {block.name} has 0..{block.n_components - 1}")
    letter = "xyz"[component] if block.n_components <= 3 else str(component)
    return Component(name or f"{block.name}_{letter}", block, component)


def gradient(block: SampledBlock, name: str | None = None) -> FromGradient:
    """(ds/dx, ds/dy, ds/dz) of a scalar, by default named `<block>_gradient`."""
    _check(block, 1, "gradient")
    return FromGradient(name or f"{block.name}_gradient", block, lambda slopes: slopes[:, 0], 3)


def divergence(block: SampledBlock, name: str | None = None) -> FromGradient:
    """sum_i du_i/dx_i of a vector, by default named `<block>_divergence`."""
    _check(block, 3, "divergence")
    return FromGradient(name or f"{block.name}_divergence", block, _divergence, 1)


def vorticity(block: SampledBlock, name: str | None = None) -> FromGradient:
    """The curl of a vector, by default named `<block>_vorticity`."""
    _check(block, 3, "vorticity")
    return FromGradient(name or f"{block.name}_vorticity", block, _curl, 3)


def qcriterion(block: SampledBlock, name: str | None = None) -> FromGradient:
    """(|rotation|^2 - |strain|^2) / 2 of a velocity, by default named
    `<block>_qcriterion`."""
    _check(block, 3, "qcriterion")
    return FromGradient(name or f"{block.name}_qcriterion", block, _qcriterion, 1)


def _divergence(slopes: Floats) -> Floats:
    along = slopes[:, :, : slopes.shape[1]]  # a vector in a plane has two components
    return np.trace(along, axis1=1, axis2=2)[:, None]


def _curl(slopes: Floats) -> Floats:
    if slopes.shape[1] == 2:  # a vector in a plane
        slopes = np.concatenate([slopes, np.zeros_like(slopes[:, :1])], axis=1)
    return np.stack(
        [
            slopes[:, (i + 2) % 3, (i + 1) % 3] - slopes[:, (i + 1) % 3, (i + 2) % 3]
            for i in range(3)
        ],
        axis=1,
    )


def _qcriterion(slopes: Floats) -> Floats:
    """Equal to -sum_ij (du_i/dx_j du_j/dx_i) / 2."""
    along = slopes[:, :, : slopes.shape[1]]
    return -0.5 * np.einsum("nij,nji->n", along, along)[:, None]


def _check(block: SampledBlock, n_components: int, what: str) -> None:
    in_plane = n_components == 3 and block.n_components == 2
    if block.n_components != n_components and not in_plane:
        kind = "a scalar" if n_components == 1 else f"a vector of {n_components}"
        raise ValueError(
            f"{what}: {block.name} has {block.n_components} components, expected {kind}"
        )
