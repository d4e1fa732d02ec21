"""Residual correction of a model, so that a pointwise error bound or a PSNR holds.

In: a model's field, its block, bounds. Out: the field with a residual, which is decoded and
compared with the block before it is accepted; without one if the model alone is within the bounds.

The residual is a sparse grid (`insitu.training.correction`). Where samples are infinite, or numbers
are near their rounding, it goes through SZ3, in chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from insitu.codecs.chunk import pack
from insitu.codecs.chunks import Chunks, boxes
from insitu.core.arrays import Floats
from insitu.core.box import Box
from insitu.engines.options import Errors
from insitu.fields.model_field import ModelField
from insitu.mesh.partition import Partition
from insitu.training.correction import correct_to_bounds, correct_to_psnr
from insitu.training.error_bounds import errors_of, extents, keeps, largest
from insitu.training.job import TrainingJob
from insitu.training.measure import measured

CODEC = "sz3"
# Fractions of the bound that are tried for the residual: rounding of the sum to the field's dtype
# uses up a part of the bound.
_SHARES = (1.0, 0.5, 0.25)
# Engines compute networks in single precision and in different orders, so that a reader may see
# other values than the engine that trained: seen were 1.5e-7 of the block's range.
_READERS = 1e-6
# A model whose error exceeds the bound by this factor is not within it, however it is read.
_CLEARLY = 1.01


class TooTight(ValueError):
    """The bound is close to the rounding error of the field's dtype, or of engines, and no sum of
    model and residual meets it."""


class Corrected(NamedTuple):
    """A field within its bounds, and its errors; None if these are those of the model alone."""

    field: ModelField
    errors: list[Errors] | None


def with_residual(field: ModelField, partition: Partition, bounds: Floats) -> Corrected | None:
    """The field with a residual, so that `decode` is within `bounds` (n_components,) of every
    finite value and preserves the others. Its metrics are still those of `field`. None where
    rounding prevents it.

    Needs memory for a row of chunks, in double precision, whatever the size of the block.
    """
    if _model_keeps(field, partition, bounds):
        return Corrected(field, None)
    tight = []
    for bound, largest_value in zip(bounds, np.abs(field.range).max(axis=1), strict=True):
        unit = np.spacing(np.nan_to_num(largest_value).astype(field.dtype))
        tight.append(bound - unit / 2 if bound > unit else bound / 2)
    sparse = correct_to_bounds(field, partition, bounds, np.array(tight))
    if sparse is not None:
        return Corrected(*sparse)
    parts: list[list[bytes]] = [[] for _ in bounds]
    errors = [Errors(0.0, 0.0, 0) for _ in bounds]
    for c, box, model in _model_chunks(field):
        raw = partition.owned[c][box]
        found = _chunk(raw, model, field.dtype, bounds[c], tight[c])
        if found is None:
            return None
        packed, decoded = found
        parts[c].append(packed)
        errors[c] += errors_of(decoded, raw)
    everything = [part for of_component in parts for part in of_component]
    chunks = Chunks.of(everything, CODEC, field.shape, len(parts), field.dtype)
    return Corrected(replace(field, residual=chunks, _bytes=None), errors)


def _model_keeps(field: ModelField, partition: Partition, bounds: Floats) -> bool:
    """Whether the field without a residual is within its bounds."""
    if field.metrics.max_error > _CLEARLY * bounds.max():
        return False
    for at, values in field.model_slabs():
        values = values.astype(field.dtype)
        if field.holes is not None:
            values[field.holes.mask[at]] = np.nan
        for c, bound in enumerate(bounds):
            if not keeps(values[..., c], partition.owned[c][at], bound):
                return False
    return True


def _model_chunks(field: ModelField) -> Iterator[tuple[int, Box, Floats]]:
    """Values of the model alone, float64, by component and chunk; a row of chunks along z at a
    time. The values are those of `decode`, which goes slab by slab."""
    rows: dict[tuple[int, int], list[Box]] = {}
    for box in boxes(field.shape):
        rows.setdefault((box[0].start, box[0].stop), []).append(box)
    highest = max(stop - start for start, stop in rows)
    buffer = np.empty((highest, *field.shape[1:], field.n_components))
    slabs = field.model_slabs()
    at, slab = next(slabs)
    for (start, stop), row in rows.items():
        while True:
            low, high = max(start, at.start), min(stop, at.stop)
            if low < high:
                buffer[low - start : high - start] = slab[low - at.start : high - at.start]
            if at.stop >= stop:
                break
            at, slab = next(slabs)
        for c in range(field.n_components):
            for box in row:
                yield c, box, buffer[: stop - start, box[1], box[2], c]


def _chunk(
    raw: Floats, model: Floats, dtype: np.dtype[Any], bound: float, tight: float
) -> tuple[bytes, Floats] | None:
    """Bytes of a chunk of the residual, and what it corrects the model to; None where rounding
    prevents that this is within the bound."""
    with np.errstate(invalid="ignore", over="ignore"):
        missing = np.where(np.isfinite(raw), raw - model, raw).astype(dtype)
    for share in _SHARES:
        packed, residual = pack(missing, CODEC, share * tight)
        with np.errstate(invalid="ignore"):
            corrected = (model + residual).astype(dtype)
        if keeps(corrected, raw, bound):
            return packed, corrected
    return None


def with_target_residual(field: ModelField, job: TrainingJob) -> ModelField:
    """The field with the residual that the job's target requires, and metrics measured by decoding
    it. Raises TooTight where rounding prevents a residual within `target.max_error`, whichever
    engine reads it.
    """
    partition, own, target = job.partition, job.own, job.target
    bounds = None if job.bounds is None else _for_every_reader(field, job.bounds)
    extent = extents(job.whole)

    def measured_as(corrected: ModelField, errors: list[Errors]) -> ModelField:
        known = field.metrics
        metrics = measured(partition, own, errors, known.iterations, known.seconds, known.warm)
        return replace(corrected, metrics=metrics)

    def make(limits: Floats) -> ModelField | None:
        corrected = with_residual(field, partition, limits)
        if corrected is None or corrected.errors is None:
            return None if corrected is None else corrected.field
        return measured_as(corrected.field, corrected.errors)

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
    if bounds is None:
        sparse = correct_to_psnr(field, partition, target.psnr, extent)
        if sparse is not None:
            return measured_as(sparse.field, sparse.errors)
    before = job.memory.bounds.setdefault("residual", [])
    return largest(accurate, np.sqrt(3) * 10 ** (-target.psnr / 20), before) or short


def _for_every_reader(field: ModelField, bounds: Floats) -> Floats:
    """The bounds (n_components,) that this engine has to keep, so that those that are given hold
    for any other."""
    if field.model is None or not field.model.trained:
        return bounds
    extent = np.nan_to_num(field.range[:, 1] - field.range[:, 0])
    inner = np.asarray(bounds - _READERS * extent)
    if (inner < bounds / 2).any():
        raise TooTight(f"max_error: {bounds} is below what engines agree on for a network")
    return inner
