"""Smooth arrays to compress."""

from __future__ import annotations

import numpy as np


def waves(shape: tuple[int, ...], dtype: type = np.float32) -> np.ndarray:
    """A sum of sines over the unit box, of any number of axes, range about -1.5..1.5."""
    axes = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    values = np.zeros(shape)
    for k, axis in enumerate(axes):
        values += 0.5 * np.sin((3 + k) * axis + 0.3 * k)
    return values.astype(dtype)
