"""Net production rates of the species by mass action.

The logarithms of a forward and of a reverse rate constant are linear in 1, ln T, 1/T, T, .. T^4:
the Arrhenius law in the first three, the equilibrium constant, by NASA's polynomials, in all. So
the constants of all reactions are one matrix product and one exponential.

In: temperature, density, mass fractions. Out: molar production rates, heat release.
"""

from __future__ import annotations

import math

import numpy as np

from .axes import Array
from .mechanism import (
    ATMOSPHERE,
    GAS_CONSTANT,
    MIDDLE_TEMPERATURE,
    NAMES,
    REACTIONS,
    SPECIES,
    Arrhenius,
    Falloff,
    Polynomial,
)
from .thermo import MOLAR_MASSES, species_enthalpies

# Where it is colder than this and no radical is about, nothing reacts: initiation of H2 + O2 takes
# longer than years.
COLD = 700.0  # K
NO_RADICALS = 1e-9  # mass fraction
_RADICALS = [NAMES.index(name) for name in ("H", "O", "OH", "HO2", "H2O2")]
# Points worked on at once: their rate constants stay in a core's second-level cache.
_POINTS_AT_ONCE = 2048


def _arrhenius_row(rate: Arrhenius) -> list[float]:
    return [math.log(rate.factor), rate.exponent, -rate.temperature, 0.0, 0.0, 0.0, 0.0]


def _gibbs_row(polynomial: Polynomial) -> list[float]:
    """g/(R T) at one atmosphere."""
    a1, a2, a3, a4, a5, a6, a7 = polynomial
    return [a1 - a7, -a1, a6, -a2 / 2, -a3 / 6, -a4 / 12, -a5 / 20]


def _counts(side: tuple[str, ...]) -> Array:
    return np.array([side.count(name) for name in NAMES], dtype=np.float64)


_CHANGES = np.array([_counts(r.products) - _counts(r.reactants) for r in REACTIONS])  # (29, 10)
_REACTANTS = [[NAMES.index(name) for name in r.reactants] for r in REACTIONS]
_PRODUCTS = [[NAMES.index(name) for name in r.products] for r in REACTIONS]
_WITH_COLLIDERS = [i for i, r in enumerate(REACTIONS) if r.efficiencies is not None]
_EFFICIENCIES = np.array(
    [[(REACTIONS[i].efficiencies or {}).get(name, 1.0) for name in NAMES] for i in _WITH_COLLIDERS]
)


def _log_constants(ranges: list[Polynomial]) -> Array:
    """(2 * 29, 7): to the logarithms of all forward, then all reverse constants."""
    forward = np.array([_arrhenius_row(r.rate) for r in REACTIONS])
    # ln Kc = -sum(nu g/RT) + sum(nu) ln(p0/RT)
    equilibrium = -_CHANGES @ np.array([_gibbs_row(p) for p in ranges])
    moles = _CHANGES.sum(axis=1)
    equilibrium[:, 0] += moles * math.log(ATMOSPHERE / GAS_CONSTANT)
    equilibrium[:, 1] -= moles
    return np.concatenate([forward, forward - equilibrium])


_LOW, _HIGH = (_log_constants(p) for p in ([s.low for s in SPECIES], [s.high for s in SPECIES]))


def reacting(temperature: Array, fractions: Array) -> Array:
    """Where rates are worth computing, bool (...): warm, or with radicals."""
    radicals = fractions[_RADICALS].max(axis=0)
    result: Array = (temperature > COLD) | (radicals > NO_RADICALS)
    return result


def production_rates(temperature: Array, density: Array, fractions: Array, where: Array) -> Array:
    """Molar production rates of all species, mol/(m^3 s), (10, ...); 0 where `where` is false.

    Mass fractions below zero, which central differences leave in traces, react as zero.
    """
    rates = np.zeros_like(fractions)
    flat_rates = rates.reshape(len(NAMES), -1)
    flat = fractions.reshape(len(NAMES), -1)
    t, rho = temperature.reshape(-1), density.reshape(-1)
    hot = temperature > MIDDLE_TEMPERATURE
    for constants, part in ((_LOW, where & ~hot), (_HIGH, where & hot)):
        points = np.flatnonzero(part)
        for start in range(0, points.size, _POINTS_AT_ONCE):
            some = points[start : start + _POINTS_AT_ONCE]
            concentrations = np.maximum(flat[:, some], 0.0)
            concentrations *= rho[some]
            concentrations /= MOLAR_MASSES[:, None]
            flat_rates[:, some] = _rates(t[some], concentrations, constants)
    return rates


def heat_release(temperature: Array, rates: Array) -> Array:
    """Heat that reactions at these rates release at constant pressure, W/m^3, (...)."""
    enthalpies = species_enthalpies(temperature)
    enthalpies *= rates
    return -np.tensordot(MOLAR_MASSES, enthalpies, 1)


def _rates(temperature: Array, concentrations: Array, log_constants: Array) -> Array:
    """(10, n) rates at n points, all in one range of temperature."""
    basis = np.empty((7, temperature.size))
    basis[0] = 1.0
    np.log(temperature, out=basis[1])
    np.divide(1.0, temperature, out=basis[2])
    basis[3] = temperature
    for i in (4, 5, 6):
        np.multiply(basis[i - 1], temperature, out=basis[i])
    constants = log_constants @ basis
    np.exp(constants, out=constants)
    progress, reverse = constants[: len(REACTIONS)], constants[len(REACTIONS) :]
    colliders = _EFFICIENCIES @ concentrations
    for i, reaction in enumerate(REACTIONS):
        if reaction.falloff:
            m = colliders[_WITH_COLLIDERS.index(i)]
            # Before `progress` turns from constants into rates.
            m[...] = _falloff(reaction.falloff, temperature, basis, progress[i], m)
        for species in _REACTANTS[i]:
            progress[i] *= concentrations[species]
        for species in _PRODUCTS[i]:
            reverse[i] *= concentrations[species]
    progress -= reverse
    progress[_WITH_COLLIDERS] *= colliders
    rates: Array = _CHANGES.T @ progress
    return rates


def _falloff(falloff: Falloff, t: Array, basis: Array, high: Array, colliders: Array) -> Array:
    """Rate constant over its high-pressure limit, by Troe's formula (Gilbert et al. 1983)."""
    low = np.exp(_arrhenius_row(falloff.low)[:3] @ basis[:3])
    reduced = low * colliders / high
    a, t3, t1, t2 = falloff.troe
    centre = np.log10((1 - a) * np.exp(-t / t3) + a * np.exp(-t / t1) + np.exp(-t2 / t))
    shifted = np.log10(np.maximum(reduced, 1e-300)) - 0.4 - 0.67 * centre
    width = 0.75 - 1.27 * centre - 0.14 * shifted
    return reduced / (1 + reduced) * 10.0 ** (centre / (1 + (shifted / width) ** 2))
