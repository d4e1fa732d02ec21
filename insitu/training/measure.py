"""Errors of a model against the block it was trained on.

In: weights, the block. Out: sum of squares, maximum and count per component, in the field's units.
Needs no decoded copy of the block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.engines.base import Engine, Sampler
from insitu.engines.measure import measure as measure_values
from insitu.engines.options import Errors
from insitu.engines.points import PointSampler
from insitu.fields.metrics import FieldMetrics
from insitu.fields.transform import Transform
from insitu.mesh.partition import Partition
from insitu.models.base import Model
from insitu.training.ranges import BlockRange, grid_sampler

if TYPE_CHECKING:
    from insitu.training.job import TrainingJob

# Samples measured per call, 10 to 30 ms, so that Ctrl-C works between calls; a multiple of the
# engine's chunks of 128.
_SLICE = 2**20


def measure(
    engine: Engine,
    model: Model | None,
    params: NDArray[np.float32],
    sampler: Sampler,
    low: NDArray[np.float64],
    extent: NDArray[np.float64],
    every: int = 1,
) -> list[Errors]:
    """Errors of low + extent * output per component, at the owned samples, or at one of every
    `every` chunks of 128. With model None, errors of the constant low. Not collective.

    sampler: one of this engine.
    """
    if isinstance(sampler, PointSampler):
        outputs = None if model is None else lambda at: engine.evaluate(model, params, at)
        return sampler.errors(outputs, low, extent, 0, sampler.samples, every)
    totals: list[Errors] = []
    for begin in range(0, sampler.samples, _SLICE * every):
        end = min(begin + _SLICE * every, sampler.samples)
        errors = engine.measure(model, params, sampler, low, extent, begin, end, every)
        totals = [a + b for a, b in zip(totals, errors, strict=True)] if totals else errors
    return totals


def measure_mapped(
    job: TrainingJob,
    transform: Transform,
    model: Model,
    params: NDArray[np.float32],
    origin: NDArray[np.float64],
    every: int = 1,
) -> list[Errors]:
    """As `measure`, of a model that was trained behind a transform; in the field's own units.

    origin: the mapped value of output 0.
    """
    block = job.partition
    nothing, one = np.zeros(block.n_components), np.ones(block.n_components)

    def values(points: Floats) -> Floats:
        return transform.inverse(origin + job.engine.evaluate(model, params, points))

    if isinstance(job.sampler, PointSampler):
        return job.sampler.errors(values, nothing, one, 0, job.sampler.samples, every)
    vertex, n = block.association == "vertex", job.sampler.samples
    totals: list[Errors] = []
    for begin in range(0, n, _SLICE * every):
        end = min(begin + _SLICE * every, n)
        errors = measure_values(values, block.owned, vertex, nothing, one, begin, end, every)
        totals = [a + b for a, b in zip(totals, errors, strict=True)] if totals else errors
    return totals


def seconds_to_measure(
    partition: Partition, model: Model, engine: Engine, clock: Callable[[], float]
) -> float:
    """What a pass of `measure` over the block will take, from a pass over its lowest layer."""
    samples = sum(partition.ghost_layers[0]) + (2 if partition.association == "vertex" else 1)
    layer = replace(
        partition,
        components=tuple(c[:samples] for c in partition.components),
        nodes=(*partition.nodes[:2], partition.nodes[2][:2]),
    )
    # Zeros would share one memory page; how many Gaussians reach a point depends on their sizes.
    params = model.initial(0) if model.scattered else np.ones(model.n_params, np.float32)
    low, extent = np.zeros(partition.n_components), np.ones(partition.n_components)
    start = clock()
    measure(engine, model, params, grid_sampler(layer, engine), low, extent)
    return (clock() - start) * partition.n_voxels / layer.n_voxels


def measured(
    partition: Partition,
    own: BlockRange,
    errors: list[Errors],
    iterations: int,
    seconds: float,
    warm: bool = False,
) -> FieldMetrics:
    """Metrics of a field, from the errors of `measure` or `error_bounds.errors_of`."""
    exponents = tuple(e.exponent for e in errors)
    return FieldMetrics(
        sum_of_squares=tuple(e.sum_of_squares for e in errors),
        n_finite=tuple(e.finite for e in errors),
        max_error=max(e.max for e in errors),
        nan_count=own.nan_count,
        inf_count=own.inf_count,
        raw_nbytes=partition.n_published * sum(c.dtype.itemsize for c in partition.components),
        iterations=iterations,
        seconds=seconds,
        warm=warm,
        exponents=exponents if any(exponents) else (),
    )
