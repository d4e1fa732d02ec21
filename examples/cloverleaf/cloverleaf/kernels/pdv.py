"""The Lagrangian step's PdV work: cells swell or shrink with the flow, which costs them energy.

In: density0, energy0, pressure, viscosity, velocities. Out: density1 and energy1, owned cells.
"""

from __future__ import annotations

from ..axes import FACE_VERTICES, Array, Region, X, Y, Z, lower, sum_shifted, upper
from ..fields import Fields, Grid


def pdv(grid: Grid, fields: Fields, dt: float, predict: bool) -> None:
    """Advance density and energy by half a step with vel0 (predict), or by all of it with both."""
    ends = (fields.vel0, fields.vel0) if predict else (fields.vel0, fields.vel1)
    for slab in Region.cells(fields.shape).slabs():
        total: Array | float = 0.0
        for axis in (X, Y, Z):
            faces = slab.grown(axis, 0, 1)
            flux = _two_sums(faces, ends[0][axis], ends[1][axis], axis)
            flux *= grid.area[axis]
            flux *= 0.125
            flux *= dt
            if predict:
                flux *= 0.5
            total = total + upper(flux, axis) - lower(flux, axis)
        rho = slab.of(fields.density0)
        work = slab.of(fields.pressure) / rho + slab.of(fields.viscosity) / rho
        work *= total
        work *= 1.0 / grid.volume
        slab.of(fields.energy1)[...] = slab.of(fields.energy0) - work
        slab.of(fields.density1)[...] = rho * (grid.volume / (grid.volume + total))


def _two_sums(faces: Region, first: Array, second: Array, axis: int) -> Array:
    """The face's four vertices at two times, added one after the other as the original does."""
    total = sum_shifted(faces, first, FACE_VERTICES[axis])
    for offset in FACE_VERTICES[axis]:
        total += faces.of(second, *offset)
    return total
