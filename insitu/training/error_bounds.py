"""Targets expressed as pointwise error bounds.

In: a target, global statistics, a function that compresses a block with given bounds. Out: the
loosest bounds that reach the target, and their result. No communication.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.scaled import ScaledSum, exponent_of
from insitu.engines.options import Errors
from insitu.engines.sparse_kernels import sparse_kernels
from insitu.training.options import Relative, Target
from insitu.training.ranges import GlobalRange

T = TypeVar("T")
Earlier = list[float] | None
"""Where the last of several searches ended; empty before the first."""

_FACTOR = 4.0  # between attempts, until the bound is bracketed
_MOST_FACTORS = 24
_CLOSE = 1.045  # the bound is found to 4 %
_NEAR = 1.045  # the first factor from where the last search ended


def allowed(target: Target, whole: GlobalRange) -> Floats | None:
    """Largest allowed error per component (n_components,); None without `max_error`."""
    if target.max_error is None:
        return None
    if isinstance(target.max_error, Relative):
        return target.max_error.rel * extents(whole)
    return np.full(len(whole.range), float(target.max_error))


def extents(whole: GlobalRange) -> Floats:
    """max - min per component over all ranks; 0 where no sample is finite. Read-only."""
    return whole.extents


def errors_of(decoded: Floats, raw: Floats) -> Errors:
    """Errors of the decoded values of some samples of one component."""
    if decoded.dtype == raw.dtype == np.float32:
        total, most, count = sparse_kernels().differences(decoded, raw)
        if math.isfinite(total) and exponent_of(most) == 0:
            return Errors(total, most, count)
    finite = np.isfinite(raw)
    with np.errstate(invalid="ignore"):
        error = np.abs(decoded.astype(np.float64) - raw.astype(np.float64))
    if not finite.all():
        error = error[finite]
    squares = ScaledSum.of_squares(error)
    return Errors(
        sum_of_squares=squares.value,
        max=float(error.max(initial=0.0)),
        finite=int(finite.sum()),
        exponent=squares.exponent,
    )


def keeps(decoded: Floats, raw: Floats, bound: float) -> bool:
    """Whether decoded values of one component are within the bound, and have exactly the same
    nonfinite values as the raw data."""
    with np.errstate(invalid="ignore"):
        error = np.abs(decoded.astype(np.float64) - raw.astype(np.float64))
    finite = np.isfinite(raw)
    if finite.all():
        return bool((error <= bound).all())  # not where the error is NaN
    within = bool((error[finite] <= bound).all())
    return within and np.array_equal(decoded[~finite], raw[~finite], equal_nan=True)


def largest(make: Callable[[float], T | None], start: float, before: Earlier = None) -> T | None:
    """The result of `make` at approximately the largest number at which it is not None; None where
    it is None at all attempts down to start / 4^24.

    before: where the last search ended; this one begins there, in small steps, and writes its own
    result to it.
    """
    return _extreme(make, start, before, up=True)


def smallest(make: Callable[[float], T | None], start: float, before: Earlier = None) -> T | None:
    """As `largest`, for the smallest number; up to 4^24 start."""
    return _extreme(make, start, before, up=False)


def _extreme(
    make: Callable[[float], T | None], start: float, before: Earlier, up: bool
) -> T | None:
    step = _FACTOR
    if before:
        start, step = before[0], _NEAR
    at, best = start, make(start)
    found = best is not None
    for _ in range(_MOST_FACTORS):
        following = at * step if found == up else at / step
        result = make(following)
        if (result is not None) != found:
            break
        at, best, step = following, result, min(step**2, _FACTOR)
    else:
        return best
    good, bad = (at, following) if found else (following, at)
    best = best if found else result
    while max(good / bad, bad / good) > _CLOSE:
        middle = math.sqrt(good * bad)
        result = make(middle)
        if result is None:
            bad = middle
        else:
            good, best = middle, result
    if before is not None:
        before[:] = [good]
    return best
