"""Hydrogen and air at rest but for a few large eddies, with a hot spot in the middle.

In: coordinates, and what the gas and the eddies are like. Out: velocity, temperature, composition.
"""

from __future__ import annotations

import numpy as np

from .axes import ALONG, Array
from .mechanism import NAMES
from .thermo import MOLAR_MASSES

# Mole fractions of dry air without its traces (U.S. Standard Atmosphere 1976, rounded).
_AIR = {"O2": 0.2095, "N2": 0.7812, "AR": 0.0093}

_MODES = 48
_MOST_WAVES = 3  # per length of the domain


def premixed(equivalence_ratio: float) -> Array:
    """Mass fractions (10,) of hydrogen in air; at ratio 1 it takes all of the oxygen."""
    moles = np.zeros(len(NAMES))
    for name, part in _AIR.items():
        moles[NAMES.index(name)] = part
    moles[NAMES.index("H2")] = 2.0 * equivalence_ratio * _AIR["O2"]
    masses = moles * MOLAR_MASSES
    result: Array = masses / masses.sum()
    return result


def hot_spot(points: tuple[Array, Array, Array], radius: float, cold: float, hot: float) -> Array:
    """Temperature (nz, ny, nx): `hot` within `radius` of the origin, smoothly `cold` outside.

    `points` are coordinates along z, y, x, here as below.
    """
    z, y, x = np.meshgrid(*points, indexing="ij")
    distance = np.sqrt(z**2 + y**2 + x**2)
    return cold + (hot - cold) * 0.5 * (1.0 - np.tanh(6.0 * (distance / radius - 1.0)))


def eddies(
    points: tuple[Array, Array, Array], lengths: tuple[float, float, float], rms: float, seed: int
) -> Array:
    """A velocity (3, nz, ny, nx) without divergence, of a few random waves; zero at open ends.

    It is the curl of a vector potential: at most 3 waves per length of the domain, periodic along x
    and z, times cos^2 along y. `lengths` of the domain along z, y, x; `rms`, m/s, of each component
    in the middle. The same for every decomposition.
    """
    random = np.random.default_rng(seed)
    lz, ly, lx = lengths
    z, y, x = (values.reshape(shape) for values, shape in zip(points, ALONG, strict=True))
    envelope = np.cos(np.pi * y / ly) ** 2
    slope = -np.pi / ly * np.sin(2.0 * np.pi * y / ly)
    velocity = np.zeros((3, *np.broadcast_shapes(x.shape, y.shape, z.shape)))
    scale = 0.0
    for _ in range(_MODES):
        waves = random.integers(-_MOST_WAVES, _MOST_WAVES + 1, 3)
        potential, phase = random.normal(size=3), random.uniform(0.0, 2.0 * np.pi)
        if not waves.any():
            continue
        k = 2.0 * np.pi * waves / (lx, ly, lz)
        potential /= (k @ k) ** 1.5  # most of the energy in the largest eddies
        argument = k[0] * x + k[1] * y + k[2] * z + phase
        # curl(w A cos) = -w sin(.) k x A + cos(.) grad w x A
        curl, across = np.cross(k, potential), np.cross((0.0, 1.0, 0.0), potential)
        sine, cosine = envelope * np.sin(argument), slope * np.cos(argument)
        for i in range(3):
            velocity[i] += across[i] * cosine - curl[i] * sine
        scale += 0.5 * (curl @ curl) / 3.0
    velocity *= rms / np.sqrt(scale)
    return velocity
