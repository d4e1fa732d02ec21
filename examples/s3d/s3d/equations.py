"""The compressible Navier-Stokes equations of a reacting mixture, in conservation form.

    d(rho)/dt     + div(rho u)                           = 0
    d(rho u)/dt   + div(rho u u + p - tau)               = 0
    d(rho e0)/dt  + div((rho e0 + p) u - tau u + q)      = 0
    d(rho Y_k)/dt + div(rho Y_k u + J_k)                 = W_k omega_k

with tau Newton's stress without bulk viscosity, q = -lambda grad T + sum(h_k J_k), and fluxes
J_k = -rho D_k grad Y_k + Y_k sum(rho D_j grad Y_j), whose second part makes their sum zero: the set
that S3D solves (J. H. Chen et al., Comput. Sci. Discov. 2 (2009) 015001, section 2), with constant
Lewis numbers.

In: a state and its primitives. Out: its rate of change.
"""

from __future__ import annotations

import numpy as np

from . import boundary, kinetics, thermo, transport
from .axes import AXES, COMPONENT, Array
from .line_operator import LineOperator
from .state import ENERGY, MOMENTUM, SPECIES, Primitives

_U, _T, _Y = slice(0, 3), 3, slice(4, None)  # places in a gradient's stack
_AXIS = {component: axis for axis, component in COMPONENT.items()}
_MASSES = thermo.MOLAR_MASSES[:-1, None, None, None]
_DIFFUSIVITIES = 1.0 / transport.LEWIS


class Equations:
    """Right-hand sides on one block. Calls are collective."""

    def __init__(
        self, derivatives: dict[int, LineOperator], outflows: list[boundary.Outflow]
    ) -> None:
        self._derivatives = derivatives
        self._outflows = outflows

    def rate(self, state: Array, now: Primitives) -> Array:
        """d(state)/dt, a new array."""
        gradients = self._gradients(now)
        change = self._transport(state, now, gradients)
        for outflow in self._outflows:
            outflow.correct(change, now)
        active = kinetics.reacting(now.temperature, now.fractions)
        if active.any():
            rates = kinetics.production_rates(now.temperature, now.density, now.fractions, active)
            change[SPECIES] += _MASSES * rates[:-1]
        return change

    def _gradients(self, now: Primitives) -> dict[int, Array]:
        """Of velocity, temperature and all mass fractions but that of N2, by axis."""
        stack = np.concatenate([now.velocity, now.temperature[None], now.fractions[:-1]])
        return {axis: self._derivatives[axis](stack) for axis in AXES}

    def _transport(self, state: Array, now: Primitives, gradients: dict[int, Array]) -> Array:
        """Minus the divergence of all fluxes."""
        conductivity = transport.conductivity_over_cp(now.temperature)
        viscosity = transport.PRANDTL * conductivity
        enthalpies = thermo.species_enthalpies(now.temperature)
        enthalpies = enthalpies[:-1] - enthalpies[-1]  # what is carried when N2 goes back for it
        dilatation = sum(gradients[axis][COMPONENT[axis]] for axis in AXES)
        change = np.zeros_like(state)
        for axis in AXES:
            i = COMPONENT[axis]
            normal = now.velocity[i]
            diffusive = np.zeros_like(state)
            stress = self._stress(i, viscosity, gradients, dilatation)
            diffusive[MOMENTUM] = stress
            diffusive[ENERGY] = np.einsum("i...,i...", stress, now.velocity)
            diffusive[ENERGY] += conductivity * now.cp * gradients[axis][_T]
            diffusion = _diffusion(gradients[axis][_Y], now.fractions)
            diffusion *= conductivity
            diffusive[SPECIES] = diffusion
            diffusion *= enthalpies
            diffusive[ENERGY] += diffusion.sum(axis=0)
            flux = state * normal
            flux[1 + i] += now.pressure
            flux[ENERGY] += now.pressure * normal
            flux -= diffusive
            change -= self._derivatives[axis](flux)
            for outflow in self._outflows:
                if outflow.axis == axis:
                    outflow.stop_diffusion(change, diffusive)
        return change

    @staticmethod
    def _stress(i: int, viscosity: Array, gradients: dict[int, Array], dilatation: Array) -> Array:
        """Row i of the viscous stress, (3, ...)."""
        stress = gradients[_AXIS[i]][_U].copy()
        for j in range(3):
            stress[j] += gradients[_AXIS[j]][i]
        stress[i] -= (2.0 / 3.0) * dilatation
        stress *= viscosity
        return stress


def _diffusion(gradients: Array, fractions: Array) -> Array:
    """-J over lambda/cp of all species but N2, from their gradients along one axis; in place."""
    # The gradient of N2's fraction is minus the sum of the others'.
    weights = _DIFFUSIVITIES[:-1] - _DIFFUSIVITIES[-1]
    total = np.tensordot(weights, gradients, 1)
    gradients *= _DIFFUSIVITIES[:-1, None, None, None]
    gradients -= fractions[:-1] * total
    return gradients


def heat_release(now: Primitives) -> Array:
    """Heat that reactions release, W/m^3. Not collective."""
    active = kinetics.reacting(now.temperature, now.fractions)
    rates = kinetics.production_rates(now.temperature, now.density, now.fractions, active)
    return kinetics.heat_release(now.temperature, rates)
