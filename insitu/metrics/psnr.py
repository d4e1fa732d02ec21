"""PSNR: the mean squared error against the range, in decibels.

In: a squared error and a range, or two arrays. Out: decibels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike


def psnr_db(mean_squared_error: float, data_range: float) -> float:
    """Peak signal-to-noise ratio, 10 log10(range^2 / MSE), in dB; infinite where nothing is wrong.

    A range of 0 (a constant field) gives infinity or minus infinity.
    """
    if mean_squared_error == 0:
        return math.inf
    if not data_range > 0 or math.isinf(mean_squared_error):
        return -math.inf
    # Not of the quotient, which may leave the range of double precision.
    return 20 * math.log10(data_range) - 10 * math.log10(mean_squared_error)


def joint_psnr_db(
    sums_of_squares: Iterable[float], counts: Iterable[int], extents: Iterable[float]
) -> float:
    """PSNR in dB of several components, of their squared errors (summed), numbers of samples and
    ranges (max - min).

    Each component's error is taken in units of its range, and their mean squares averaged; a
    component of range 0 is left out, unless it alone is wrong.
    """
    total, count = 0.0, 0
    for squares, n, extent in zip(sums_of_squares, counts, extents, strict=True):
        if extent > 0:
            total += squares / extent / extent  # extent**2 may leave double precision
            count += n
        elif squares > 0:
            return psnr_db(squares, 0.0)
    return psnr_db(total / count, 1.0) if count else psnr_db(0.0, 1.0)


def psnr(decoded: ArrayLike, truth: ArrayLike, data_range: float | None = None) -> float:
    """PSNR in dB of `decoded` against `truth`, same shape; over the values where truth is finite.

    data_range: by default max - min of truth, as in the papers; 1.0 suits pictures in [0,1].
    Raises ValueError where the shapes differ or no value is finite.
    """
    decoded, truth = np.asarray(decoded, np.float64), np.asarray(truth, np.float64)
    if decoded.shape != truth.shape:
        raise ValueError(f"psnr: shapes {decoded.shape} and {truth.shape} differ")
    finite = np.isfinite(truth)
    if not finite.any():
        raise ValueError("psnr: no finite value to compare with")
    error = decoded[finite] - truth[finite]
    if data_range is None:
        data_range = float(truth[finite].max() - truth[finite].min())
    return psnr_db(float(np.mean(error**2)), data_range)
