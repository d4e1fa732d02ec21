"""Volume, mass and energies of one block, the figures by which runs are compared.

In: density0, energy0, pressure, vel0 on owned cells and vertices. Out: five partial sums.
"""

from __future__ import annotations

import numpy as np

from ..axes import Array, Region, X, Y, Z
from ..fields import Fields, Grid


def partial_sums(grid: Grid, fields: Fields) -> Array:
    """This block's volume, mass, pressure times volume, internal and kinetic energy, shape (5,)."""
    totals = np.zeros(5)
    for slab in Region.cells(fields.shape).slabs():
        mass = slab.of(fields.density0) * grid.volume
        totals += (
            mass.size * grid.volume,
            mass.sum(),
            (slab.of(fields.pressure) * grid.volume).sum(),
            (mass * slab.of(fields.energy0)).sum(),
            (mass * 0.5 * _mean_square_speed(slab, fields)).sum(),
        )
    return totals


def _mean_square_speed(slab: Region, fields: Fields) -> Array:
    """Mean over a cell's eight vertices of the speed squared."""
    mean: Array | float = 0.0
    for z in (0, 1):
        for y in (0, 1):
            for x in (0, 1):
                u, v, w = (slab.of(fields.vel0[axis], z, y, x) for axis in (X, Y, Z))
                mean = mean + 0.125 * (u * u + v * v + w * w)
    return np.asarray(mean)
