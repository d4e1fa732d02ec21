"""Errors of a function against the raw block, in NumPy.

In: a function of points, a block's owned samples, an interval of them. Out: sum of squares, maximum
and count of each component, in its own unit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines.base import Doubles, check_samples
from insitu.engines.options import Errors

CHUNK = 128  # samples that are measured or skipped together


def measure(
    outputs: Callable[[Floats], Floats] | None,
    owned: Sequence[Floats],
    vertex: bool,
    origin: Doubles,
    extent: Doubles,
    begin: int,
    end: int,
    every: int,
) -> list[Errors]:
    """As `insitu.engines.base.Engine.measure`.

    outputs: evaluates the model at points (n, 3); None: errors of the constant `origin`. owned: the
    owned samples of each component, (nz, ny, nx).
    """
    shape = owned[0].shape
    check_samples(owned[0].size, begin, end, every)
    samples = np.arange(begin, end)
    samples = samples[(samples - begin) // CHUNK % every == 0]
    index = np.unravel_index(samples, shape)
    values = np.broadcast_to(np.asarray(origin), (len(samples), len(owned)))
    if outputs is not None:
        values = origin + np.asarray(extent) * outputs(_points(shape, vertex, index)).astype(
            np.float64
        )
    errors = []
    for own, value in zip(owned, values.T, strict=True):
        truth = own[index]
        if outputs is not None and truth.dtype == np.float32:
            value = value.astype(np.float32)  # the precision of the data, as for decoded fields
        finite = np.isfinite(truth)
        error = np.abs(value[finite].astype(np.float64) - truth[finite])
        errors.append(
            Errors(float(np.square(error).sum()), float(error.max(initial=0)), int(finite.sum()))
        )
    return errors


def _points(shape: tuple[int, ...], vertex: bool, index: tuple[np.ndarray, ...]) -> Floats:
    """Unit-cube points (n, 3) of owned samples (z, y, x)."""
    shift = 0.0 if vertex else 0.5
    axes = [
        (i.astype(np.float32) + np.float32(shift)) / np.float32(n - vertex)
        for i, n in zip(index, shape, strict=True)
    ]
    return np.stack(axes[::-1], axis=1)
