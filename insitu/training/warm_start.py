"""What the training of a block starts from.

In: a block, its range, the same block one step earlier if there is one. Out: first weights, and
the value that the model's 0 stands for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from insitu.fields.model_field import ModelField
from insitu.models.base import Model
from insitu.training.job import TrainingJob

# Points at which the mean of a block is taken, and the weights of an earlier step are tried.
_PROBES = 2048
# The origin stays while the mean is within so much of the range.
_DRIFT = 0.1

Floats = NDArray[np.float64]


class InitialState(NamedTuple):
    """First weights (n_params,), the origin (n_components,), whether they are an earlier step's."""

    params: NDArray[np.float32]
    origin: Floats
    warm: bool


def choose_start(job: TrainingJob, model: Model) -> InitialState:
    """The weights of the step before where they say more of the block than a constant would.

    They do not where its model has another shape, or an MLP has lost all its ReLUs in a quiet
    phase: then no gradient brings them back.

    The origin is the block's mean: a network without biases learns what is close to 0 soonest, and
    that should be most of the block (3 to 4 dB at equal time over the minimum).
    """
    own, extent = job.own.range, job.extent
    previous = job.earlier if job.options.warm_start else None
    points = job.engine.draw(job.options.seed, 0.0, 1.0, 0, _PROBES)
    values = job.sampler.sample(points).astype(np.float64)
    finite = np.isfinite(values)
    valid = finite.all(axis=1)
    mean = np.where(finite, values, 0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
    # A constant stays exact.
    origin = np.where((extent > 0) & finite.any(axis=0), mean, own[:, 0])
    cold = InitialState(model.initial(job.options.seed), origin, False)
    if previous is None or previous.model != model or not valid.any():
        return cold
    warm = _continued(model, previous, origin, extent)
    if warm is None:
        return cold
    inverse = np.divide(1, extent, out=np.zeros_like(extent), where=extent > 0)
    targets = (values[valid] - warm.origin) * inverse  # (n, n_components)
    outputs = job.engine.evaluate(model, warm.params, points[valid])
    # Squares, not absolute values: where most of a block is constant, the constant's absolute
    # error is small, and what a network knows of the rest would not count.
    useful = np.square(outputs - targets).mean() < targets.var(axis=0).mean()
    return warm if useful else cold


def _continued(
    model: Model, previous: ModelField, origin: Floats, extent: Floats
) -> InitialState | None:
    """The function of the step before, in units of the present range; None where the model cannot
    give it."""
    before = previous.range[:, 1] - previous.range[:, 0]
    changed = (before > 0) & (extent > 0)
    unit = np.divide(before, extent, out=np.ones_like(extent), where=changed)
    params = model.scaled(previous.params, unit)
    if params is None:
        return None
    near = np.abs(origin - previous.zero) <= _DRIFT * extent
    return InitialState(params, np.where(near & changed, previous.zero, origin), True)
