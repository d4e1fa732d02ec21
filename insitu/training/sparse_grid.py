"""A sparse grid fitted to one block, in closed form.

In: a job. Out: the model, its weights, the field value of its output 0. No communication.

A wavelet transform gives the coefficients; one number, the step, decides how many of them are kept
and how well. It is found by a few trials: the error of a trial is that of its synthesis, and only
the last one is coded. The previous step's is the first guess, else the one that the sizes of the
coefficients suggest (`insitu.training.step_search`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.errors import FrameError
from insitu.codecs.weights import Weights
from insitu.core.arrays import Floats
from insitu.core.scaled import exponent_of
from insitu.engines.options import Errors
from insitu.engines.sparse_kernels import Few, sparse_kernels
from insitu.fields import quiet, sparse_grid
from insitu.fields.shared_parts import CodedPart, insert
from insitu.fields.sparse_grid import Component, Shared
from insitu.metrics import joint_psnr_db
from insitu.models.sparse_grid.lines import added
from insitu.models.sparse_grid.model import SparseGrid
from insitu.models.sparse_grid.parts import parts
from insitu.training.error_bounds import errors_of, extents
from insitu.training.fill import filled
from insitu.training.job import TrainingJob
from insitu.training.options import QUALITY_DB
from insitu.training.shared_faces import coded, ends_of, extended
from insitu.training.step_search import ExpectedError, expected_cost, psnr_of

STEP_PER_BOUND = 2.3
"""Step in units of the bound where a correction keeps it (`insitu.training.correction`)."""
# PSNR in dB without any target.
_DEFAULT_DB = QUALITY_DB["visual"]
# First guess of a step, in units of the root mean square error.
_STEP_PER_ERROR = 50.0
# A trial that is at most this much better than the target is good enough.
_SLACK_DB = 0.05
# So much better than the sizes of its coefficients let expect is a block, on average.
_BEYOND_EXPECTED = -0.3
_MOST_TRIALS, _MOST_ROUNDINGS = 12, 3
# Axes are split until they have fewer samples than this.
_LEAST = 9
# Where the mean second difference along an axis is so many times that of the others, it waits one
# more level.
_ROUGHER = (1.6, 2.0, 6.0)
# Of what neighbors share: the largest error over the mean one, about; errors that a step can have.
_BOUND_PER_ERROR, _LEAST_ERROR = 6.0, 1e-17
# How many levels the axis with the largest details may wait for the others.
_DELAYS = (0, 1, 2, 3)


class SparseFit(NamedTuple):
    """A fitted sparse grid."""

    model: SparseGrid
    weights: Weights
    origin: NDArray[np.float64]
    """(n_components,): field value of output 0."""
    errors: list[Errors]
    """Of each component, at the samples, as they are decoded."""
    trials: int
    warm: bool


class _Rounded(NamedTuple):
    """Coefficients in whole steps."""

    step: int
    """Of the first component."""
    components: list[Component]
    psnr: float
    """In dB, as if the functions of the levels were orthogonal; NaN where numbers are infinite."""


@dataclass(frozen=True, eq=False)
class _Trial:
    components: list[Component]
    coefficients: list[Few]
    """What the components decode to."""
    errors: list[Errors]
    rounded_psnr: float
    """As of `_Rounded`."""


class SparseFitter:
    """The coefficients of one block, and trials of the step. The block is not constant. Raises
    ValueError for a block that is too large."""

    def __init__(self, job: TrainingJob) -> None:
        self._job, self._raw = job, job.partition.owned
        nz, ny, nx = self._raw[0].shape
        SparseGrid(shape=(nx, ny, nz), n_outputs=len(self._raw)).check()  # not all can be coded
        self._origin = np.array([_middle(raw) for raw in self._raw])
        self._unit = np.where(job.extent > 0, job.extent, 1.0)
        self._ends, errors, most = _shared_ends(job)
        components = job.partition.components
        raw = [extended(job.partition, c) for c in components] if self._ends else self._raw
        shape = raw[0].shape
        # Of the samples, those that the block owns.
        self._owned = tuple(
            slice(low, n - high)
            for n, (low, high) in zip(shape, (added(self._ends, a) for a in (2, 1, 0)), strict=True)
        )
        self._earlier = _earlier(job)
        known: list[Floats] = []  # coefficients of the first component
        if self._ends:
            assert job.whole.roughness is not None
            self._splits = agreed_splits(shape, job.whole.roughness)
        elif self._earlier is not None:
            self._splits = self._earlier[1]
        else:
            origin, unit = self._origin[0], self._unit[0]
            self._splits, first = best_levels(
                raw[0], self._guess(), lambda splits: self._analysed(raw[0], origin, unit, splits)
            )
            known = [first]
        self._coefficients = known + [
            self._analysed(raw[c], self._origin[c], self._unit[c], self._splits)
            for c in range(len(known), len(raw))
        ]
        self._parts = parts(shape, self._splits, self._ends)
        self._errors: list[float] = []
        self._shared: list[list[CodedPart]] = []
        for component, error in zip(components, errors, strict=True) if self._ends else ():
            self._errors.append(sparse_grid.delta(sparse_grid.nearest_step(error)))
            error = self._errors[-1]
            self._shared.append(coded(job.partition, component, self._parts, error, most))
        self._trials = 0

    def _analysed(self, raw: Floats, origin: float, unit: float, splits: list[int]) -> Floats:
        """Coefficients of a component in its unit."""
        found, finite = sparse_kernels().analyse_scaled(raw, origin, unit, splits, self._ends)
        if finite:
            return found
        return sparse_kernels().analyse(filled(raw, origin, unit), splits, self._ends)

    def fit(self, end: float = math.inf) -> SparseFit:
        """The coarsest step that meets the job's target. Where no step does, the finest tried.

        end: by the job's clock; no trial of a search but its first one begins later.
        """
        self._end = end
        target = self._job.target
        if target.ratio is not None:
            size = sum(raw.nbytes for raw in self._raw) / target.ratio
            found = self._search(lambda trial: math.log2(size / max(self._nbytes(trial), 1)), True)
        elif self._job.bounds is not None and target.psnr is None:
            # A correction follows, of the samples that exceed the bound.
            found = self._try(self._bounded)
        else:
            found = self._search(
                lambda trial: (self._psnr(trial) - self._goal) / _DB_PER_OCTAVE, False
            )
            beyond = self._psnr(found) - self._expected.psnr(found.components[0].step)
            self._job.memory.beyond_expected = beyond if math.isfinite(beyond) else None
            if self._job.bounds is not None and found.components[0].step > self._bounded:
                found = self._try(self._bounded)
        found, payload = self._with_bytes(found)
        model, weights = sparse_grid.model_of(
            found.components, self._splits, self._vertex, payload, found.coefficients
        )
        warm = self._earlier is not None
        return SparseFit(model, weights, self._origin, found.errors, self._trials, warm)

    # ---- trials

    def _rounded(self, step: int) -> _Rounded:
        """step: of the first component; the others' make errors of the same share of the range."""
        components, squares = [], 0.0
        for coefficients, scale in zip(self._coefficients, self._scales.tolist(), strict=True):
            own = step + round(sparse_grid.octaves(self._scales[0] / scale))
            component, lost = Component.rounded(coefficients, self._splits, min(max(own, 0), 65535))
            components.append(component)
            squares += lost * (scale / self._scales[0]) ** 2
        count = sum(coefficients.size for coefficients in self._coefficients)
        return _Rounded(step, components, psnr_of(squares, count, float(self._scales[0])))

    def _try(self, step: int) -> _Trial:
        return self._tried(self._rounded(step))

    def _tried(self, rounded: _Rounded) -> _Trial:
        self._trials += 1
        components, decoded, errors = [], [], []
        for c, component in enumerate(rounded.components):
            if self._ends:
                component = self._with_shared(c, component)
            components.append(component)
            found = component.few(self._splits, self._origin[c], self._unit[c])
            decoded.append(found)
            errors.append(self._errors_of(c, found))
        return _Trial(components, decoded, errors, rounded.psnr)

    def _errors_of(self, c: int, few: Few) -> Errors:
        """Of a component's coefficients, as they are decoded."""
        raw, origin, extent = self._raw[c], float(self._origin[c]), float(self._job.extent[c])
        kernels = sparse_kernels()
        squares, most, finite = kernels.errors(few, self._splits, self._ends, raw, origin, extent)
        if exponent_of(most) == 0:
            return Errors(squares, most, finite)
        # Squares that double precision cannot hold; in slabs, for the memory.
        nz, ny, nx = self._coefficients[c].shape
        outputs = kernels.samples(few, (nz, ny, nx), self._splits, self._ends)[self._owned]
        layers, total = max(1, _TOGETHER // outputs[0].size), Errors(0.0, 0.0, 0)
        for z in range(0, len(raw), layers):
            decoded = np.multiply(outputs[z : z + layers], extent, dtype=np.float64)
            decoded += origin
            total += errors_of(decoded.astype(raw.dtype), raw[z : z + layers])
        return total

    def _with_shared(self, c: int, component: Component) -> Component:
        """A component with the numbers of the parts that it shares."""
        error, numbers = self._errors[c], component.numbers
        for part, one in zip(self._parts, self._shared[c], strict=True):
            insert(numbers, part, one, float(self._origin[c]), error)
        coarseness = tuple(one.coarseness for one in self._shared[c])
        shared = Shared(self._ends, sparse_grid.nearest_step(error), coarseness)
        return replace(component, shared=shared)

    def _search(self, margin: Callable[[_Trial], float], least: bool) -> _Trial:
        """The trial with the coarsest step of margin >= 0, or, with `least`, the finest one.

        margin: by how many octaves of the step, about, a trial is better than needed.
        """
        sign = -1 if least else 1
        best, best_over = None, -math.inf
        good, bad = -math.inf * sign, math.inf * sign  # steps
        last: tuple[int, float] | None = None
        close = sparse_grid.octave_steps(_SLACK_DB / _DB_PER_OCTAVE)
        rounded = self._first()
        for number in range(_MOST_TRIALS):
            trial, step = self._tried(rounded), rounded.step
            over = margin(trial)
            if over >= 0:
                good = step
            else:
                bad = step
            if over >= 0 or over > best_over:  # good ones come in the order wanted
                best, best_over = trial, over
            # Another trial gains little then.
            slack = 2 * _SLACK_DB if number or self._earlier else _SLACK_DB
            if (over >= 0 and over * _DB_PER_OCTAVE <= slack) or abs(bad - good) <= close:
                break
            if self._job.clock() >= self._end:
                break
            reached = math.nan if least else over * _DB_PER_OCTAVE + self._goal
            predicted = math.isfinite(reached - trial.rounded_psnr)
            if predicted:  # what is expected is as much off as at this step
                beyond = reached - self._expected.psnr(step)
                move = self._expected.coarsest(self._aim - beyond, step) - step
            else:
                move = _move(step, over, last, sign)
            last = step, over
            step += move if move else sign * (1 if over >= 0 else -1)
            low, high = min(good, bad), max(good, bad)
            if math.isfinite(low) and math.isfinite(high) and not low < step < high:
                step = int(low + high) // 2
            if not 0 <= step <= 65535:
                break
            if predicted:
                rounded = self._nearest(step, reached - trial.rounded_psnr, low, high)
            else:
                rounded = self._rounded(step)
        assert best is not None
        return best

    def _first(self) -> _Rounded:
        searched, known = self._job.target.ratio is None, self._job.memory.beyond_expected
        step = self._near
        if searched and known is not None:
            step = self._expected.coarsest(self._aim - known, step)
        elif searched and self._earlier is None:
            step = self._expected.coarsest(self._aim - _BEYOND_EXPECTED, step)
        return self._rounded(step)

    def _nearest(self, step: int, beyond: float, low: float, high: float) -> _Rounded:
        """Coefficients in steps near `step`, between low and high, that are expected to reach just
        the target. beyond: PSNR in dB of the samples less that of the coefficients."""
        rate, before = _DB_PER_OCTAVE, None
        for _ in range(_MOST_ROUNDINGS):
            rounded = self._rounded(step)
            over = rounded.psnr + beyond - self._aim
            if not (math.isfinite(over) and abs(over) > 0.4 * _SLACK_DB):
                break
            if before is not None and before[0] != step:
                slope = (before[1] - over) / (step - before[0]) * sparse_grid.octave_steps(1)
                rate = min(max(slope, 0.5 * _DB_PER_OCTAVE), 2 * _DB_PER_OCTAVE)
            before = step, over
            step += sparse_grid.octave_steps(min(max(over / rate, -1), 1))
            if step == rounded.step or not max(low, -1) < step < min(high, 65536):
                break
        return rounded

    @property
    def _near(self) -> int:
        """Step of the first component, about: the one before, or a guess."""
        return self._earlier[0] if self._earlier else sparse_grid.nearest_step(self._guess())

    @property
    def _bounded(self) -> int:
        """Step of the first component beside a correction to the bounds."""
        assert self._job.bounds is not None
        errors = self._job.bounds / self._unit * self._scales / self._scales[0]
        least = float(errors[self._job.extent > 0].min())
        return sparse_grid.nearest_step(max(STEP_PER_BOUND * least, 1e-12))

    def _guess(self) -> float:
        """Step of the first component."""
        target = self._job.target
        if target.psnr is None and self._job.bounds is not None:
            return sparse_grid.delta(self._bounded)
        error = 10 ** (-(target.psnr or _DEFAULT_DB) / 20) / max(self._scales[0], 1e-30)
        return max(_STEP_PER_ERROR * error, 1e-12)

    # ---- what a trial reaches

    @cached_property
    def _scales(self) -> Floats:
        """From a component's unit to shares of its global range."""
        extent = extents(self._job.whole)
        scale = np.divide(self._unit, extent, out=np.zeros_like(self._unit), where=extent > 0)
        return np.where((scale > 0) & (self._job.extent > 0), scale, 1.0)

    def _psnr(self, trial: _Trial) -> float:
        errors = trial.errors
        return joint_psnr_db(
            [e.sum_of_squares for e in errors], [e.finite for e in errors],
            extents(self._job.whole).tolist(), [e.exponent for e in errors],
        )  # fmt: skip

    @cached_property
    def _expected(self) -> ExpectedError:
        near = sparse_grid.delta(self._near)
        return ExpectedError(self._coefficients, self._splits, self._scales, near)

    @cached_property
    def _goal(self) -> float:
        """PSNR in dB: the target, or as much more as a quiet block needs and can have cheaply."""
        goal = self._job.target.psnr or _DEFAULT_DB
        error = 10 ** (-goal / 20)
        least = quiet.error_of(float(self._scales[self._job.extent > 0].max()), error)
        near = self._near
        while least < error:
            finer = -20 * math.log10(least)
            near = self._expected.coarsest(finer - _BEYOND_EXPECTED, near)
            if self._expected.kept(near) <= quiet.MOST_KEPT:
                return finer
            least *= 2**0.5
        return goal

    @property
    def _aim(self) -> float:
        return self._goal + 0.5 * _SLACK_DB

    def _with_bytes(self, trial: _Trial) -> tuple[_Trial, bytes]:
        """A trial and its bytes, or one with a coarser step where numbers are too large."""
        for _ in range(_MOST_TRIALS):
            try:
                return trial, self._payload(trial)
            except ValueError:
                trial = self._try(trial.components[0].step + sparse_grid.octave_steps(2))
        return trial, self._payload(trial)

    def _nbytes(self, trial: _Trial) -> int:
        return len(self._payload(trial)) + _FRAME_NBYTES + _PER_COMPONENT * len(trial.components)

    def _payload(self, trial: _Trial) -> bytes:
        return sparse_grid.pack(trial.components, self._splits)

    @property
    def _vertex(self) -> bool:
        return self._job.partition.association == "vertex"


# dB that an octave of the step changes the error by, about.
_DB_PER_OCTAVE = 4.5


def _move(step: int, over: float, last: tuple[int, float] | None, sign: int) -> int:
    """Steps to where a trial is just good enough: along the line through the last two, where both
    tell the same direction, else as if an octave of the step were one of the margin."""
    rate = sign / sparse_grid.octave_steps(1)  # of the margin, by the step
    if last is not None and last[0] != step:
        found = (last[1] - over) / (step - last[0])
        if 0.3 < found / rate < 3:
            rate = found
    aim = over - 0.5 * _SLACK_DB / _DB_PER_OCTAVE if over < 0 or last is not None else over
    most = sparse_grid.octave_steps(4)
    # An exact trial is infinitely better than needed.
    return int(np.clip(np.rint(np.clip(aim, -1e6, 1e6) / rate), -most, most))


# Bytes of a frame besides its payload and grid lines, at most.
_FRAME_NBYTES, _PER_COMPONENT = 110, 36
# Samples whose errors are summed together.
_TOGETHER = 1 << 14
# The roughest axis is that of one of so many lines.
_LINES = 4


def choose_splits(samples: Floats, delta: float) -> list[int]:
    """The axes that each level splits, for one block (nz, ny, nx): see `best_levels`."""
    return best_levels(samples, delta, lambda splits: sparse_kernels().analyse(samples, splits))[0]


def best_levels(
    samples: Floats, delta: float, analyse: Callable[[list[int]], Floats]
) -> tuple[list[int], Floats]:
    """The axes that each level splits, for one block (nz, ny, nx), and its coefficients.

    All axes, but the one with the largest details waits a few levels for the others where that
    costs less: a field that is sampled more coarsely along it. delta: the step for which this is
    estimated. analyse: from levels to coefficients of the samples, in units of the step's.
    """
    details = [-1.0] * 3
    for axis, n in enumerate(samples.shape):
        if n >= _LEAST:
            every = tuple(slice(None) if a == axis else slice(None, None, _LINES) for a in range(3))
            squares = np.square(np.diff(samples[every], 2, axis=axis), dtype=np.float64)
            details[axis] = float(squares.mean())
    slowest = int(np.argmax(details))
    splits = _splits(samples.shape, slowest, 0)
    others = _splits(samples.shape, slowest, 1)
    if others == splits:
        return splits, analyse(splits)
    # Orders of axes differ in the averages alone that the other axes leave.
    waiting = analyse(others[:1])
    averages, low = _low(waiting, others[0])
    coefficients = sparse_kernels().analyse(waiting, [splits[0] & ~others[0]])
    _finish(coefficients, splits)
    best = expected_cost([coefficients], splits, delta), splits, coefficients
    for delay in _DELAYS:
        splits = _splits(samples.shape, slowest, delay)
        if splits == best[1]:
            continue
        found = sparse_kernels().analyse(averages, splits[1:])
        waiting[low] = found
        cost = expected_cost([waiting], splits, delta)
        if cost < best[0]:
            best = cost, splits, found
        elif cost > 1.1 * best[0]:
            break
    cost, splits, found = best
    if found is coefficients:
        return splits, coefficients
    waiting[low] = found
    return splits, waiting


def _finish(coefficients: Floats, splits: list[int]) -> None:
    """Split the averages that the first of the levels leaves, in place."""
    averages, low = _low(coefficients, splits[0])
    coefficients[low] = sparse_kernels().analyse(averages, splits[1:])


def _low(coefficients: Floats, mask: int) -> tuple[Floats, tuple[slice, ...]]:
    """A copy of the averages of a level, and where they are."""
    low = tuple(
        slice((n + 1) // 2 if mask >> (2 - a) & 1 else n) for a, n in enumerate(coefficients.shape)
    )
    return coefficients[low].copy(), low


def even_splits(shape: tuple[int, ...]) -> list[int]:
    """All axes of enough samples at every level."""
    return _splits(shape, 0, 0)


def _splits(shape: tuple[int, ...], axis: int, delay: int) -> list[int]:
    """All axes of at least _LEAST samples at every level, `axis` only after `delay` levels."""
    splits, size = [], list(shape)
    for level in range(64):
        long = [a for a in range(3) if size[a] >= _LEAST]
        if not long:
            break
        axes = [a for a in long if a != axis or level >= delay] or long
        splits.append(sum(1 << (2 - a) for a in axes))
        size = [(n + 1) // 2 if a in axes else n for a, n in enumerate(size)]
    return splits


def agreed_splits(shape: tuple[int, ...], roughness: NDArray[np.float64]) -> list[int]:
    """The axes that each level splits, for a block (nz, ny, nx) of a field: along a face, those of
    all blocks that have it.

    roughness: of the whole field (`GlobalRange`). The roughest axis waits for the others, the
    longer the rougher it is.
    """
    mean = np.sqrt(roughness[:, 0] / np.maximum(roughness[:, 1], 1))
    axis = int(np.argmax(mean))
    others = float(np.delete(mean, axis).max())
    delay = int(sum(mean[axis] > limit * others for limit in _ROUGHER)) if others > 0 else 0
    return _splits(shape, axis, delay)


def _shared_ends(job: TrainingJob) -> tuple[int, Floats, float]:
    """Which ends are kept, the least error of what is shared, in field units, (n_components,), and
    how many times that is the error of what is not quiet."""
    target, extent = job.target, extents(job.whole)
    ends = ends_of(job.partition) if job.whole.roughness is not None else 0
    most = 1.0
    if target.psnr is None and job.bounds is not None:
        errors = np.asarray(job.bounds) / _BOUND_PER_ERROR
    else:
        most = 1 / quiet.FINEST
        errors = extent * 10 ** (-(target.psnr or _DEFAULT_DB) / 20) / most
    known = (extent > 0) & (errors > _LEAST_ERROR) & (errors < 1 / _LEAST_ERROR)
    return (ends if target.ratio is None and known.all() else 0), errors, most


def _earlier(job: TrainingJob) -> tuple[int, list[int]] | None:
    """Step of the first component and splits of the block at the previous step, if it was a sparse
    grid of the same shape."""
    before = job.earlier if job.options.warm_start else None
    if before is None or before.weights.codec != sparse_grid.CODEC:
        return None
    if before.shape != job.partition.shape or before.n_components != job.partition.n_components:
        return None
    try:
        steps, splits = sparse_grid.read_head(before.weights.payload, before.n_components)
    except FrameError:
        return None
    # The step is in units of the block's range, which has changed.
    ratio = float((before.range[0, 1] - before.range[0, 0]) / job.extent[0]) if job.extent[0] else 0
    if not (ratio > 0 and math.isfinite(ratio)):
        return None
    return steps[0] + round(sparse_grid.octaves(ratio)), splits


def _middle(raw: Floats) -> float:
    """The median of some samples: where much of a block is constant, that constant, so that these
    samples take no bits; elsewhere it has few bits, so that it takes few bytes in a header."""
    some = raw[:: 1 + raw.shape[0] // 32, :: 1 + raw.shape[1] // 32, ::7].ravel()
    finite = some[np.isfinite(some)]
    if not finite.size:
        finite = raw[np.isfinite(raw)]
    if not finite.size:
        return 0.0
    middle, width = float(np.median(finite)), float(np.ptp(finite.astype(np.float64)))
    constant = np.count_nonzero(finite == middle) > finite.size * _CONSTANT
    if constant or not 0 < width < np.inf or width < abs(middle) * _NARROW:
        return middle
    unit = 2.0 ** np.floor(np.log2(width * _MIDDLE_ERROR))
    return float(np.rint(middle / unit) * unit)


_CONSTANT = 1 / 64  # of the samples: more that are equal are meant to be
_MIDDLE_ERROR = 2.0**-10  # of the samples' width
_NARROW = 2.0**-20
