"""Seeds of lines: those of Ascent's streamline, and seeds on an isosurface.

In: a kind of seeds, the step at which they start. Out: points (n, 3), the same on every rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.box import Bounds
from insitu.core.parallel import together
from insitu.filters.geometry.isosurface import isosurface
from insitu.filters.particles.seeds import box_seeds, grid_seeds, line_seeds, surface_seeds
from insitu.store.timestep import TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI

Vector: TypeAlias = tuple[float, float, float]


class Seeds(Protocol):
    """Seeds of lines. Immutable."""

    @property
    def field(self) -> str | None:
        """The recorded field that determines them, if any."""

    def points(self, comm: MPI.Comm, step: TimeStep, bounds: Bounds) -> Floats:
        """Points (n, 3), world. Collective; RemoteError on every rank. bounds: of the domain."""


@dataclass(frozen=True)
class Points:
    """Seeds given as a list of points."""

    places: tuple[Vector, ...]
    field: None = None

    def points(self, comm: MPI.Comm, step: TimeStep, bounds: Bounds) -> Floats:
        return np.array(self.places)


@dataclass(frozen=True)
class Line:
    """Seeds on a straight line, evenly spaced or random."""

    start: Vector
    end: Vector
    count: int
    random: bool = False
    field: None = None

    def points(self, comm: MPI.Comm, step: TimeStep, bounds: Bounds) -> Floats:
        if not self.random:
            return line_seeds(self.start, self.end, self.count)
        share = np.random.default_rng(0).random((self.count, 1))
        return np.asarray((1 - share) * np.array(self.start) + share * np.array(self.end))


@dataclass(frozen=True)
class Box:
    """Seeds in a box, or on its four sides parallel to z, as in Ascent."""

    counts: tuple[int, int, int] = (0, 0, 0)
    """Number of seeds along x, y and z."""
    random: int = 0
    """Alternatively, the number of random seeds."""
    extents: tuple[tuple[float, float], ...] | None = None
    """Extent along x, y and z; default: that of the domain."""
    boundary: bool = False
    field: None = None

    def points(self, comm: MPI.Comm, step: TimeStep, bounds: Bounds) -> Floats:
        low, high = (np.array(b, np.float64) for b in bounds)
        if self.extents is not None:
            low, high = np.array(self.extents, np.float64).T
        if not self.boundary:
            if self.random:
                return box_seeds(low, high, self.random)
            return grid_seeds(low, high, self.counts)
        if self.random:
            found = box_seeds(low, high, self.random)
            side = np.random.default_rng(1).integers(4, size=self.random)
            for i, (axis, end) in enumerate(((0, high), (0, low), (1, high), (1, low))):
                found[side == i, axis] = end[axis]
            return found
        sides = []
        for axis in (1, 0):
            for end in (low, high):
                flat = [low.copy(), high.copy()]
                for corner in flat:
                    corner[axis] = end[axis]
                counts = tuple(1 if a == axis else n for a, n in enumerate(self.counts))
                sides.append(grid_seeds(flat[0], flat[1], (counts[0], counts[1], counts[2])))
        return np.concatenate(sides)


@dataclass(frozen=True)
class OnIsosurface:
    """Random seeds on an isosurface, uniform over its area; for a vector, of its magnitude."""

    field: str
    iso_value: float
    count: int

    def points(self, comm: MPI.Comm, step: TimeStep, bounds: Bounds) -> Floats:
        field = None
        with together(comm, f"seeds on {self.field}"):
            field = step.open(self.field)
        assert field is not None
        return surface_seeds(comm, isosurface(comm, field, self.iso_value), self.count)
