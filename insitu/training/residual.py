"""Residual correction of a model, so that a pointwise error bound holds.

In: a model's field, its block, bounds. Out: the field with a residual in chunks, which is decoded
and compared with the block before it is accepted; without a residual if the model alone is within
the bounds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from insitu.codecs.chunks import Chunks
from insitu.core.arrays import Floats
from insitu.fields.model_field import ModelField
from insitu.mesh.partition import Partition
from insitu.training.error_bounds import compare, extents, keeps, largest
from insitu.training.job import TrainingJob
from insitu.training.measure import measured

CODEC = "sz3"
# Fractions of the bound that are tried for the residual: rounding of the sum to the field's dtype
# uses up a part of the bound.
_SHARES = (1.0, 0.5, 0.25)


class TooTight(ValueError):
    """The bound is close to the rounding error of the field's dtype, and no sum of model and
    residual meets it."""


def with_residual(field: ModelField, partition: Partition, bounds: Floats) -> ModelField | None:
    """The field with a residual, so that `decode` is within `bounds` (n_components,) of every
    finite value and preserves the others. Its metrics are still those of `field`. None where
    rounding prevents it.
    """
    if keeps(field.decode(), partition, bounds):
        return field
    model = field.model_grid(field.shape)
    residuals, tight = [], []
    for c, (raw, bound) in enumerate(zip(partition.owned, bounds, strict=True)):
        finite = np.isfinite(raw)
        with np.errstate(invalid="ignore", over="ignore"):
            missing = np.where(finite, raw.astype(np.float64) - model[..., c], raw)
            residuals.append(np.ascontiguousarray(missing.astype(field.dtype)))
        unit = np.spacing(np.abs(raw[finite]).max(initial=0.0).astype(field.dtype))
        tight.append(bound - unit / 2 if bound > unit else bound / 2)
    for share in _SHARES:
        chunks = Chunks.encode(residuals, CODEC, [share * bound for bound in tight])
        corrected = replace(field, residual=chunks, _bytes=None)
        if keeps(corrected.decode(), partition, bounds):
            return corrected
    return None


def with_target_residual(field: ModelField, job: TrainingJob) -> ModelField:
    """The field with the residual that the job's target requires, and metrics measured by decoding
    it. Raises TooTight where rounding prevents a residual within `target.max_error`.
    """
    partition, own, target, bounds = job.partition, job.own, job.target, job.bounds
    extent = extents(job.whole)

    def make(limits: Floats) -> ModelField | None:
        corrected = with_residual(field, partition, limits)
        if corrected is None or corrected is field:
            return corrected
        errors = compare(corrected.decode(), partition)
        known = field.metrics
        metrics = measured(partition, own, errors, known.iterations, known.seconds, known.warm)
        return replace(corrected, metrics=metrics)

    def accurate(bound: float) -> ModelField | None:
        tight = bound * extent
        corrected = make(tight if bounds is None else np.minimum(tight, bounds))
        if corrected is None or target.psnr is None:
            return corrected
        return corrected if corrected.metrics.psnr_db(extent.tolist()) >= target.psnr else None

    short: ModelField | None = field if bounds is None else make(bounds)
    if short is None:
        raise TooTight(f"max_error: {bounds} is below what {field.dtype} can add to a model")
    if target.psnr is None or short.metrics.psnr_db(extent.tolist()) >= target.psnr:
        return short
    return largest(accurate, np.sqrt(3) * 10 ** (-target.psnr / 20)) or short
