"""The reacting flow's thermodynamics and rates, against Cantera's for the mechanism it distributes.

In: random gases, and a reactor that ignites. Out: nothing but pass or fail.
"""

from __future__ import annotations

import numpy as np
import pytest
from s3d import kinetics, thermo
from s3d.initial import premixed
from s3d.mechanism import ATMOSPHERE, NAMES, REACTIONS, SPECIES
from scipy.integrate import solve_ivp

N = 300


@pytest.fixture
def cantera():
    return pytest.importorskip("cantera", reason="needs cantera, of the extra test")


@pytest.fixture
def gases() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Temperature (n,), pressure (n,) and mass fractions (10, n), on both sides of 1000 K."""
    random = np.random.default_rng(7)
    temperature = random.uniform(300.0, 3400.0, N)
    pressure = np.exp(random.uniform(np.log(5e4), np.log(2e6), N))
    return temperature, pressure, random.dirichlet(np.full(len(NAMES), 0.3), N).T.copy()


def at(gas, gases, quantity) -> np.ndarray:
    """Some quantity of Cantera's gas in each of the states, (..., n)."""
    values = []
    for temperature, pressure, fractions in zip(gases[0], gases[1], gases[2].T, strict=True):
        gas.TPY = temperature, pressure, fractions
        values.append(quantity(gas))
    return np.moveaxis(np.array(values), 0, -1)


def test_reactions_keep_the_atoms() -> None:
    for reaction in REACTIONS:
        for element in ("H", "O", "N", "Ar"):
            counts = [
                sum(SPECIES[NAMES.index(n)].composition.get(element, 0) for n in side)
                for side in (reaction.reactants, reaction.products)
            ]
            assert counts[0] == counts[1], (reaction, element)


def test_enthalpy_is_the_integral_of_heat_capacity(gases) -> None:
    temperature, _, fractions = gases
    rise = 0.01
    slope = (
        thermo.enthalpy(temperature + rise, fractions)
        - thermo.enthalpy(temperature - rise, fractions)
    ) / (2 * rise)
    np.testing.assert_allclose(slope, thermo.heat_capacity(temperature, fractions), rtol=2e-5)
    np.testing.assert_allclose(
        thermo.enthalpy(temperature, fractions),
        (thermo.species_enthalpies(temperature) * fractions).sum(axis=0),
        rtol=1e-12,
        atol=1e-3,
    )


def test_temperature_comes_back_from_energy(gases) -> None:
    temperature, _, fractions = gases
    energy = thermo.enthalpy(temperature, fractions)
    energy -= thermo.gas_constant(fractions) * temperature
    found = thermo.from_energy(energy, fractions, np.full(N, 900.0))
    np.testing.assert_allclose(found.temperature, temperature, rtol=1e-8)
    np.testing.assert_allclose(found.cp, thermo.heat_capacity(temperature, fractions), rtol=1e-7)


def test_energy_of_no_gas_is_refused(gases) -> None:
    temperature, _, fractions = gases
    with pytest.raises(ArithmeticError, match="unstable"):
        thermo.from_energy(np.full(N, np.nan), fractions, temperature)


def test_thermodynamics_are_canteras(cantera, gases) -> None:
    gas = cantera.Solution("h2o2.yaml")
    assert tuple(gas.species_names) == NAMES
    temperature, _, fractions = gases
    np.testing.assert_allclose(thermo.MOLAR_MASSES, gas.molecular_weights / 1e3, rtol=1e-12)
    cp = at(gas, gases, lambda gas: gas.cp_mass)
    enthalpy = at(gas, gases, lambda gas: gas.enthalpy_mass)
    np.testing.assert_allclose(thermo.heat_capacity(temperature, fractions), cp, rtol=1e-9)
    # Enthalpies cross zero; their differences are what counts.
    ours = thermo.enthalpy(temperature, fractions)
    np.testing.assert_allclose(ours, enthalpy, rtol=1e-9, atol=1e-9 * np.abs(enthalpy).max())


def test_production_rates_and_heat_release_are_canteras(cantera, gases) -> None:
    gas = cantera.Solution("h2o2.yaml")
    temperature, _, fractions = gases
    density = at(gas, gases, lambda gas: gas.density)
    rates = kinetics.production_rates(temperature, density, fractions, np.ones(N, dtype=bool))
    # A net rate is a difference; what it is a difference of sets the scale of rounding.
    gross = at(gas, gases, lambda gas: gas.creation_rates + gas.destruction_rates)
    net = at(gas, gases, lambda gas: gas.net_production_rates)
    difference = np.abs(rates - 1e3 * net)
    assert (difference <= 1e-6 * 1e3 * gross).all()
    heat = at(gas, gases, lambda gas: gas.heat_release_rate)
    np.testing.assert_allclose(kinetics.heat_release(temperature, rates), heat, rtol=1e-6)


def test_only_chosen_points_react() -> None:
    temperature = np.array([[300.0, 1500.0], [500.0, 900.0]])
    fractions = np.broadcast_to(premixed(1.0)[:, None, None], (10, 2, 2)).copy()
    np.testing.assert_array_equal(
        kinetics.reacting(temperature, fractions), [[False, True], [False, True]]
    )
    fractions[NAMES.index("H"), 0, 0] = 1e-6  # a radical is enough
    where = kinetics.reacting(temperature, fractions)
    assert where[0, 0]
    rates = kinetics.production_rates(temperature, np.ones((2, 2)), fractions, where)
    assert (rates[:, 1, 0] == 0.0).all()
    assert (rates[NAMES.index("HO2")][where] > 0.0).all()


def test_what_is_left_out_is_nothing() -> None:
    """Fresh gas just below the threshold, over a million times the length of a run."""
    fresh = premixed(1.0)[:, None]
    everywhere = np.ones(1, dtype=bool)
    rates = kinetics.production_rates(np.array([699.0]), np.array([0.4]), fresh, everywhere)
    assert np.abs(rates).max() * 30.0 / 0.4 * 0.018 < 1e-3


@pytest.mark.parametrize(("start", "ratio"), [(1100.0, 1.0), (1500.0, 0.5)])
def test_a_reactor_ignites_when_canteras_does(cantera, start: float, ratio: float) -> None:
    """At constant pressure; within half a per cent of the delay, and to the same flame."""

    def change(_: float, y: np.ndarray) -> np.ndarray:
        temperature, fractions = y[:1], y[1:, None]
        density = ATMOSPHERE / (thermo.gas_constant(fractions) * temperature)
        rates = kinetics.production_rates(temperature, density, fractions, np.ones(1, dtype=bool))
        heating = kinetics.heat_release(temperature, rates)
        heating /= density * thermo.heat_capacity(temperature, fractions)
        return np.concatenate([heating, rates[:, 0] * thermo.MOLAR_MASSES / density])

    end = 1e-3
    solution = solve_ivp(
        change,
        (0.0, end),
        np.concatenate([[start], premixed(ratio)]),
        method="BDF",
        rtol=1e-6,
        atol=1e-12,
        dense_output=True,
    )
    times = np.linspace(0.0, end, 20001)
    ours = times[np.argmax(np.gradient(solution.sol(times)[0]))]

    gas = cantera.Solution("h2o2.yaml")
    gas.TPY = start, ATMOSPHERE, premixed(ratio)
    reactor = cantera.IdealGasConstPressureReactor(gas, clone=False)
    network = cantera.ReactorNet([reactor])
    temperatures = []
    for time in times[1:]:
        network.advance(time)
        temperatures.append(reactor.T)
    theirs = times[1:][np.argmax(np.gradient(temperatures))]
    assert ours == pytest.approx(theirs, rel=0.005, abs=2 * times[1])
    assert solution.y[0, -1] == pytest.approx(temperatures[-1], rel=1e-3)
