"""Partially non-reflecting outflow by characteristic waves.

T. J. Poinsot, S. K. Lele, J. Comput. Phys. 101 (1992) 104: at the boundary the flow is taken as
one-dimensional and inviscid. Amplitudes of waves that leave are what one-sided differences give;
the one acoustic wave that enters is set to K (p - p_far), K = sigma (1 - M^2) c / L, which lets
waves out and holds the mean pressure. Where gas comes in, it comes in as it is at the boundary.
Diffusive fluxes along the normal do not vary at the boundary (their viscous conditions).

In: primitives and the rate of change without boundary. Out: the rate with it, in place.
"""

from __future__ import annotations

import numpy as np

from . import thermo
from .axes import COMPONENT, Array
from .state import DENSITY, ENERGY, MOMENTUM, SPECIES, Primitives

_RELAXATION = 0.25  # sigma, with which Poinsot and Lele saw neither drift nor reflection
_NEAR = 5  # points that the one-sided difference uses


class Outflow:
    """One face of the domain, normal to `axis`, in a block that touches it. Not collective."""

    def __init__(
        self, axis: int, side: int, derivative: Array, length: float, pressure: float
    ) -> None:
        """`derivative` is the whole axis's matrix; `side` is 0 or 1; `pressure` is far away's."""
        self.axis = axis
        self._sign = 1.0 if side else -1.0  # of the outward normal
        self._place = -1 if side else 0
        self._near = slice(-_NEAR, None) if side else slice(0, _NEAR)
        self._weights = derivative[self._place, self._near]
        self._length = length
        self._pressure = pressure

    def correct(self, change: Array, now: Primitives) -> None:
        """Replace the entering waves in `change`, (14, nz, ny, nx)."""
        normal = COMPONENT[self.axis]
        edge = Primitives(**{name: self._plane(array) for name, array in vars(now).items()})
        c, rho, u = edge.sound_speed, edge.density, edge.velocity
        dp, drho = self._slope(now.pressure), self._slope(now.density)
        du, dy = self._slope(now.velocity), self._slope(now.fractions)

        # What is to be added to the rates of pressure, density, velocity and mass fractions: the
        # acoustic wave as it should be less what it is,
        entering = (u[normal] - self._sign * c) * (dp - self._sign * rho * c * du[normal])
        mach_squared = (u**2).sum(axis=0) / c**2
        stiffness = _RELAXATION * (1.0 - mach_squared) * c / self._length
        wave = stiffness * (edge.pressure - self._pressure) - entering
        p_rate = -0.5 * wave
        rho_rate = p_rate / c**2
        u_rate = np.zeros_like(u)
        u_rate[normal] = self._sign * 0.5 * wave / (rho * c)
        # and, where the flow comes in, what it would carry in.
        inward = np.where(self._sign * u[normal] < 0.0, u[normal], 0.0)
        rho_rate += inward * (drho - dp / c**2)
        for other in {0, 1, 2} - {normal}:
            u_rate[other] += inward * du[other]
        _add(self._plane(change), edge, rho_rate, p_rate, u_rate, inward * dy)

    def stop_diffusion(self, change: Array, diffusive: Array) -> None:
        """Take away what `diffusive` fluxes along this axis, (14, nz, ny, nx), add to `change`.

        One-sided differences of one-sided differences would feed the boundary, not damp it.
        """
        self._plane(change)[...] -= self._slope(diffusive)

    def _plane(self, array: Array) -> Array:
        """The boundary's points: a view without this axis."""
        index: list[slice | int] = [slice(None)] * 3
        index[self.axis] = self._place
        return array[(..., *index)]

    def _slope(self, array: Array) -> Array:
        """The derivative along the axis at the boundary."""
        index = [slice(None)] * 3
        index[self.axis] = self._near
        axis = array.ndim - 3 + self.axis
        return np.tensordot(array[(..., *index)], self._weights, axes=(axis, 0))


def _add(
    change: Array, edge: Primitives, rho_rate: Array, p_rate: Array, u_rate: Array, y_rate: Array
) -> None:
    """Add rates of the primitives to those of the conserved variables."""
    rho, u, t = edge.density, edge.velocity, edge.temperature
    gas_rate = np.tensordot(thermo.GAS_CONSTANTS, y_rate, 1)
    t_rate = t * (p_rate / edge.pressure - rho_rate / rho - gas_rate / edge.gas_constant)
    energies = thermo.species_enthalpies(t) - thermo.GAS_CONSTANTS[:, None, None] * t
    energy = (edge.fractions * energies).sum(axis=0) + 0.5 * (u**2).sum(axis=0)
    energy_rate = (edge.cp - edge.gas_constant) * t_rate
    energy_rate += (energies * y_rate).sum(axis=0) + (u * u_rate).sum(axis=0)
    change[DENSITY] += rho_rate
    change[MOMENTUM] += u * rho_rate + rho * u_rate
    change[ENERGY] += energy * rho_rate + rho * energy_rate
    change[SPECIES] += (edge.fractions * rho_rate + rho * y_rate)[:-1]
