"""Simplified transport: one power law of temperature, constant Prandtl and Lewis numbers.

M. D. Smooke, V. Giovangigli, "Formulation of the premixed and nonpremixed test problems", Lecture
Notes in Physics 384 (1991): lambda/cp = 2.58e-5 kg/(m s) (T / 298 K)^0.7, Pr = 0.75, and the Lewis
numbers below. Argon, which they leave out, has that of O2: in nitrogen the two diffuse alike.

In: temperature. Out: lambda/cp; the numbers that turn it into viscosity and diffusivities.
"""

from __future__ import annotations

import numpy as np

from .axes import Array
from .mechanism import NAMES

PRANDTL = 0.75
_LEWIS = {
    "H2": 0.30, "H": 0.18, "O": 0.70, "O2": 1.11, "OH": 0.73,
    "H2O": 0.83, "HO2": 1.10, "H2O2": 1.12, "AR": 1.11, "N2": 1.00,
}  # fmt: skip
LEWIS = np.array([_LEWIS[name] for name in NAMES])


def conductivity_over_cp(temperature: Array) -> Array:
    """lambda/cp, kg/(m s): the viscosity is PRANDTL times that, rho D of a species 1/LEWIS."""
    return 2.58e-5 * (temperature / 298.0) ** 0.7
