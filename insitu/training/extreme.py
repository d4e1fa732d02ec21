"""Blocks of values so small or large that squares of their errors cannot be represented.

In: a job. Out: the same job in units of a power of two per component; the field that was trained
on it in the field's own units. Only for float64: squares of float32 are double precision.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.core.scaled import exponent_of
from insitu.fields.model_field import ModelField
from insitu.training.error_bounds import extents
from insitu.training.job import TrainingJob
from insitu.training.options import Relative
from insitu.training.ranges import MeasuredBlock

Powers = NDArray[np.int64]


def powers_of(job: TrainingJob) -> Powers | None:
    """Per component, the power of two that is its unit; None where all can be 1."""
    powers = np.array([exponent_of(extent) for extent in extents(job.whole).tolist()])
    return powers if powers.any() else None


def in_units(job: TrainingJob, powers: Powers) -> TrainingJob:
    """The job on a copy of the block, whose components are divided by 2**powers. It starts anew:
    `previous` is in other units."""
    block = job.partition
    components = [np.ldexp(c, -p) for c, p in zip(block.components, powers, strict=True)]
    scattered = block.scattered
    if scattered is not None:
        scattered = replace(scattered, values=np.ldexp(scattered.values, -powers))
    target = job.target
    if job.bounds is not None:
        extent = extents(job.whole)
        relative = np.divide(job.bounds, extent, out=np.ones_like(extent), where=extent > 0)
        target = replace(target, max_error=Relative(rel=float(relative.min())))
    return replace(
        job,
        block=MeasuredBlock.of(
            replace(block, components=tuple(components), scattered=scattered), job.engine, job.model
        ),
        # What neighbors share is stored in the field's own units: nothing is shared.
        whole=replace(job.whole, range=np.ldexp(job.whole.range, -powers[:, None]), roughness=None),
        target=target,
        previous=None,
    )


def in_field_units(field: ModelField, powers: Powers) -> ModelField:
    """The field of such a job, without a residual, in the units of the original block."""
    metrics, mapped = field.metrics, field.transform
    return replace(
        field,
        range=_times(field.range, powers[:, None]),
        origin=_times(field.zero, powers) if mapped is None else field.zero,
        transform=None if mapped is None else mapped.in_units(_times(np.ones(len(powers)), powers)),
        metrics=replace(
            metrics,
            # Largest of all components: not known of each. Exact for fields of one.
            max_error=float(_times(np.full(len(powers), metrics.max_error), powers).max()),
            exponents=tuple(powers.tolist()),
        ),
        _bytes=None,
    )


def _times(values: Floats, powers: Powers) -> Floats:
    return np.asarray(np.ldexp(values, powers))
