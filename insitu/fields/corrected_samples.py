"""The samples of a block that is a network and a correction: exact where both are known.

In: a network's values at any samples, its correction. Out: single samples, read for `Trilinear`.

A network is smooth between samples where its correction is not, and what it misses there is no less
than at the samples: their sum would be as wrong between samples as the network alone. Between
corrected samples a field is therefore interpolated, which keeps what is promised at these.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from insitu.core.arrays import Floats, Indices
from insitu.fields.trilinear import Samples


class CorrectedSamples:
    """The sums, by index. Not thread-safe: one per call."""

    def __init__(self, model: Callable[[Indices, Indices, Indices], Floats], correction: Samples):
        """model: values at indices (n,) of z, y, x -> (n, n_components), float64."""
        self._model, self._correction = model, correction
        self._known: tuple[list[Indices], Floats] | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        return self._correction.shape

    @property
    def n_components(self) -> int:
        return self._correction.n_components

    def at(self, component: int, z: Indices, y: Indices, x: Indices) -> Floats:
        """Samples at indices (n,) of each axis -> (n,). The network is evaluated once for all
        components of the same samples."""
        indices = [z, y, x]
        if self._known is None or not all(map(np.array_equal, self._known[0], indices)):
            self._known = indices, self._model(z, y, x)
        return self._known[1][:, component] + self._correction.at(component, z, y, x)
