"""What the training of a block starts from.

In: a block, its range, the same block one step earlier if there is one. Out: first weights, and
the value that the network's 0 stands for.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from insitu.engines import for_model
from insitu.fields.neural_field import NeuralField
from insitu.models.base import Model

# Points at which the mean of a block is taken, and the weights of an earlier step are tried.
_PROBES = 2048
# The origin stays while the mean is within so much of the range.
_DRIFT = 0.1

Floats = NDArray[np.float64]


class Start(NamedTuple):
    """First weights (n_params,), the origin (n_components,), whether they are an earlier step's."""

    params: NDArray[np.float32]
    origin: Floats
    warm: bool


def choose_start(
    sampler: Any, network: Model, own: Floats, seed: int, previous: NeuralField | None
) -> Start:
    """The weights of `previous` where they say more of the block than a constant would.

    They do not where its network has another shape, or has lost all its ReLUs in a quiet phase:
    then no gradient brings them back. own: the block's range (n_components, 2).

    The origin is the block's mean: a network without biases learns what is close to 0 soonest, and
    that should be most of the block (3 to 4 dB at equal time over the minimum).
    """
    extent = np.nan_to_num(own[:, 1] - own[:, 0])
    engine = for_model(network)
    points = engine.draw(seed, 0.0, 1.0, 0, _PROBES)
    values = sampler.sample(points).astype(np.float64)
    finite = np.isfinite(values)
    valid = finite.all(axis=1)
    mean = np.where(finite, values, 0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
    # A constant stays exact.
    origin = np.where((extent > 0) & finite.any(axis=0), mean, own[:, 0])
    cold = Start(network.initial(seed), origin, False)
    if previous is None or previous.network != network or not valid.any():
        return cold
    warm = _continued(network, previous, origin, extent)
    if warm is None:
        return cold
    inverse = np.divide(1, extent, out=np.zeros_like(extent), where=extent > 0)
    targets = (values[valid] - warm.origin) * inverse  # (n, n_components)
    outputs = engine.evaluate(network, warm.params, points[valid])
    # Squares, not absolute values: where most of a block is constant, the constant's absolute
    # error is small, and what a network knows of the rest would not count.
    useful = np.square(outputs - targets).mean() < targets.var(axis=0).mean()
    return warm if useful else cold


def _continued(
    network: Model, previous: NeuralField, origin: Floats, extent: Floats
) -> Start | None:
    """The function of the step before, in units of the present range; None where the model cannot
    give it."""
    before = previous.range[:, 1] - previous.range[:, 0]
    changed = (before > 0) & (extent > 0)
    unit = np.divide(before, extent, out=np.ones_like(extent), where=changed)
    params = network.scaled(previous.params, unit)
    if params is None:
        return None
    near = np.abs(origin - previous.zero) <= _DRIFT * extent
    return Start(params, np.where(near & changed, previous.zero, origin), True)
