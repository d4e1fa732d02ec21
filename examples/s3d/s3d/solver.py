"""Advances the reacting flow on one block per rank.

In: the axes of the whole grid and what the gas is like at the start. Out: the advancing state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from mpi4py import MPI

from . import derivatives, filter, runge_kutta, state, transport
from .axes import ALONG, AXES, COMPONENT, Array
from .boundary import Outflow
from .decomposition import decompose
from .equations import Equations, heat_release
from .grid import Axis
from .line_operator import LineOperator
from .mechanism import ATMOSPHERE

# Of the limits below, which are those of the linear problem: where the scheme's region of stability
# ends on the imaginary and on the real axis.
_SAFETY = 0.9
_STABLE_WAVE, _STABLE_DIFFUSION = 3.32, 4.81
_FILTER_EVERY = 5  # steps


class Gas(NamedTuple):
    """A gas at the points of a block, in SI units; all but `velocity` and `fractions` may be one
    number for all points."""

    pressure: Array | float
    temperature: Array
    velocity: Array
    """(3, nz, ny, nx), along x, y, z."""
    fractions: Array
    """Mass fractions (10, nz, ny, nx)."""


class Solver:
    """The equations of `s3d.equations`; periodic axes, and outflow at the ends of the others.

    Attributes: `comm`; `place` (this rank's block); `axes` (of the whole grid, z, y, x); `state`
    (14, nz, ny, nx) and `now`, the primitives that it stands for; `volumes` (nz, ny, nx), m^3, of
    the points; `cycle` (steps done), `time`, `dt` (last step).
    """

    def __init__(
        self,
        comm: MPI.Intracomm,
        axes: tuple[Axis, Axis, Axis],
        gas: Callable[[tuple[Array, Array, Array]], Gas],
    ) -> None:
        """`gas` is called with this rank's coordinates along z, y, x. Collective.

        Raises ValueError on every rank when the points do not suffice for as many ranks.
        """
        self.comm = comm
        self.axes = axes
        nz, ny, nx = (len(axis.points) for axis in axes)
        periodic = tuple(axis.periodic for axis in axes)
        self.place = place = decompose((nz, ny, nx), periodic, comm.size, comm.rank)
        z, y, x = (
            slice(first, first + n) for first, n in zip(place.offset, place.shape, strict=True)
        )
        self._widths = (axes[0].widths[z], axes[1].widths[y], axes[2].widths[x])
        self.volumes = np.einsum("k,j,i->kji", *self._widths)
        self._equations = Equations(
            {a: self._operator(a, axes[a].derivative, derivatives.HALF_WIDTH) for a in AXES},
            self._outflows(),
        )
        self._filters = [self._operator(a, axes[a].filter, filter.HALF_WIDTH) for a in AXES]
        start = gas((axes[0].points[z], axes[1].points[y], axes[2].points[x]))
        self.state = state.conserved(*start)
        self._stage = np.empty_like(self.state)
        self._temperature = start.temperature
        self.now = self._decode(self.state)
        self.cycle = 0
        self.time = 0.0
        self.dt = 0.0

    def step(self, dt: float | None = None) -> None:
        """Advance by the longest stable step, or by `dt` (s).

        Collective. Raises ArithmeticError where a state is no gas any more.
        """
        self.dt = self._stable_step() if dt is None else dt
        runge_kutta.advance(self.state, self.dt, self._rate, self._stage)
        self.cycle += 1
        self.time += self.dt
        if self.cycle % _FILTER_EVERY == 0:
            for smooth in self._filters:
                self.state = smooth(self.state)
        self.now = self._decode(self.state)

    def summary(self) -> dict[str, float]:
        """Of the whole domain: `mass` (kg), `energy` (J), `heat_release` (W), `temperature` (K) at
        most, `lowest_pressure` and `highest_pressure` (Pa).

        Collective; the same on every rank.
        """
        here = [self.state[state.DENSITY], self.state[state.ENERGY], heat_release(self.now)]
        sums, most = np.empty(3), np.empty(3)
        self.comm.Allreduce(np.array([(a * self.volumes).sum() for a in here]), sums, op=MPI.SUM)
        pressure = self.now.pressure
        ends = np.array([self.now.temperature.max(), -pressure.min(), pressure.max()])
        self.comm.Allreduce(ends, most, op=MPI.MAX)
        return {
            "mass": float(sums[0]),
            "energy": float(sums[1]),
            "heat_release": float(sums[2]),
            "temperature": float(most[0]),
            "lowest_pressure": -float(most[1]),
            "highest_pressure": float(most[2]),
        }

    def _operator(self, axis: int, matrix: Array, half_width: int) -> LineOperator:
        return LineOperator(self.comm, self.place, axis, matrix, half_width)

    def _outflows(self) -> list[Outflow]:
        """Those of the domain's open faces that this block touches."""
        found = []
        for number, axis in enumerate(self.axes):
            length = float(axis.points[-1] - axis.points[0])
            found += [
                Outflow(number, side, axis.derivative, length, ATMOSPHERE)
                for side in (0, 1)
                if not axis.periodic and self.place.inside[number][side] is None
            ]
        return found

    def _decode(self, values: Array) -> state.Primitives:
        now = state.primitives(values, self._temperature)
        self._temperature = now.temperature
        return now

    def _rate(self, values: Array) -> Array:
        # The first stage is the state that the last step has ended with.
        now = self.now if values is self.state else self._decode(values)
        return self._equations.rate(values, now)

    def _stable_step(self) -> float:
        """The longest step that is stable for sound, flow and diffusion on this grid."""
        now = self.now
        waves, finest = 0.0, 0.0
        for number, axis in enumerate(self.axes):
            if len(axis.points) > 1:
                inverse = (1.0 / self._widths[number]).reshape(ALONG[number])
                waves = waves + np.abs(now.velocity[COMPONENT[number]]) * inverse
                finest = finest + inverse**2
        waves = waves + now.sound_speed * np.sqrt(finest)
        # The lightest species diffuses fastest.
        diffusion = transport.conductivity_over_cp(now.temperature) / now.density
        diffusion = diffusion / transport.LEWIS.min() * finest
        wavenumber = derivatives.LARGEST_WAVENUMBER
        fastest = max(
            wavenumber * waves.max() / _STABLE_WAVE,
            wavenumber**2 * diffusion.max() / _STABLE_DIFFUSION,
        )
        return _SAFETY / float(self.comm.allreduce(fastest, op=MPI.MAX))
