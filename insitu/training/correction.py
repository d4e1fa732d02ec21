"""Corrections of a model by sparse grids, so that a bound on the error or a PSNR holds.

In: a model's field, its block, bounds or a PSNR. Out: the field with a correction, verified by
summing what is coded, whose coding is exact.

What the model misses is transformed and rounded as a sparse grid is. Where a bound is asked for,
the step of that is a little more than the bound, and the samples whose error still exceeds it
follow as whole multiples of two bounds. Both are coded in the same way. Of CloverLeaf, Isabel and
Taylor-Green with bounds of 1e-2 to 1e-4 of the range, steps of 2 to 3 bounds take the fewest bytes:
0.5 to 0.8 of SZ3's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.box import Box
from insitu.engines.options import Errors
from insitu.engines.sparse_kernels import sparse_kernels
from insitu.fields import sparse_grid
from insitu.fields.correction import Part, Piece, SparseCorrection, pieces
from insitu.fields.model_field import ModelField
from insitu.fields.sparse_grid import Component
from insitu.mesh.partition import Partition
from insitu.metrics import joint_psnr_db
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.error_bounds import errors_of
from insitu.training.sparse_grid import STEP_PER_BOUND, choose_splits, even_splits

# Steps of single samples, in bounds: less than 2, so that rounding of the step does no harm.
_OUTLIER_STEP = 1.998
_WITHIN = 0.9999
# Levels are left out where at most this part of the samples exceeds the bound, if that is shorter.
_FEW = 0.02
_DB_PER_OCTAVE = 5.0
_SLACK_DB = 0.05
_MOST_TRIALS = 12
_FINER = 4  # in 1/512 octave
_LAYOUT_LEVELS = 3


class Corrected(NamedTuple):
    """A field with a correction, and its errors per component."""

    field: ModelField
    errors: list[Errors]


def correct_to_bounds(
    field: ModelField, partition: Partition, bounds: Floats, tight: Floats
) -> Corrected | None:
    """The field with a correction, so that `decode` is within `bounds` (n_components,) of every
    finite value. None where a sparse grid cannot do this: infinities, NaN outside the field's
    holes, and bounds near the rounding of the numbers.

    tight: the bounds less what rounding the sum to the field's dtype takes. Needs memory for some
    pieces, whatever the size of the block.
    """
    if not (tight > 0).all() or not np.isfinite(tight).all():
        return None
    parts, errors = [], [Errors(0.0, 0.0, 0)] * field.n_components
    for box in pieces(field.shape):
        raw = [component[box] for component in partition.owned]
        model = field.model_box(box)
        missing = _missing(field, raw, model, box, tight)
        if missing is None:
            return None
        piece = _bounded(missing, not isinstance(field.model, SparseGrid))
        del missing  # what is decoded needs the room
        part = None if piece is None else _part(piece)
        if piece is None or part is None:
            return None
        _correct(field, piece, model, tight)
        found = _errors(field, raw, model)
        # There are no other values than finite ones and holes, which are restored exactly.
        if not all(error.max <= bound for error, bound in zip(found, bounds, strict=True)):
            return None
        errors = [e + f for e, f in zip(errors, found, strict=True)]
        parts.append(part)
    return Corrected(_with(field, parts, tight), errors)


def correct_to_psnr(
    field: ModelField, partition: Partition, psnr: float, extent: Floats
) -> Corrected | None:
    """The field with a correction that brings it to `psnr` dB relative to `extent` (n_components,).
    None where a sparse grid cannot do this."""
    units = np.where(extent > 0, extent, 1.0)
    splits: dict[int, list[int]] = {}
    step, found = sparse_grid.nearest_step(5 * 10 ** (-psnr / 20)), -1
    good, bad = -1, 65536
    for _ in range(_MOST_TRIALS):
        reached = _expected_psnr(field, partition, step, units, splits)
        if reached is None:
            return None
        over = reached - psnr
        if over >= 0:
            good = found = step
        else:
            bad = step
        if 0 <= over <= _SLACK_DB or bad - good <= 1:
            break
        step += sparse_grid.octave_steps(float(np.clip(over / _DB_PER_OCTAVE, -4, 4)))
        if not good < step < bad:
            step = (good + bad) // 2 if good >= 0 else bad - sparse_grid.octave_steps(1)
        if step < 0:
            break
    # Rounding to the field's dtype may take the rest of what was expected.
    for step in range(found, max(found - 3 * _FINER, -1), -_FINER):
        corrected = _levels_alone(field, partition, step, units, splits)
        if corrected is None or _psnr(corrected.errors, extent) >= psnr:
            return corrected
    return None


def _expected_psnr(
    field: ModelField,
    partition: Partition,
    step: int,
    units: Floats,
    splits: dict[int, list[int]],
) -> float | None:
    """PSNR with levels of this step, in units of the components' ranges; nothing is coded. None
    where samples are not finite. splits: of the pieces, which are remembered."""
    kernels, squares = sparse_kernels(), [0.0] * len(units)
    counts = [0] * len(units)
    for number, box in enumerate(pieces(field.shape)):
        raw = [component[box] for component in partition.owned]
        missing = _missing(field, raw, field.model_box(box), box, units)
        if missing is None:
            return None
        if number not in splits:
            splits[number] = choose_splits(missing[0], sparse_grid.delta(step))
        own = splits[number]
        for c, values in enumerate(missing):
            component = Component.of(kernels.analyse(values, own), own, step)
            error = (values - kernels.synthesise(component.coefficients(own), own)).ravel()
            squares[c] += float(np.dot(error, error))
            counts[c] += error.size
    return joint_psnr_db(squares, counts, [1.0] * len(units))


def _levels_alone(
    field: ModelField,
    partition: Partition,
    step: int,
    units: Floats,
    splits: dict[int, list[int]],
) -> Corrected | None:
    parts, errors = [], [Errors(0.0, 0.0, 0)] * field.n_components
    for number, box in enumerate(pieces(field.shape)):
        raw = [component[box] for component in partition.owned]
        model = field.model_box(box)
        missing = _missing(field, raw, model, box, units)
        if missing is None:
            return None
        piece = Piece(_levels(missing, step, splits[number]), splits[number], [], [])
        del missing  # what is decoded needs the room
        part = _part(piece)
        if part is None:
            return None
        parts.append(part)
        _correct(field, piece, model, units)
        found = _errors(field, raw, model)
        errors = [e + f for e, f in zip(errors, found, strict=True)]
    return Corrected(_with(field, parts, units), errors)


def _psnr(errors: Sequence[Errors], extent: Floats) -> float:
    return joint_psnr_db(
        [e.sum_of_squares for e in errors], [e.finite for e in errors], extent.tolist(),
        [e.exponent for e in errors],
    )  # fmt: skip


def _missing(
    field: ModelField, raw: Sequence[Floats], model: Floats, box: Box, units: Floats
) -> list[Floats] | None:
    """What a piece lacks, per component in its unit, float32; 0 in holes. None where other samples
    are not finite."""
    holes = None if field.holes is None else field.holes.mask[box]
    found = []
    for c, (values, unit) in enumerate(zip(raw, units, strict=True)):
        missing = np.empty(values.shape, np.float32)
        for layer, raw_layer, known in zip(missing, values, model[..., c], strict=True):
            with np.errstate(over="ignore"):
                layer[:] = (raw_layer - known) / unit
        if holes is not None:
            if not np.isnan(values[holes]).all():
                return None
            missing[holes] = 0
        if not np.isfinite(missing).all():
            return None
        found.append(missing)
    return found


def _bounded(missing: list[Floats], with_levels: bool) -> Piece | None:
    """Levels and outliers of a piece in units of the bound; None where numbers are too large."""
    nz, ny, nx = missing[0].shape
    # Few outliers are not zero: boxes without any cost next to nothing.
    layout = even_splits((nz, ny, nx))[:_LAYOUT_LEVELS]
    outliers = _outliers(missing)
    alone = None if outliers is None else Piece([], [], outliers, layout)
    if not with_levels:
        return alone
    splits = choose_splits(missing[0], STEP_PER_BOUND)
    levels = _levels(missing, sparse_grid.nearest_step(STEP_PER_BOUND), splits)
    known = Piece(levels, splits, [], layout).values(
        np.ones(len(missing)), (nz, ny, nx), missing[0].dtype
    )
    rest = _outliers([m - k for m, k in zip(missing, known, strict=True)])
    both = None if rest is None else Piece(levels, splits, rest, layout)
    if alone is None or both is None:
        return both
    few = max(np.count_nonzero(c.numbers) for c in alone.singles) <= _FEW * missing[0].size
    return alone if few and _nbytes(alone) < _nbytes(both) else both


def _part(piece: Piece) -> Part | None:
    """Its bytes; None where numbers are too large."""
    try:
        return piece.part
    except ValueError:
        return None


def _nbytes(piece: Piece) -> float:
    part = _part(piece)
    return math.inf if part is None else sum(map(len, part))


def _levels(missing: list[Floats], step: int, splits: list[int]) -> list[Component]:
    kernels = sparse_kernels()
    return [Component.of(kernels.analyse(m, splits), splits, step) for m in missing]


def _outliers(rest: list[Floats]) -> list[Component] | None:
    """Samples that exceed the bound, as multiples of two bounds. None for too large ones."""
    step = sparse_grid.nearest_step(_OUTLIER_STEP)
    components = []
    for values in rest:
        beyond = np.flatnonzero(np.abs(values) > _WITHIN)
        multiples = np.rint(values.reshape(-1)[beyond] / sparse_grid.delta(step))
        if np.abs(multiples).max(initial=0) >= 2**24:
            return None
        numbers = np.zeros(values.shape, np.int32)
        numbers.reshape(-1)[beyond] = multiples
        components.append(Component(numbers, step, (0, 0)))
    return components


def _correct(field: ModelField, piece: Piece, model: Floats, units: Floats) -> None:
    """Turns the model's values at a piece, (nz, ny, nx, n_components), into those of the sum."""
    with np.errstate(over="ignore"):
        for c, values in enumerate(piece.values(units, model.shape[:3], field.dtype)):
            model[..., c] += values


def _errors(field: ModelField, raw: Sequence[Floats], sums: Floats) -> list[Errors]:
    """Errors of a piece as `decode` gives it, per component, at finite samples."""
    with np.errstate(over="ignore"):
        return [errors_of(sums[..., c].astype(field.dtype), r) for c, r in enumerate(raw)]


def _with(field: ModelField, parts: Sequence[Part], units: Floats) -> ModelField:
    correction = SparseCorrection.of(parts, units.tolist(), field.shape, field.dtype)
    return replace(field, residual=correction, _bytes=None)
