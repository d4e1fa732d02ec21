"""Artificial viscosity: an extra pressure in compressing cells that spreads a shock over a few.

In: pressure and velocity with one ghost layer, density. Out: viscosity on the owned cells.
"""

from __future__ import annotations

import numpy as np

from ..axes import FACE_VERTICES, Array, Region, Triple, X, Y, Z, sum_shifted
from ..fields import Fields, Grid

_TINY = 1.0e-16


def viscosity(grid: Grid, fields: Fields) -> None:
    """Set viscosity where the flow is compressed along the pressure gradient, zero elsewhere."""
    for slab in Region.cells(fields.shape).slabs():
        slopes = {axis: _pressure_slope(slab, grid, fields, axis) for axis in (X, Y, Z)}
        divergence, limiter = _strain_along_slope(slab, grid, fields, slopes)
        # Width of the cell along the gradient: the shortest of the three crossings.
        steep = {axis: np.maximum(_TINY, np.abs(p)) for axis, p in slopes.items()}
        steepness = np.sqrt(steep[X] * steep[X] + steep[Y] * steep[Y] + steep[Z] * steep[Z])
        width = np.minimum.reduce(
            [grid.spacing[axis] * steepness / steep[axis] for axis in (X, Y, Z)]
        )
        q = 2.0 * slab.of(fields.density0) * (width * width) * limiter * limiter
        q[(limiter > 0.0) | (divergence >= 0.0)] = 0.0
        slab.of(fields.viscosity)[...] = q


def _pressure_slope(slab: Region, grid: Grid, fields: Fields, axis: int) -> Array:
    rise = slab.along(axis, fields.pressure, 1) - slab.along(axis, fields.pressure, -1)
    rise /= grid.spacing[axis] + grid.spacing[axis]
    return rise


def _strain_along_slope(
    slab: Region, grid: Grid, fields: Fields, slopes: dict[int, Array]
) -> tuple[Array, Array]:
    """The divergence (times cell volume and 4) and the strain rate along the pressure gradient."""
    u, v, w = fields.vel0[X], fields.vel0[Y], fields.vel0[Z]
    du_dx, dv_dy, dw_dz = _jump(slab, u, X), _jump(slab, v, Y), _jump(slab, w, Z)
    divergence = grid.area[X] * du_dx + grid.area[Y] * dv_dy + grid.area[Z] * dw_dz
    px, py, pz = slopes[X], slopes[Y], slopes[Z]
    px2, py2, pz2 = px * px, py * py, pz * pz
    strain = _rate(du_dx, grid, X) * px2
    strain += _rate(dv_dy, grid, Y) * py2
    strain += _rate(dw_dz, grid, Z) * pz2
    strain += (_rate(_jump(slab, u, Y), grid, Y) + _rate(_jump(slab, v, X), grid, X)) * px * py
    strain += (_rate(_jump(slab, u, Z), grid, Z) + _rate(_jump(slab, w, X), grid, X)) * px * pz
    strain += (_rate(_jump(slab, v, Z), grid, Z) + _rate(_jump(slab, w, Y), grid, Y)) * py * pz
    strain /= np.maximum(px2 + py2 + pz2, _TINY)
    return divergence, strain


def _jump(slab: Region, velocity: Array, axis: int) -> Array:
    """Sum over a cell's upper face less that over its lower one: four times the mean jump."""
    low = FACE_VERTICES[axis]
    high: tuple[Triple, ...] = tuple(
        (z + (axis == Z), y + (axis == Y), x + (axis == X)) for z, y, x in low
    )
    return sum_shifted(slab, velocity, high) - sum_shifted(slab, velocity, low)


def _rate(jump: Array, grid: Grid, axis: int) -> Array:
    return 0.25 * jump / grid.spacing[axis]
