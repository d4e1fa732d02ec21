"""A flame kernel in hydrogen and air: the time step on one block per rank, and its publication.

In: points, size and state of the gas, and a communicator. Out: the advancing fields, their mesh tree
and a summary.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mpi4py import MPI

from . import derivatives, filter, runge_kutta, state, transport
from .axes import AXES, Array, X, Y, Z
from .boundary import Outflow
from .decomposition import decompose
from .equations import Equations, heat_release
from .grid import open_axis, periodic_axis
from .initial import eddies, hot_spot, premixed
from .line_operator import LineOperator
from .mechanism import ATMOSPHERE, NAMES
from .publish import Publication

# Of the limits below, which are those of the linear problem.
_SAFETY = 0.9
# Where the scheme's region of stability ends on the imaginary and on the real axis.
_STABLE_WAVE, _STABLE_DIFFUSION = 3.32, 4.81
_FILTER_EVERY = 5  # steps

PUBLISHED = [
    "temperature",
    "pressure",
    "heat_release",
    "velocity/x",
    "velocity/y",
    "velocity/z",
    *(f"Y_{name}" for name in NAMES),
]


class FlameKernel:
    """A hot spot ignites premixed hydrogen and air; the flame grows into large eddies.

    x and z are periodic; along y the grid is stretched, finest in the middle, and open at both
    ends.

    Attributes: `comm`; `place` (this rank's block); `axes` (of the whole grid, z, y, x); `state`
    (14, nz, ny, nx), see `s3d.state`; `cycle` (steps done), `time`, `dt` (last step), `end_time`.
    """

    def __init__(
        self,
        comm: MPI.Intracomm | None = None,
        *,
        points: tuple[int, int, int] = (48, 48, 48),
        size: tuple[float, float, float] = (2.4e-3, 2.4e-3, 2.4e-3),
        stretching: float = 1.0,
        equivalence_ratio: float = 1.0,
        temperature: float = 300.0,
        spot_temperature: float = 1500.0,
        spot_radius: float = 3.0e-4,
        velocity: float = 5.0,
        seed: int = 1,
        end_time: float = 4.0e-5,
    ) -> None:
        """Set up the gas on `comm` (COMM_WORLD). Collective; everything in SI units.

        Args:
            points: of the whole grid along x, y, z; 1, or at least 11; more where it is cut.
            size: of the domain along x, y, z.
            stretching: s of `grid.open_axis`, along y.
            equivalence_ratio: of the mixture.
            temperature: of the gas, which is at one atmosphere.
            spot_temperature, spot_radius: of the hot spot.
            velocity: rms of each component of the eddies; `seed` numbers them.
            end_time: when `done` becomes true.

        Raises ValueError on every rank when the points do not suffice for as many ranks.
        """
        self.comm = MPI.COMM_WORLD if comm is None else comm
        nx, ny, nz = points
        lx, ly, lz = size
        self.axes = (periodic_axis(nz, lz), open_axis(ny, ly, stretching), periodic_axis(nx, lx))
        periodic = tuple(axis.periodic for axis in self.axes)
        self.place = decompose((nz, ny, nx), periodic, self.comm.size, self.comm.rank)
        self.cycle = 0
        self.time = 0.0
        self.dt = 0.0
        self.end_time = end_time
        self._equations = Equations(
            {a: self._operator(a, self.axes[a].derivative, derivatives.HALF_WIDTH) for a in AXES},
            [
                Outflow(Y, side, self.axes[Y].derivative, ly, ATMOSPHERE)
                for side in (0, 1)
                if self.place.around[Y][side] == MPI.PROC_NULL
            ],
        )
        self._filters = [self._operator(a, self.axes[a].filter, filter.HALF_WIDTH) for a in AXES]
        own = tuple(
            slice(first, first + n)
            for first, n in zip(self.place.offset, self.place.shape, strict=True)
        )
        here = tuple(axis.points[part] for axis, part in zip(self.axes, own, strict=True))
        self._widths = tuple(axis.widths[part] for axis, part in zip(self.axes, own, strict=True))
        fractions = np.empty((len(NAMES), *self.place.shape))
        fractions[...] = premixed(equivalence_ratio)[:, None, None, None]
        self.state = state.conserved(
            ATMOSPHERE,
            hot_spot(here, spot_radius, temperature, spot_temperature),
            eddies(here, (lz, ly, lx), velocity, seed),
            fractions,
        )
        self._stage = np.empty_like(self.state)
        self._temperature = np.full(self.place.shape, temperature)
        self._now = self._decode(self.state)
        self._publication = Publication(self.comm, self.place, self.axes, PUBLISHED)
        self._published_cycle = -1
        self._tree: dict[str, Any] = {}

    @property
    def done(self) -> bool:
        """Whether the end time is reached."""
        return self.time >= self.end_time

    def step(self) -> None:
        """Advance by one time step, also beyond the end time.

        Collective. Raises ArithmeticError where a state is no gas any more.
        """
        self.dt = self._stable_step()
        runge_kutta.advance(self.state, self.dt, self._rate, self._stage)
        self.cycle += 1
        self.time += self.dt
        if self.cycle % _FILTER_EVERY == 0:
            for smooth in self._filters:
                self.state[...] = smooth(self.state)
        self._now = self._decode(self.state)

    def mesh(self) -> dict[str, Any]:
        """This rank's block as a Blueprint tree of nested dicts; see `s3d.publish`. Collective.

        Fields: `temperature` (K), `pressure` (Pa), `heat_release` (W/m^3), `velocity` (m/s) and
        mass fractions `Y_H2` to `Y_N2`, at points. They change with the next call after a step; the
        caller must not write to them.
        """
        if self._published_cycle != self.cycle:
            now = self._now
            self._publication.fill(
                [
                    now.temperature,
                    now.pressure,
                    heat_release(now),
                    *now.velocity,
                    *now.fractions,
                ]
            )
            self._tree = self._publication.tree(time=self.time, cycle=self.cycle)
            self._published_cycle = self.cycle
        return self._tree

    def summary(self) -> dict[str, float]:
        """Of the whole domain: `mass` (kg), `energy` (J), `heat_release` (W), `temperature` (K, most)
        and `pressure` (Pa, least and most). Collective; the same on every rank.
        """
        wz, wy, wx = self._widths
        volume = wz[:, None, None] * wy[:, None] * wx
        sums = [
            (self.state[state.DENSITY] * volume).sum(),
            (self.state[state.ENERGY] * volume).sum(),
            (heat_release(self._now) * volume).sum(),
        ]
        most = [self._now.temperature.max(), self._now.pressure.max(), -self._now.pressure.min()]
        mass, energy, heat = self.comm.allreduce(np.array(sums))
        all_most = np.empty(3)
        self.comm.Allreduce(np.array(most), all_most, op=MPI.MAX)
        return {
            "mass": float(mass),
            "energy": float(energy),
            "heat_release": float(heat),
            "temperature": float(all_most[0]),
            "lowest_pressure": -float(all_most[2]),
            "highest_pressure": float(all_most[1]),
        }

    def _operator(self, axis: int, matrix: Array, half_width: int) -> LineOperator:
        return LineOperator(self.comm, self.place, axis, matrix, half_width)

    def _decode(self, values: Array) -> state.Primitives:
        now = state.primitives(values, self._temperature)
        self._temperature = now.temperature
        return now

    def _rate(self, values: Array) -> Array:
        # The first stage is the state that the last step has ended with.
        now = self._now if values is self.state else self._decode(values)
        return self._equations.rate(values, now)

    def _stable_step(self) -> float:
        """The longest step that is stable for sound, flow and diffusion on the finest spacing."""
        now = self._now
        inverse = [
            (1.0 / width if len(axis.points) > 1 else 0.0 * width).reshape(shape)
            for width, axis, shape in zip(self._widths, self.axes, _SHAPES, strict=True)
        ]
        finest = inverse[Z] ** 2 + inverse[Y] ** 2 + inverse[X] ** 2
        waves = now.sound_speed * np.sqrt(finest)
        for axis, component in ((X, 0), (Y, 1), (Z, 2)):
            waves += np.abs(now.velocity[component]) * inverse[axis]
        fastest = 1.0 / transport.LEWIS.min()
        diffusion = transport.conductivity_over_cp(now.temperature) / now.density * fastest
        rates = np.array(
            [
                derivatives.LARGEST_WAVENUMBER * waves.max() / _STABLE_WAVE,
                derivatives.LARGEST_WAVENUMBER**2 * (diffusion * finest).max() / _STABLE_DIFFUSION,
            ]
        )
        largest = np.empty(2)
        self.comm.Allreduce(rates, largest, op=MPI.MAX)
        return float(_SAFETY / largest.max())


_SHAPES = ((-1, 1, 1), (1, -1, 1), (1, 1, -1))
