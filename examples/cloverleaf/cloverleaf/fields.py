"""Holds the arrays of one block, allocated once, so that views of them stay valid for the run.

In: a block's shape, place and spacing. Out: zeroed ghosted arrays and the node coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .axes import GHOSTS, Array, Triple, X, Y, Z
from .deck import Deck
from .decomposition import Placement

# Which axis a field's sign flips across at a reflecting wall: its own normal component.
NORMAL_AXIS = {
    f"{prefix}{axis_name}{suffix}": axis
    for axis, axis_name in ((X, "x"), (Y, "y"), (Z, "z"))
    for prefix, suffix in (("", "vel0"), ("", "vel1"), ("vol_flux_", ""), ("mass_flux_", ""))
}


@dataclass(frozen=True)
class Grid:
    """A block's uniform mesh: `shape` cells (z, y, x), widths, areas, volume, node coordinates.

    `spacing`, `area` and `nodes` are indexed by axis (Z, Y, X); `area[axis]` is that of a face
    normal to it; `nodes[axis]` includes the ghosts, shape (cells + 5,).
    """

    shape: Triple
    spacing: tuple[float, float, float]
    area: tuple[float, float, float]
    volume: float
    nodes: tuple[Array, Array, Array]


def make_grid(deck: Deck, place: Placement) -> Grid:
    """The mesh of one block of the deck's domain."""
    dx, dy, dz = deck.spacing
    nodes = []
    for axis, lower, width in zip((Z, Y, X), reversed(deck.lower), (dz, dy, dx), strict=True):
        # First the block's corner, then steps from it: the order decides the last digit.
        corner = lower + width * float(place.offset[axis])
        steps = np.arange(-GHOSTS, place.shape[axis] + GHOSTS + 1, dtype=np.float64)
        nodes.append(corner + width * steps)
    return Grid(
        shape=place.shape,
        spacing=(dz, dy, dx),
        area=(dx * dy, dx * dz, dy * dz),
        volume=dx * dy * dz,
        nodes=(nodes[0], nodes[1], nodes[2]),
    )


class Fields:
    """Every array of one block, float64, C order (z, y, x), two ghost layers all round.

    Names are CloverLeaf's: 0 is the value at the start of a step, 1 the value being advanced.
    `vel0`, `vel1`, `vol_flux` and `mass_flux` give the directed ones by axis (Z, Y, X). Cell
    arrays have n + 4 values along an axis; vertices, and faces along their normal, one more.
    """

    def __init__(self, shape: Triple) -> None:
        self.shape = shape
        self.density0 = self._zeros()
        self.density1 = self._zeros()
        self.energy0 = self._zeros()
        self.energy1 = self._zeros()
        self.pressure = self._zeros()
        self.viscosity = self._zeros()
        self.soundspeed = self._zeros()
        self.vel0 = tuple(self._zeros(Z, Y, X) for _ in range(3))
        self.vel1 = tuple(self._zeros(Z, Y, X) for _ in range(3))
        self.vol_flux = tuple(self._zeros(axis) for axis in (Z, Y, X))
        self.mass_flux = tuple(self._zeros(axis) for axis in (Z, Y, X))
        # Scratch of the advection sweeps, which need a whole block of intermediate results.
        self.work = tuple(self._zeros(Z, Y, X) for _ in range(5))

    def _zeros(self, *longer: int) -> Array:
        return np.zeros([n + 2 * GHOSTS + (axis in longer) for axis, n in enumerate(self.shape)])

    def named(self, name: str) -> Array:
        """The array that CloverLeaf calls `name`, such as density0, xvel1 or mass_flux_z."""
        if name in NORMAL_AXIS:
            family = name[1:] if "vel" in name else name[:-2]
            directed: tuple[Array, ...] = getattr(self, family)
            return directed[NORMAL_AXIS[name]]
        array: Array = getattr(self, name)
        return array
