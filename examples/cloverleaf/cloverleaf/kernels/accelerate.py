"""Accelerates the vertices by the forces of pressure and viscosity on the faces around them.

In: density0, pressure, viscosity with one ghost layer, vel0. Out: vel1 on the owned vertices.
"""

from __future__ import annotations

import numpy as np

from ..axes import Array, Region, Triple, X, Y, Z, sum_shifted
from ..fields import Fields, Grid

# The eight cells around a vertex, and per axis the four faces that push it, as the offset of
# the cell above the face; in the original's order of summation.
_CELLS_AROUND: tuple[Triple, ...] = (
    (0, -1, -1), (0, -1, 0), (0, 0, 0), (0, 0, -1),
    (-1, -1, -1), (-1, -1, 0), (-1, 0, 0), (-1, 0, -1),
)  # fmt: skip
_FACES_AROUND: dict[int, tuple[Triple, ...]] = {
    X: ((0, 0, 0), (0, -1, 0), (-1, 0, 0), (-1, -1, 0)),
    Y: ((0, 0, 0), (0, 0, -1), (-1, 0, 0), (-1, 0, -1)),
    Z: ((0, 0, 0), (0, -1, 0), (0, 0, -1), (0, -1, -1)),
}


def accelerate(grid: Grid, fields: Fields, dt: float) -> None:
    """Set vel1 from vel0 and the forces over one step."""
    # The work array is one longer than the cells along each axis.
    cell_mass = fields.work[0][:-1, :-1, :-1]
    np.multiply(fields.density0, grid.volume, out=cell_mass)
    for slab in Region.vertices(fields.shape).slabs():
        # A vertex carries an eighth of the mass of each cell around it.
        mass = sum_shifted(slab, cell_mass, _CELLS_AROUND) * 0.125
        step_by_mass = 0.25 * dt / mass
        for axis in (X, Y, Z):
            velocity = slab.of(fields.vel0[axis]) - step_by_mass * _push(
                slab, grid, fields.pressure, axis
            )
            velocity -= step_by_mass * _push(slab, grid, fields.viscosity, axis)
            slab.of(fields.vel1[axis])[...] = velocity


def _push(slab: Region, grid: Grid, pressure: Array, axis: int) -> Array:
    """Area times the pressure jump over the four faces, summed."""
    faces = _FACES_AROUND[axis]
    total = _jump(slab, pressure, axis, faces[0]) * grid.area[axis]
    for face in faces[1:]:
        total += _jump(slab, pressure, axis, face) * grid.area[axis]
    return total


def _jump(slab: Region, pressure: Array, axis: int, at: Triple) -> Array:
    below = (at[0] - (axis == Z), at[1] - (axis == Y), at[2] - (axis == X))
    return slab.of(pressure, *at) - slab.of(pressure, *below)
