"""Volume that each face sweeps in a step, which the advection then moves between the cells.

In: the velocities at the step's start and end. Out: vol_flux on the owned faces.
"""

from __future__ import annotations

from ..axes import FACE_VERTICES, Region, Triple, X, Y, Z, sum_shifted
from ..fields import Fields, Grid

# CloverLeaf3D takes the vertex (k, j+1) twice and (k+1, j) never in the starting z velocity. That
# is a slip, but its published results contain it, so it is kept: mass is not exactly conserved.
_START_VERTICES: dict[int, tuple[Triple, ...]] = {
    X: FACE_VERTICES[X],
    Y: FACE_VERTICES[Y],
    Z: ((0, 0, 0), (0, 0, 1), (0, 0, 1), (0, 1, 1)),
}


def flux_calc(grid: Grid, fields: Fields, dt: float) -> None:
    """Set vol_flux from the mean of vel0 and vel1 over each face."""
    for axis in (X, Y, Z):
        for slab in Region.faces(fields.shape, axis).slabs():
            total = sum_shifted(slab, fields.vel0[axis], _START_VERTICES[axis])
            for offset in FACE_VERTICES[axis]:
                total += slab.of(fields.vel1[axis], *offset)
            slab.of(fields.vol_flux[axis])[...] = 0.125 * dt * grid.area[axis] * total
