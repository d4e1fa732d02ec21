"""The longest stable time step of a block: sound, flow and volume change may not cross a cell.

In: soundspeed, viscosity, density0, vel0. Out: one number, to be minimised over all ranks.
"""

from __future__ import annotations

import numpy as np

from ..axes import FACE_VERTICES, Array, Region, X, Y, Z, lower, sum_shifted, upper
from ..fields import Fields, Grid

# Safety factors of the limits by sound, by velocity along an axis, and by divergence.
SOUND_SAFETY = 0.75
VELOCITY_SAFETY = 0.5
DIVERGENCE_SAFETY = 0.5
_SMALL = 1.0e-16
_BIG = 1.0e21


def longest_step(grid: Grid, fields: Fields) -> float:
    """The least over the owned cells of the sound, x, y, z velocity and divergence limits.

    Not a number when a field is not, so that the caller can tell. Not collective.
    """
    shortest = _BIG
    for slab in Region.cells(fields.shape).slabs():
        divergence: Array | float = 0.0
        # The largest rate of the velocity limits gives the smallest step.
        fastest: Array | None = None
        for axis in (X, Y, Z):
            low, high = _face_rates(slab, grid, fields, axis)
            divergence = divergence + high - low
            rate = np.maximum(np.abs(low), np.abs(high))
            fastest = rate if fastest is None else np.maximum(fastest, rate)
        assert fastest is not None
        slowest = 1.0e-5 * grid.volume
        by_velocity = VELOCITY_SAFETY * 4.0 * grid.volume / max(fastest.max(), slowest)
        by_divergence = (
            DIVERGENCE_SAFETY * 4.0 * grid.volume / max(np.abs(divergence).max(), slowest)
        )
        limits = (_sound_limit(slab, grid, fields), by_velocity, by_divergence)
        shortest = float(np.min([shortest, *limits]))
    return shortest


def _sound_limit(slab: Region, grid: Grid, fields: Fields) -> float:
    # Viscosity stiffens the cell as a pressure would.
    speed = slab.of(fields.soundspeed)
    squared = speed * speed
    squared += 2.0 * slab.of(fields.viscosity) / slab.of(fields.density0)
    width = min(grid.spacing)
    fastest = np.sqrt(1.0 / (width * width) * squared).max()
    return float(SOUND_SAFETY / max(fastest, _SMALL))


def _face_rates(slab: Region, grid: Grid, fields: Fields, axis: int) -> tuple[Array, Array]:
    """Four times the volume swept per time by a cell's lower and upper face."""
    faces = slab.grown(axis, 0, 1)
    rates = sum_shifted(faces, fields.vel0[axis], FACE_VERTICES[axis]) * grid.area[axis]
    return lower(rates, axis), upper(rates, axis)
