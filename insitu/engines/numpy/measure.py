"""Errors of a model against the raw block.

In: a model and its parameters, a block, an interval of its owned samples. Out: sum of squares,
maximum and count of each component, in its own unit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines.base import Doubles
from insitu.engines.numpy.sampler import GridSampler
from insitu.engines.options import Errors

CHUNK = 128  # samples that are measured or skipped together


def measure(
    outputs: Callable[[Floats], Floats] | None,
    sampler: GridSampler,
    origin: Doubles,
    extent: Doubles,
    begin: int,
    end: int,
    every: int,
) -> list[Errors]:
    """outputs: evaluates the model at points (n, 3); None: errors of the constant `origin`."""
    if begin < 0 or end > sampler.samples:
        raise IndexError(f"begin, end: {begin}, {end} are not in the block, 0..{sampler.samples}")
    if every < 1:
        raise ValueError(f"every: {every}, expected at least 1")
    samples = np.arange(begin, end)
    samples = samples[(samples - begin) // CHUNK % every == 0]
    index = np.unravel_index(samples, sampler.owned)
    values = np.broadcast_to(np.asarray(origin), (len(samples), sampler.components))
    if outputs is not None:
        values = origin + np.asarray(extent) * outputs(_points(sampler, index)).astype(np.float64)
    errors = []
    for component, value in enumerate(values.T):
        truth = sampler.own(component)[index]
        if outputs is not None and truth.dtype == np.float32:
            value = value.astype(np.float32)  # the precision of the data, as for decoded fields
        finite = np.isfinite(truth)
        error = np.abs(value[finite].astype(np.float64) - truth[finite])
        errors.append(
            Errors(float(np.square(error).sum()), float(error.max(initial=0)), int(finite.sum()))
        )
    return errors


def _points(sampler: GridSampler, index: tuple[np.ndarray, ...]) -> Floats:
    """Unit-cube points (n, 3) of owned samples (z, y, x)."""
    shift = 0.0 if sampler.vertex else 0.5
    axes = [
        (i.astype(np.float32) + np.float32(shift)) / np.float32(n)
        for i, n in zip(index, sampler.cells, strict=True)
    ]
    return np.stack(axes[::-1], axis=1)
