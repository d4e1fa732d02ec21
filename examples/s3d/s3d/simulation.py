"""A flame kernel in premixed hydrogen and air, as a simulation to couple.

In: points, size and state of the gas, and a communicator. Out: the advancing fields and their tree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mpi4py import MPI

from .axes import Array
from .equations import heat_release
from .grid import open_axis, periodic_axis
from .initial import eddies, hot_spot, premixed
from .mechanism import ATMOSPHERE, NAMES
from .publish import Publication
from .solver import Gas, Solver

PUBLISHED = (
    "temperature",
    "pressure",
    "heat_release",
    "velocity/x",
    "velocity/y",
    "velocity/z",
    *(f"Y_{name}" for name in NAMES),
)


class FlameKernel(Solver):
    """A hot spot ignites premixed hydrogen and air; the flame grows into large eddies.

    x and z are periodic; along y the grid is stretched, finest in the middle, and both ends are
    open.

    Attributes: those of `Solver`, and `end_time` (s).
    """

    def __init__(
        self,
        comm: MPI.Intracomm | None = None,
        *,
        points: tuple[int, int, int] = (48, 48, 48),
        size: tuple[float, float, float] = (2.4e-3, 2.4e-3, 2.4e-3),
        stretching: float = 1.0,
        equivalence_ratio: float = 1.0,
        temperature: float = 600.0,
        spot_temperature: float = 1800.0,
        spot_radius: float = 3.5e-4,
        velocity: float = 10.0,
        seed: int = 1,
        end_time: float = 2.0e-5,
    ) -> None:
        """Set up the gas on `comm` (COMM_WORLD). Collective; everything in SI units.

        Args:
            points: of the whole grid along x, y, z; 11 at least, and 5 per block where an axis is
                cut.
            size: of the domain along x, y, z.
            stretching: s of `grid.open_axis`, along y.
            equivalence_ratio: of the mixture.
            temperature: of the gas, which is at one atmosphere.
            spot_temperature, spot_radius: of the hot spot.
            velocity: rms of each component of the eddies; `seed` numbers them.
            end_time: when `done` becomes true.

        Raises ValueError on every rank when the points do not suffice for as many ranks.
        """
        nx, ny, nz = points
        lx, ly, lz = size

        def gas(here: tuple[Array, Array, Array]) -> Gas:
            hot = hot_spot(here, spot_radius, temperature, spot_temperature)
            fresh = premixed(equivalence_ratio)[:, None, None, None]
            return Gas(
                pressure=ATMOSPHERE,
                temperature=hot,
                velocity=eddies(here, (lz, ly, lx), velocity, seed),
                fractions=np.broadcast_to(fresh, (len(NAMES), *hot.shape)),
            )

        axes = (periodic_axis(nz, lz), open_axis(ny, ly, stretching), periodic_axis(nx, lx))
        super().__init__(MPI.COMM_WORLD if comm is None else comm, axes, gas)
        self.end_time = end_time
        self._publication = Publication(self.comm, self.place, self.axes, PUBLISHED)
        self._published_cycle = -1

    @property
    def done(self) -> bool:
        """Whether the end time is reached."""
        return self.time >= self.end_time

    def mesh(self) -> dict[str, Any]:
        """This rank's block as a Blueprint tree of nested dicts; see `s3d.publish`. Collective.

        Fields at points: `temperature` (K), `pressure` (Pa), `heat_release` (W/m^3), `velocity`
        (m/s), and mass fractions `Y_H2` to `Y_N2`. The arrays are filled anew by the first call
        after a step; the caller must not write to them.
        """
        if self._published_cycle != self.cycle:
            now = self.now
            self._publication.fill(
                [now.temperature, now.pressure, heat_release(now), *now.velocity, *now.fractions]
            )
            self._published_cycle = self.cycle
        return self._publication.tree(time=self.time, cycle=self.cycle)
