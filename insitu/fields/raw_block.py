"""A raw block with the interface of a compressed one.

In: a partition, whose arrays are read in place. Out: trilinear values and their derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from insitu.core.arrays import Floats, Indices
from insitu.core.normalized_coordinates import to_unit, unit_per_world
from insitu.engines import engine
from insitu.engines.base import Sampler
from insitu.fields.trilinear import Trilinear
from insitu.mesh.partition import Partition


@dataclass(frozen=True, eq=False)
class RawBlock:
    """A `SampledBlock` of the simulation's own arrays; valid until the simulation changes them."""

    partition: Partition
    cycle: int = 0
    time: float = 0.0

    @property
    def name(self) -> str:
        return self.partition.field

    @property
    def association(self) -> str:
        return self.partition.association

    @property
    def cells(self) -> tuple[int, int, int]:
        return self.partition.cells

    @property
    def nodes(self) -> tuple[Floats, Floats, Floats]:
        return self.partition.nodes

    @property
    def n_components(self) -> int:
        return self.partition.n_components

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        return self.partition.bounds

    @cached_property
    def range(self) -> Floats:
        """(n_components, 2), minimum and maximum of the finite owned samples; NaN without any."""
        sampler = self.sampler()
        figures = [sampler.statistics(c) for c in range(self.n_components)]
        return np.array([[f.min, f.max] if f.finite else [np.nan] * 2 for f in figures])

    def sampler(self) -> Sampler:
        """The engine's `Sampler` of the block, which is read in place."""
        part = self.partition
        return engine().sampler(
            part.components, part.ghost_layers, part.cells, part.association == "vertex"
        )

    def __call__(self, points: ArrayLike) -> Floats:
        """Values at world points (n, 3) -> (n,), or (n, n_components); NaN outside."""
        unit, inside = to_unit(points, self.nodes)
        values = self._function.values(unit)
        values[~inside] = np.nan
        return values[:, 0] if self.n_components == 1 else values

    def gradient(self, points: ArrayLike) -> Floats:
        """Derivatives by x, y, z at world points (n, 3) -> (n, 3), or (n, n_components, 3)."""
        unit, inside = to_unit(points, self.nodes)
        slopes = self._function.slopes(unit) * unit_per_world(points, self.nodes)[:, None, :]
        slopes[~inside] = np.nan
        return slopes[:, 0] if self.n_components == 1 else slopes

    def on_grid(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        """Values at all points of a grid in unit coordinates, each axis (n,) in 0..1 ->
        (nz, ny, nx, n_components) of the raw data's type."""
        return self._function.on_grid(xs, ys, zs).astype(self.partition.components[0].dtype)

    @cached_property
    def _function(self) -> Trilinear:
        part = self.partition
        samples = _Samples(part.components)
        return Trilinear(samples, part.cells, part.association == "vertex", part.ghost_layers)


@dataclass(frozen=True, eq=False)
class _Samples:
    """Arrays (nz, ny, nx), one per component, as `Samples` for `Trilinear`."""

    components: tuple[Floats, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        nz, ny, nx = self.components[0].shape
        return nz, ny, nx

    @property
    def n_components(self) -> int:
        return len(self.components)

    def at(self, component: int, z: Indices, y: Indices, x: Indices) -> Floats:
        return np.asarray(self.components[component][z, y, x])
