"""Random numbers that depend on places alone, the same for any number of ranks and blocks.

In: world coordinates, a seed. Out: numbers evenly distributed in 0..1, by the SplitMix64 finaliser
(G. Steele, D. Lea, C. Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def random_at(coordinates: Sequence[NDArray[Any]], seed: float) -> NDArray[np.float64]:
    """A number in [0, 1) for each place. coordinates: arrays that broadcast to one shape."""
    mixed = _mixed(np.array([seed], np.float64).view(np.uint64))
    for along in coordinates:
        # Adding 0 makes -0.0 and 0.0, the same place, the same bits.
        bits = np.ascontiguousarray(np.asarray(along, np.float64) + 0.0).view(np.uint64)
        mixed = _mixed(mixed ^ bits)
    return np.asarray((mixed >> np.uint64(11)) * 2.0**-53, np.float64)


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
