"""Means, variances and covariance in a Gaussian window, for SSIM and DSSIM.

In: two arrays. Out: their local moments where the window lies entirely inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE TIP
# 2004, section III-C: 11 samples, standard deviation 1.5, weights of sum 1.
SIZE, RADIUS, SIGMA = 11, 5, 1.5
_OFFSETS = np.arange(-RADIUS, RADIUS + 1)
WEIGHTS: Floats = np.exp(-0.5 * (_OFFSETS / SIGMA) ** 2)
WEIGHTS /= WEIGHTS.sum()


class Moments(NamedTuple):
    """Local moments of a and b, one value per window position; NaN where its center is NaN."""

    mean_a: Floats
    mean_b: Floats
    variance_a: Floats
    variance_b: Floats
    covariance: Floats


def moments(a: NDArray[Any], b: NDArray[Any], axes: Sequence[int]) -> Moments:
    """Moments of a and b, of equal shape, in a window along `axes`, which become SIZE - 1 shorter.

    Where a or b is not finite, the weight is distributed over the other samples of the window.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    valid = np.isfinite(a) & np.isfinite(b)
    # Relative to the global mean, so that small variations around a large value are not lost.
    centre = float(a[valid].mean()) if valid.any() else 0.0
    share: Floats | None = None
    if valid.all():
        a, b = a - centre, b - centre
    else:
        a, b = np.where(valid, a - centre, 0.0), np.where(valid, b - centre, 0.0)
        share = _smooth(valid.astype(np.float64), axes)
        share[~_centres(valid, axes)] = np.nan

    def mean(values: Floats) -> Floats:
        smooth = _smooth(values, axes)
        return smooth if share is None else smooth / share

    mean_a, mean_b = mean(a), mean(b)
    return Moments(
        mean_a + centre,
        mean_b + centre,
        mean(a * a) - mean_a**2,
        mean(b * b) - mean_b**2,
        mean(a * b) - mean_a * mean_b,
    )


def similarity(of: Moments, c1: float, c2: float) -> Floats:
    """SSIM at every window position, Wang et al. eq. (13)."""
    luminance = (2 * of.mean_a * of.mean_b + c1) / (of.mean_a**2 + of.mean_b**2 + c1)
    structure = (2 * of.covariance + c2) / (of.variance_a + of.variance_b + c2)
    return np.asarray(luminance * structure)


def _smooth(values: Floats, axes: Sequence[int]) -> Floats:
    """Weighted sums along each of `axes` in turn; the window is separable."""
    for axis in axes:
        lines = np.moveaxis(values, axis, 0)
        n = lines.shape[0] - 2 * RADIUS
        total = WEIGHTS[RADIUS] * lines[RADIUS : RADIUS + n]
        for k in range(RADIUS):  # symmetric
            total += WEIGHTS[k] * (lines[k : k + n] + lines[2 * RADIUS - k : 2 * RADIUS - k + n])
        values = np.moveaxis(total, 0, axis)
    return values


def _centres(valid: NDArray[np.bool_], axes: Sequence[int]) -> NDArray[np.bool_]:
    box = [slice(RADIUS, -RADIUS) if axis in axes else slice(None) for axis in range(valid.ndim)]
    return valid[tuple(box)]
