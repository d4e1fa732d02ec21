"""The hydrogen-oxygen part of GRI-Mech 3.0: ten species, 29 reactions, as published.

G. P. Smith et al., GRI-Mech 3.0, http://combustion.berkeley.edu/gri-mech/ (1999), reactions without
carbon and with nitrogen and argon as inert colliders: what Cantera distributes as `h2o2.yaml`, in
the same order. Rate constants in mol, cm, s, cal as published, and read into SI below.

In: nothing. Out: `SPECIES` (molar masses, NASA polynomials) and `REACTIONS`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

GAS_CONSTANT = 8.314462618  # J/(mol K), CODATA 2018
ATMOSPHERE = 101325.0  # Pa; the pressure that standard entropies refer to
MIDDLE_TEMPERATURE = 1000.0  # K, where all polynomials change from the low to the high range

_CALORIE = 4.184  # J
_ATOMIC_MASS = {"H": 1.008e-3, "O": 15.999e-3, "N": 14.007e-3, "Ar": 39.95e-3}  # kg/mol

Polynomial = tuple[float, float, float, float, float, float, float]


@dataclass(frozen=True)
class Species:
    """A species: `composition` counts atoms; `low` and `high` are NASA's seven coefficients.

    cp/R = a1 + a2 T + .. + a5 T^4, h/(R T) = a1 + a2/2 T + .. + a6/T, s/R = a1 ln T + .. + a7,
    below and above MIDDLE_TEMPERATURE (200 or 300 K to 3500 K at least).
    """

    name: str
    composition: dict[str, int]
    low: Polynomial
    high: Polynomial

    @property
    def molar_mass(self) -> float:
        """kg/mol."""
        return sum(_ATOMIC_MASS[element] * n for element, n in self.composition.items())


@dataclass(frozen=True)
class Arrhenius:
    """k = factor T^exponent exp(-temperature / T); `factor` in m^3, mol, s, `temperature` in K."""

    factor: float
    exponent: float
    temperature: float


@dataclass(frozen=True)
class Falloff:
    """Low-pressure limit and Troe's parameters A, T3, T1, T2 (K)."""

    low: Arrhenius
    troe: tuple[float, float, float, float]


@dataclass(frozen=True)
class Reaction:
    """A reversible reaction; species are named once for each molecule.

    `efficiencies` of the third body M, 1 where not named; None without M. With `falloff`, `rate`
    is the high-pressure limit.
    """

    reactants: tuple[str, ...]
    products: tuple[str, ...]
    rate: Arrhenius
    efficiencies: dict[str, float] | None = None
    falloff: Falloff | None = None


SPECIES = (
    Species(
        "H2", {"H": 2},
        (2.34433112, 7.98052075e-03, -1.9478151e-05, 2.01572094e-08, -7.37611761e-12,
         -917.935173, 0.683010238),
        (3.3372792, -4.94024731e-05, 4.99456778e-07, -1.79566394e-10, 2.00255376e-14,
         -950.158922, -3.20502331),
    ),
    Species(
        "H", {"H": 1},
        (2.5, 7.05332819e-13, -1.99591964e-15, 2.30081632e-18, -9.27732332e-22,
         2.54736599e04, -0.446682853),
        (2.50000001, -2.30842973e-11, 1.61561948e-14, -4.73515235e-18, 4.98197357e-22,
         2.54736599e04, -0.446682914),
    ),
    Species(
        "O", {"O": 1},
        (3.1682671, -3.27931884e-03, 6.64306396e-06, -6.12806624e-09, 2.11265971e-12,
         2.91222592e04, 2.05193346),
        (2.56942078, -8.59741137e-05, 4.19484589e-08, -1.00177799e-11, 1.22833691e-15,
         2.92175791e04, 4.78433864),
    ),
    Species(
        "O2", {"O": 2},
        (3.78245636, -2.99673416e-03, 9.84730201e-06, -9.68129509e-09, 3.24372837e-12,
         -1063.94356, 3.65767573),
        (3.28253784, 1.48308754e-03, -7.57966669e-07, 2.09470555e-10, -2.16717794e-14,
         -1088.45772, 5.45323129),
    ),
    Species(
        "OH", {"O": 1, "H": 1},
        (3.99201543, -2.40131752e-03, 4.61793841e-06, -3.88113333e-09, 1.3641147e-12,
         3615.08056, -0.103925458),
        (3.09288767, 5.48429716e-04, 1.26505228e-07, -8.79461556e-11, 1.17412376e-14,
         3858.657, 4.4766961),
    ),
    Species(
        "H2O", {"H": 2, "O": 1},
        (4.19864056, -2.0364341e-03, 6.52040211e-06, -5.48797062e-09, 1.77197817e-12,
         -3.02937267e04, -0.849032208),
        (3.03399249, 2.17691804e-03, -1.64072518e-07, -9.7041987e-11, 1.68200992e-14,
         -3.00042971e04, 4.9667701),
    ),
    Species(
        "HO2", {"H": 1, "O": 2},
        (4.30179801, -4.74912051e-03, 2.11582891e-05, -2.42763894e-08, 9.29225124e-12,
         294.80804, 3.71666245),
        (4.0172109, 2.23982013e-03, -6.3365815e-07, 1.1424637e-10, -1.07908535e-14,
         111.856713, 3.78510215),
    ),
    Species(
        "H2O2", {"H": 2, "O": 2},
        (4.27611269, -5.42822417e-04, 1.67335701e-05, -2.15770813e-08, 8.62454363e-12,
         -1.77025821e04, 3.43505074),
        (4.16500285, 4.90831694e-03, -1.90139225e-06, 3.71185986e-10, -2.87908305e-14,
         -1.78617877e04, 2.91615662),
    ),
    Species(
        "AR", {"Ar": 1},
        (2.5, 0.0, 0.0, 0.0, 0.0, -745.375, 4.366),
        (2.5, 0.0, 0.0, 0.0, 0.0, -745.375, 4.366),
    ),
    Species(
        "N2", {"N": 2},
        (3.298677, 1.4082404e-03, -3.963222e-06, 5.641515e-09, -2.444854e-12,
         -1020.8999, 3.950372),
        (2.92664, 1.4879768e-03, -5.68476e-07, 1.0097038e-10, -6.753351e-15,
         -922.7977, 5.980528),
    ),
)  # fmt: skip

NAMES = tuple(species.name for species in SPECIES)

# Equation; A, b, E; efficiencies of M.
_TABLE = (
    ("2 O + M <=> O2 + M", (1.2e17, -1.0, 0.0), {"H2": 2.4, "H2O": 15.4, "AR": 0.83}),
    ("O + H + M <=> OH + M", (5.0e17, -1.0, 0.0), {"H2": 2.0, "H2O": 6.0, "AR": 0.7}),
    ("O + H2 <=> H + OH", (3.87e04, 2.7, 6260.0)),
    ("O + HO2 <=> OH + O2", (2.0e13, 0.0, 0.0)),
    ("O + H2O2 <=> OH + HO2", (9.63e06, 2.0, 4000.0)),
    ("H + O2 + M <=> HO2 + M", (2.8e18, -0.86, 0.0), {"O2": 0.0, "H2O": 0.0, "N2": 0.0, "AR": 0.0}),
    ("H + 2 O2 <=> HO2 + O2", (2.08e19, -1.24, 0.0)),
    ("H + O2 + H2O <=> HO2 + H2O", (1.126e19, -0.76, 0.0)),
    ("H + O2 + N2 <=> HO2 + N2", (2.6e19, -1.24, 0.0)),
    ("H + O2 + AR <=> HO2 + AR", (7.0e17, -0.8, 0.0)),
    ("H + O2 <=> O + OH", (2.65e16, -0.6707, 17041.0)),
    ("2 H + M <=> H2 + M", (1.0e18, -1.0, 0.0), {"H2": 0.0, "H2O": 0.0, "AR": 0.63}),
    ("2 H + H2 <=> 2 H2", (9.0e16, -0.6, 0.0)),
    ("2 H + H2O <=> H2 + H2O", (6.0e19, -1.25, 0.0)),
    ("H + OH + M <=> H2O + M", (2.2e22, -2.0, 0.0), {"H2": 0.73, "H2O": 3.65, "AR": 0.38}),
    ("H + HO2 <=> O + H2O", (3.97e12, 0.0, 671.0)),
    ("H + HO2 <=> O2 + H2", (4.48e13, 0.0, 1068.0)),
    ("H + HO2 <=> 2 OH", (8.4e13, 0.0, 635.0)),
    ("H + H2O2 <=> HO2 + H2", (1.21e07, 2.0, 5200.0)),
    ("H + H2O2 <=> OH + H2O", (1.0e13, 0.0, 3600.0)),
    ("OH + H2 <=> H + H2O", (2.16e08, 1.51, 3430.0)),
    ("2 OH (+M) <=> H2O2 (+M)", (7.4e13, -0.37, 0.0), {"H2": 2.0, "H2O": 6.0, "AR": 0.7}),
    ("2 OH <=> O + H2O", (3.57e04, 2.4, -2110.0)),
    ("OH + HO2 <=> O2 + H2O", (1.45e13, 0.0, -500.0)),
    ("OH + H2O2 <=> HO2 + H2O", (2.0e12, 0.0, 427.0)),
    ("OH + H2O2 <=> HO2 + H2O", (1.7e18, 0.0, 29410.0)),
    ("2 HO2 <=> O2 + H2O2", (1.3e11, 0.0, -1630.0)),
    ("2 HO2 <=> O2 + H2O2", (4.2e14, 0.0, 12000.0)),
    ("OH + HO2 <=> O2 + H2O", (5.0e15, 0.0, 17330.0)),
)
# Of the one reaction with (+M): A, b, E at low pressure; Troe's A, T3, T1, T2.
_LOW_PRESSURE = (2.3e18, -0.9, -1700.0)
_TROE = (0.7346, 94.0, 1756.0, 5182.0)


def _reaction(
    equation: str, rate: tuple[float, float, float], efficiencies: dict[str, float] | None = None
) -> Reaction:
    falloff = "(+M)" in equation
    reactants, products = (_molecules(side) for side in equation.split("<=>"))
    # M counts as a reactant in the unit of the factor, but not at the high-pressure limit.
    colliders = int(efficiencies is not None and not falloff)
    return Reaction(
        reactants,
        products,
        _arrhenius(rate, order=len(reactants) + colliders),
        efficiencies,
        Falloff(_arrhenius(_LOW_PRESSURE, order=len(reactants) + 1), _TROE) if falloff else None,
    )


def _molecules(side: str) -> tuple[str, ...]:
    names: list[str] = []
    for term in side.replace("(+M)", "").split("+"):
        match = re.fullmatch(r"(\d?) ?(\w+)", term.strip())
        assert match, f"cannot read {term!r} of {side!r}"
        if match[2] != "M":
            names += [match[2]] * int(match[1] or 1)
    return tuple(names)


def _arrhenius(rate: tuple[float, float, float], order: int) -> Arrhenius:
    factor, exponent, energy = rate
    return Arrhenius(factor * 1e-6 ** (order - 1), exponent, energy * _CALORIE / GAS_CONSTANT)


REACTIONS = tuple(_reaction(*row) for row in _TABLE)
