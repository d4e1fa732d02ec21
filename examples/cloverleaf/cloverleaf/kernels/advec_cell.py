"""Moves mass and energy between cells along one axis: second order, van Leer limited.

In: density1, energy1, vol_flux with two ghost layers. Out: mass_flux, and both fields advanced.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..axes import Array, Region, X, Y, Z
from ..fields import Fields, Grid


def advec_cell(grid: Grid, fields: Fields, axis: int, done: tuple[int, ...]) -> None:
    """Sweep along `axis` after the sweeps along the axes in `done`, over the owned cells."""
    pre_volume, energy_flux = fields.work[0], fields.work[1]
    cells = Region.cells(fields.shape)
    # The original's y sweep also fills ghost fluxes above the block. At the top edge of the
    # domain where the y and z walls meet, mirroring reads them before it replaces them.
    spare = 1 if axis == Y else 0
    for slab in cells.grown(axis, 1, 1).grown(Z, 0, spare).slabs():
        _pre_volume(slab, grid, fields, axis, done, out=slab.of(pre_volume))
    # All fluxes first: they look at cells on both sides, which the update then changes.
    for slab in Region.faces(fields.shape, axis).grown(Z, 0, spare).slabs():
        _fluxes(slab, fields, axis, pre_volume, energy_flux)
    for slab in cells.slabs():
        _update(slab, fields, axis, pre_volume, energy_flux)


def _pre_volume(
    slab: Region, grid: Grid, fields: Fields, axis: int, done: tuple[int, ...], out: Array
) -> None:
    """Cell volume before this sweep: what the flow still has to bring in swells it."""
    pending = [axis, *(other for other in (X, Y, Z) if other != axis and other not in done)]
    if done:
        out[...] = grid.volume
        for other in pending:
            flux = fields.vol_flux[other]
            out += slab.along(other, flux, 1)
            out -= slab.along(other, flux)
        return
    # The first sweep of the original adds x, y, z up before it adds the volume.
    np.subtract(slab.along(X, fields.vol_flux[X], 1), slab.of(fields.vol_flux[X]), out=out)
    for other in (Y, Z):
        out += slab.along(other, fields.vol_flux[other], 1)
        out -= slab.of(fields.vol_flux[other])
    out += grid.volume


def _fluxes(slab: Region, fields: Fields, axis: int, pre_volume: Array, energy_flux: Array) -> None:
    """Mass and energy through each face, from the upwind cell and its limited slope."""
    volume = slab.of(fields.vol_flux[axis])
    forward = volume > 0.0
    donor_volume = np.where(forward, slab.along(axis, pre_volume, -1), slab.along(axis, pre_volume))
    courant = np.abs(volume) / donor_volume
    donor_density, slope = _limited(slab, axis, fields.density1, forward, courant)
    mass = volume * (donor_density + (1.0 - courant) * slope)
    mass_courant = np.abs(mass) / (donor_density * donor_volume)
    donor_energy, slope = _limited(slab, axis, fields.energy1, forward, courant)
    slab.of(fields.mass_flux[axis])[...] = mass
    slab.of(energy_flux)[...] = mass * (donor_energy + (1.0 - mass_courant) * slope)


def _limited(
    slab: Region, axis: int, field: Array, forward: npt.NDArray[np.bool_], courant: Array
) -> tuple[Array, Array]:
    """The upwind cell's value and its van Leer limited change towards the face."""
    behind, here = slab.along(axis, field, -1), slab.along(axis, field)
    upwind = np.where(forward, slab.along(axis, field, -2), slab.along(axis, field, 1))
    donor = np.where(forward, behind, here)
    downwind = np.where(forward, here, behind)
    from_upwind = donor - upwind
    to_downwind = downwind - donor
    monotone = from_upwind * to_downwind > 0.0
    size_up, size_down = np.abs(from_upwind), np.abs(to_downwind)
    third_order = (1.0 / 6.0) * ((1.0 + courant) * size_up + (2.0 - courant) * size_down)
    size = np.minimum(np.minimum(size_up, size_down), third_order)
    # No slope at an extremum: that is what keeps the advected field free of new ones.
    size *= monotone
    return donor, np.copysign(size, to_downwind)


def _update(slab: Region, fields: Fields, axis: int, pre_volume: Array, energy_flux: Array) -> None:
    """Give each cell what came in through its lower face less what left through its upper."""
    mass_flux, vol_flux = fields.mass_flux[axis], fields.vol_flux[axis]
    density, energy = slab.of(fields.density1), slab.of(fields.energy1)
    mass = density * slab.of(pre_volume)
    new_energy = energy * mass
    new_energy += slab.of(energy_flux)
    new_energy -= slab.along(axis, energy_flux, 1)
    mass += slab.of(mass_flux)
    mass -= slab.along(axis, mass_flux, 1)
    volume = slab.of(pre_volume) + slab.of(vol_flux)
    volume -= slab.along(axis, vol_flux, 1)
    np.divide(new_energy, mass, out=energy)
    np.divide(mass, volume, out=density)
