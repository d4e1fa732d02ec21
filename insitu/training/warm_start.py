"""The initial state of training a block.

In: a block, its range, the same block at the previous step, if any. Out: initial weights, and the
field value of the model's output 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from insitu.engines.points import PointSampler
from insitu.fields.model_field import ModelField
from insitu.models.base import Model
from insitu.training.job import TrainingJob

# Points at which a block's mean is computed, and the weights of an earlier step are tested.
_PROBES = 2048
# The origin is kept while the mean is within this fraction of the range.
_DRIFT = 0.1

Floats = NDArray[np.float64]


class InitialState(NamedTuple):
    """Initial weights (n_params,), origin (n_components,), whether from an earlier step."""

    params: NDArray[np.float32]
    origin: Floats
    warm: bool


def choose_start(job: TrainingJob, model: Model) -> InitialState:
    """The weights of the previous step, where they approximate the block better than a constant.

    They do not where the model has another architecture, or where all ReLUs of the MLP died while
    the block was constant: no gradient revives them.

    The origin is the block's mean: a network without biases learns values close to 0 first, and
    these should be most of the block (3 to 4 dB better at equal time than with the minimum).
    """
    extent, transform = job.unit, job.transform
    low = job.own.range[:, 0] if transform is None else np.zeros(len(extent))
    previous = job.earlier if job.options.warm_start else None
    points, values = job.probes(_PROBES)
    finite = np.isfinite(values)
    valid = finite.all(axis=1)
    mean = np.where(finite, values, 0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
    # Constants remain exact.
    origin = np.where((extent > 0) & finite.any(axis=0), mean, low)

    def begin() -> InitialState:
        if isinstance(job.trained, PointSampler):
            first = model.place(*job.trained.targets(origin, extent))
        else:
            first = model.initial(job.options.seed)
        return InitialState(first, origin, False)

    if previous is None or previous.model != model or not valid.any():
        return begin()
    kind = None if transform is None else transform.kind
    if kind != (None if previous.transform is None else previous.transform.kind):
        return begin()
    warm = _continued(model, previous, origin, extent)
    if warm is None:
        return begin()
    inverse = np.divide(1, extent, out=np.zeros_like(extent), where=extent > 0)
    targets = (values[valid] - warm.origin) * inverse  # (n, n_components)
    outputs = job.engine.evaluate(model, warm.params, points[valid])
    # Squares, not absolute values: where most of a block is constant, the absolute error of a
    # constant is small, and the network's accuracy elsewhere would be ignored.
    useful = np.square(outputs - targets).mean() < targets.var(axis=0).mean()
    return warm if useful else begin()


def _continued(
    model: Model, previous: ModelField, origin: Floats, extent: Floats
) -> InitialState | None:
    """The function of the previous step, in units of the current range; None where the model does
    not support this."""
    before = previous.range[:, 1] - previous.range[:, 0]
    if previous.transform is not None:
        before = np.sign(before)
    changed = (before > 0) & (extent > 0)
    unit = np.divide(before, extent, out=np.ones_like(extent), where=changed)
    params = model.scaled(previous.params, unit)
    if params is None:
        return None
    near = np.abs(origin - previous.zero) <= _DRIFT * extent
    return InitialState(params, np.where(near & changed, previous.zero, origin), True)
