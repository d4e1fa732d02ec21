"""PSNR: the mean squared error relative to the range, in decibels.

In: a squared error and a range, or two arrays. Out: decibels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from insitu.core.scaled import ScaledSum, scaled


def psnr_db(mean_squared_error: float, data_range: float) -> float:
    """Peak signal-to-noise ratio, 10 log10(range^2 / MSE), in dB; infinite for an error of 0.

    A range of 0 (a constant field) gives infinity or minus infinity.
    """
    if mean_squared_error == 0:
        return math.inf
    if not data_range > 0 or math.isinf(mean_squared_error):
        return -math.inf
    # Not the logarithm of the quotient, which may overflow double precision.
    return 20 * math.log10(data_range) - 10 * math.log10(mean_squared_error)


def joint_psnr_db(
    sums_of_squares: Iterable[float],
    counts: Iterable[int],
    extents: Iterable[float],
    exponents: Iterable[int] | None = None,
) -> float:
    """PSNR in dB of several components, from their sums of squared errors, numbers of samples and
    ranges (max - min).

    Errors are in units of each component's range, and the mean squares are averaged. A component
    of range 0 is left out, unless it is the only one with errors.

    exponents: of each sum, which is in units of 4**exponent (`core.scaled`); default: 0.
    """
    total, count = 0.0, 0
    if exponents is not None:
        extents = map(scaled, extents, exponents)
    for squares, n, extent in zip(sums_of_squares, counts, extents, strict=True):
        if extent > 0:
            total += squares / extent / extent  # extent**2 may overflow double precision
            count += n
        elif squares > 0:
            return psnr_db(squares, 0.0)
    return psnr_db(total / count, 1.0) if count else psnr_db(0.0, 1.0)


def psnr(decoded: ArrayLike, truth: ArrayLike, data_range: float | None = None) -> float:
    """PSNR in dB of `decoded` relative to `truth`, of equal shape, where truth is finite.

    data_range: by default max - min of truth, as in the papers; 1.0 is suitable for images in
    [0, 1].
    Raises ValueError where the shapes differ or no value is finite.
    """
    decoded, truth = np.asarray(decoded, np.float64), np.asarray(truth, np.float64)
    if decoded.shape != truth.shape:
        raise ValueError(f"psnr: shapes {decoded.shape} and {truth.shape} differ")
    finite = np.isfinite(truth)
    if not finite.any():
        raise ValueError("psnr: no finite value to compare with")
    squares = ScaledSum.of_squares(decoded[finite] - truth[finite])
    if data_range is None:
        data_range = float(truth[finite].max() - truth[finite].min())
    return psnr_db(squares.value / int(finite.sum()), scaled(data_range, squares.exponent))
