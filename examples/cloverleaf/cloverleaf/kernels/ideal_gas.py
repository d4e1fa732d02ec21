"""The equation of state of an ideal gas, which closes the Euler equations.

In: density and energy per mass on the owned cells. Out: pressure and sound speed there.
"""

from __future__ import annotations

import numpy as np

from ..axes import Region
from ..fields import Fields

GAMMA = 1.4


def ideal_gas(fields: Fields, predicted: bool) -> None:
    """Set pressure and soundspeed from density0/energy0, or from density1/energy1 if predicted."""
    density = fields.density1 if predicted else fields.density0
    energy = fields.energy1 if predicted else fields.energy0
    for slab in Region.cells(fields.shape).slabs():
        rho = slab.of(density)
        by_energy = (GAMMA - 1.0) * rho
        pressure = by_energy * slab.of(energy)
        by_volume = -rho * pressure
        v = 1.0 / rho
        slab.of(fields.pressure)[...] = pressure
        np.sqrt(v * v * (pressure * by_energy - by_volume), out=slab.of(fields.soundspeed))
