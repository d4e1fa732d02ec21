"""Thermodynamics of the ideal-gas mixture from NASA's polynomials.

Polynomials are linear in their coefficients, so those of a mixture are the species' times the mass
fractions: one small matrix product, then a single polynomial in place of ten.

In: mass fractions (10, ...), temperature or internal energy. Out: gas constant, cp, h, T.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .axes import Array
from .mechanism import GAS_CONSTANT, MIDDLE_TEMPERATURE, SPECIES, Polynomial

MOLAR_MASSES = np.array([species.molar_mass for species in SPECIES])  # kg/mol
GAS_CONSTANTS = GAS_CONSTANT / MOLAR_MASSES  # J/(kg K)

_TOLERANCE = 1e-9  # K; a thousand times what rounding leaves
_MOST_ITERATIONS = 30
# After so many the range stays: the two do not meet exactly, and Newton's method could step from
# one into the other without end.
_CHOOSING = 6


class Thermal(NamedTuple):
    """`temperature` (K), `cp` (J/(kg K)) and `gas_constant` (J/(kg K)) of a mixture, each (...)."""

    temperature: Array
    cp: Array
    gas_constant: Array


def _enthalpy_rows(polynomial: Polynomial) -> list[float]:
    """h/R = d1 T + d2 T^2 + .. + d5 T^5 + d6."""
    a1, a2, a3, a4, a5, a6, _ = polynomial
    return [a1, a2 / 2, a3 / 3, a4 / 4, a5 / 5, a6]


# (6, 10) each: mass fractions to the coefficients of a mixture's h, J/kg.
_LOW, _HIGH = (
    np.array([_enthalpy_rows(p) for p in ranges]).T * GAS_CONSTANTS
    for ranges in ([s.low for s in SPECIES], [s.high for s in SPECIES])
)
_BOTH = np.concatenate([_LOW, _HIGH])


def gas_constant(fractions: Array) -> Array:
    """R of the mixture, J/(kg K), (...)."""
    return np.tensordot(GAS_CONSTANTS, fractions, 1)


def enthalpy(temperature: Array, fractions: Array) -> Array:
    """Specific enthalpy with that of formation, J/kg, (...)."""
    return _enthalpy(temperature, _choose(temperature, _coefficients(fractions)))


def heat_capacity(temperature: Array, fractions: Array) -> Array:
    """cp, J/(kg K), (...)."""
    return _heat_capacity(temperature, _choose(temperature, _coefficients(fractions)))


def species_enthalpies(temperature: Array) -> Array:
    """Specific enthalpies of all species, J/kg, (10, ...)."""
    flat = temperature.reshape(-1)
    powers = np.empty((6, flat.size))
    powers[0] = flat
    for i in range(1, 5):
        np.multiply(powers[i - 1], flat, out=powers[i])
    powers[5] = 1.0
    low, high = _LOW.T @ powers, _HIGH.T @ powers
    np.copyto(low, high, where=flat > MIDDLE_TEMPERATURE)
    return low.reshape(-1, *temperature.shape)


def from_energy(energy: Array, fractions: Array, guess: Array) -> Thermal:
    """The mixture at a specific internal energy (J/kg, with that of formation), by Newton's method.

    `guess` is a temperature near the solution. Raises ArithmeticError where there is no solution
    near by, which is how a run that has gone unstable shows.
    """
    both = _coefficients(fractions)
    specific = gas_constant(fractions)
    temperature = guess
    for i in range(_MOST_ITERATIONS):
        if i < _CHOOSING:
            chosen = _choose(temperature, both)
        cp = _heat_capacity(temperature, chosen)
        excess = _enthalpy(temperature, chosen)
        excess -= specific * temperature
        excess -= energy
        excess /= cp - specific
        temperature = temperature - excess
        largest = max(excess.max(initial=0.0), -excess.min(initial=0.0))
        if largest < _TOLERANCE:
            return Thermal(temperature, cp, specific)
        if not largest < 1e5:
            break
    raise ArithmeticError("no temperature has this energy; the run has become unstable")


def _coefficients(fractions: Array) -> Array:
    """Those of h in the low range and in the high range, (2, 6, ...)."""
    flat = fractions.reshape(len(SPECIES), -1)
    return (_BOTH @ flat).reshape(2, 6, *fractions.shape[1:])


def _choose(temperature: Array, both: Array) -> Array:
    return np.where(temperature > MIDDLE_TEMPERATURE, both[1], both[0])


def _enthalpy(temperature: Array, d: Array) -> Array:
    value = d[4] * temperature
    for i in (3, 2, 1, 0):
        value += d[i]
        value *= temperature
    value += d[5]
    return value


def _heat_capacity(temperature: Array, d: Array) -> Array:
    value = (5.0 * d[4]) * temperature
    for i in (3, 2, 1):
        value += (i + 1.0) * d[i]
        value *= temperature
    value += d[0]
    return value
