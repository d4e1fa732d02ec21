"""Sample points of training: uniform in the unit cube, and close to its faces.

In: seed, iteration, index in the batch. Out: points. Counter-based: no state, and the same points
on every engine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]
Words = NDArray[np.uint32]


def boundary_samples(share: float, batch: int) -> int:
    """Number of samples of a batch, the first ones, that are close to the faces."""
    return int(float(np.float32(share)) * batch + 0.5)


def draw(seed: int, share: float, sigma: float, iteration: int, batch: int) -> Singles:
    """The batch (batch, 3) of one iteration: the fraction `share` close to the faces, the rest
    uniform.

    DVNR eq. (2): the distance from a face is half-Gaussian with standard deviation `sigma`, in
    units of the box; the face is random, the other two coordinates are uniform.
    """
    counter = np.zeros((batch, 3), np.uint32)
    counter[:, 0] = np.arange(batch)
    counter[:, 1] = iteration % 2**32
    counter[:, 2] = seed
    bits = pcg3d(counter)
    points = _uniform(bits)
    n = boundary_samples(share, batch)
    more = pcg3d(bits[:n])
    # Box-Muller; u1 is in (0, 1].
    u1, u2 = _uniform(more[:, 1]) + np.float32(2.0**-24), _uniform(more[:, 2])
    half_normal = np.sqrt(-2 * np.log(u1)) * np.abs(np.cos(2 * np.pi * u2))
    distance = np.minimum(half_normal * np.float32(sigma), 1).astype(np.float32)
    face = more[:, 0] % 6
    points[np.arange(n), face // 2] = np.where(face % 2 == 1, 1 - distance, distance)
    return points


def pcg3d(words: Words) -> Words:
    """Hash of 3 integers to 3 integers, (n, 3) -> (n, 3): Jarzynski and Olano, "Hash Functions for
    GPU Rendering", JCGT 2020."""
    v = words * np.uint32(1664525) + np.uint32(1013904223)
    _mix(v)
    v ^= v >> np.uint32(16)
    _mix(v)
    return v


def _mix(v: Words) -> None:
    v[:, 0] += v[:, 1] * v[:, 2]
    v[:, 1] += v[:, 2] * v[:, 0]
    v[:, 2] += v[:, 0] * v[:, 1]


def _uniform(bits: Words) -> NDArray[Any]:
    """Uniform in [0, 1), 24 bits."""
    return (bits >> np.uint32(8)).astype(np.float32) / np.float32(2**24)
