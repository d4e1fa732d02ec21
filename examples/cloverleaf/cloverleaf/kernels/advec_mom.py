"""Moves momentum between vertices along one axis with the mass that the cell sweep just moved.

In: density1, vel1, vol_flux, mass_flux with two ghost layers. Out: vel1 on the owned vertices.
"""

from __future__ import annotations

import numpy as np

from ..axes import Array, Region, Triple, X, Y, Z, sum_shifted
from ..fields import Fields, Grid

# The eight cells around a vertex, and the eight mass fluxes whose mean crosses from a vertex to
# the next one up the axis; in the original's order of summation.
_CELLS_AROUND: tuple[Triple, ...] = (
    (0, -1, 0), (0, 0, 0), (0, -1, -1), (0, 0, -1),
    (-1, -1, 0), (-1, 0, 0), (-1, -1, -1), (-1, 0, -1),
)  # fmt: skip
_FLUXES_AROUND: dict[int, tuple[Triple, ...]] = {
    X: ((0, -1, 0), (0, 0, 0), (0, -1, 1), (0, 0, 1),
        (-1, -1, 0), (-1, 0, 0), (-1, -1, 1), (-1, 0, 1)),
    Y: ((0, 0, -1), (0, 0, 0), (0, 1, -1), (0, 1, 0),
        (-1, 0, -1), (-1, 0, 0), (-1, 1, -1), (-1, 1, 0)),
    Z: ((0, 0, -1), (0, 0, 0), (1, 0, -1), (1, 0, 0),
        (0, -1, -1), (0, -1, 0), (1, -1, -1), (1, -1, 0)),
}  # fmt: skip


def advec_mom(grid: Grid, fields: Fields, axis: int, done: tuple[int, ...]) -> None:
    """Sweep vel1 along `axis`; `done` are the axes swept before it in this step."""
    cell_mass, node_flux, mass_after, mass_before, momentum = fields.work
    _cell_mass(grid, fields, axis, done, cell_mass)
    vertices = Region.vertices(fields.shape)
    for slab in vertices.grown(axis, 2, 1).slabs():
        mean = 0.125 * sum_shifted(slab, fields.mass_flux[axis], _FLUXES_AROUND[axis])
        slab.of(node_flux)[...] = mean
    for slab in vertices.grown(axis, 1, 1).slabs():
        after = 0.125 * sum_shifted(slab, cell_mass, _CELLS_AROUND)
        slab.of(mass_after)[...] = after
        after -= slab.along(axis, node_flux, -1)
        after += slab.of(node_flux)
        slab.of(mass_before)[...] = after
    for velocity in (fields.vel1[X], fields.vel1[Y], fields.vel1[Z]):
        for slab in vertices.grown(axis, 1, 0).slabs():
            _momentum(slab, grid, axis, velocity, node_flux, mass_before, momentum)
        for slab in vertices.slabs():
            moved = slab.of(velocity) * slab.of(mass_before)
            moved += slab.along(axis, momentum, -1)
            moved -= slab.of(momentum)
            np.divide(moved, slab.of(mass_after), out=slab.of(velocity))


def _cell_mass(grid: Grid, fields: Fields, axis: int, done: tuple[int, ...], out: Array) -> None:
    """Mass of the cells, ghosts included, after this sweep."""
    everywhere = Region.cells(fields.shape)
    for other in (Z, Y, X):
        everywhere = everywhere.grown(other, 2, 2)
    for slab in everywhere.slabs():
        volume = np.full_like(slab.of(out), grid.volume)
        for other in (X, Y, Z):
            if other != axis and other not in done:
                volume += slab.along(other, fields.vol_flux[other], 1)
                volume -= slab.of(fields.vol_flux[other])
        np.multiply(slab.of(fields.density1), volume, out=slab.of(out))


def _momentum(
    slab: Region,
    grid: Grid,
    axis: int,
    velocity: Array,
    node_flux: Array,
    mass_before: Array,
    momentum: Array,
) -> None:
    """Momentum from each vertex to the next up the axis: van Leer limited upwind velocity."""
    flux = slab.of(node_flux)
    backward = flux < 0.0
    here, ahead = slab.of(velocity), slab.along(axis, velocity, 1)
    upwind = np.where(backward, slab.along(axis, velocity, 2), slab.along(axis, velocity, -1))
    donor = np.where(backward, ahead, here)
    downwind = np.where(backward, here, ahead)
    donor_mass = np.where(backward, slab.along(axis, mass_before, 1), slab.along(axis, mass_before))
    courant = np.abs(flux) / donor_mass
    from_upwind = donor - upwind
    to_downwind = downwind - donor
    monotone = from_upwind * to_downwind > 0.0
    size_up, size_down = np.abs(from_upwind), np.abs(to_downwind)
    width = grid.spacing[axis]
    third_order = (2.0 - courant) * size_down / width + (1.0 + courant) * size_up / width
    third_order *= width
    third_order /= 6.0
    size = np.minimum(np.minimum(third_order, size_up), size_down)
    # No slope at an extremum: that is what keeps the advected field free of new ones.
    size = np.copysign(size * monotone, to_downwind)
    donor += (1.0 - courant) * size
    np.multiply(donor, flux, out=slab.of(momentum))
