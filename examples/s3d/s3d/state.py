"""The conserved variables of a block, and the primitive ones that they stand for.

A state is a stack (14, nz, ny, nx): density; momentum along x, y, z; total energy, that of
formation included; partial densities of all species but the last, N2, which is what is left.

In: primitives, or a state. Out: a state, or `Primitives`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import thermo
from .axes import Array
from .mechanism import NAMES

DENSITY, ENERGY = 0, 4
MOMENTUM = slice(1, 4)  # x, y, z
SPECIES = slice(5, 5 + len(NAMES) - 1)
N_VARIABLES = SPECIES.stop


@dataclass(frozen=True)
class Primitives:
    """What a state means, at every point.

    Attributes:
        density: kg/m^3.
        velocity: (3, ...), m/s, along x, y, z.
        fractions: mass fractions (10, ...) of all species; their sum is 1.
        temperature: K.
        pressure: Pa.
        cp: J/(kg K).
        gas_constant: of the mixture, J/(kg K).
    """

    density: Array
    velocity: Array
    fractions: Array
    temperature: Array
    pressure: Array
    cp: Array
    gas_constant: Array

    @property
    def sound_speed(self) -> Array:
        """m/s."""
        gamma = self.cp / (self.cp - self.gas_constant)
        result: Array = np.sqrt(gamma * self.gas_constant * self.temperature)
        return result


def primitives(state: Array, guess: Array) -> Primitives:
    """Decode a state; `guess` is a temperature near that of the state.

    Raises ArithmeticError where the state is not one of a gas.
    """
    density = state[DENSITY]
    volume = 1.0 / density
    velocity = state[MOMENTUM] * volume
    fractions = np.empty((len(NAMES), *density.shape))
    np.multiply(state[SPECIES], volume, out=fractions[:-1])
    np.sum(fractions[:-1], axis=0, out=fractions[-1])
    np.subtract(1.0, fractions[-1], out=fractions[-1])
    energy = state[ENERGY] * volume
    energy -= 0.5 * np.einsum("i...,i...", velocity, velocity)
    mixture = thermo.from_energy(energy, fractions, guess)
    pressure = density * mixture.gas_constant
    pressure *= mixture.temperature
    return Primitives(
        density,
        velocity,
        fractions,
        mixture.temperature,
        pressure,
        mixture.cp,
        mixture.gas_constant,
    )


def conserved(pressure: Array, temperature: Array, velocity: Array, fractions: Array) -> Array:
    """The state of a gas at `pressure` (Pa) and `temperature` (K), (...) each."""
    specific = thermo.gas_constant(fractions)
    density = pressure / (specific * temperature)
    state = np.empty((N_VARIABLES, *density.shape))
    state[DENSITY] = density
    state[MOMENTUM] = density * velocity
    energy = thermo.enthalpy(temperature, fractions) - specific * temperature
    energy += 0.5 * np.einsum("i...,i...", velocity, velocity)
    state[ENERGY] = density * energy
    state[SPECIES] = density * fractions[:-1]
    return state
