"""DSSIM: SSIM for floating-point data, level by level, without rendering an image.

In: decoded values and the truth, 2-D or 3-D. Out: 1 for identical fields, otherwise less.

Baker, Pinard and Hammerling, "On a structural similarity index approach for floating-point data",
IEEE TVCG 30(9), 2024, and its implementation `ssim_fp` in NCAR's ldcpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from insitu.metrics.gaussian import SIZE, moments, similarity

LEVELS = 256
# Both constants only avoid 0/0.
C1 = C2 = 1e-8


def dssim(decoded: ArrayLike, truth: ArrayLike) -> float:
    """DSSIM (the data version) of (ny, nx) fields, or the lowest of all levels (nz, ny, nx).

    Both fields are scaled by their common range at each level and rounded to 256 values; the
    11 x 11 Gaussian window (sigma 1.5) lies entirely inside the level. Values that are not finite
    in either field are left out of a window; levels without finite values are ignored.

    Raises ValueError where shapes differ, a level is smaller than the window or nothing is finite.
    """
    decoded, truth = np.asarray(decoded, np.float64), np.asarray(truth, np.float64)
    if decoded.shape != truth.shape or truth.ndim not in (2, 3):
        raise ValueError(
            f"dssim: shapes {decoded.shape} and {truth.shape}, expected the same 2-D or 3-D shape"
        )
    if min(truth.shape[-2:]) < SIZE:
        raise ValueError(f"dssim: levels {truth.shape[-2:]} are smaller than {SIZE} x {SIZE}")
    levels = truth.shape[-2:]
    values = [
        _level(a, b)
        for a, b in zip(decoded.reshape(-1, *levels), truth.reshape(-1, *levels), strict=True)
    ]
    lowest = float(np.fmin.reduce(values))
    if np.isnan(lowest):
        raise ValueError("dssim: no finite value to compare with")
    return lowest


def _level(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """DSSIM of two levels (ny, nx); NaN where nothing is finite."""
    both = np.stack([a, b])
    both[:, ~np.isfinite(both).all(axis=0)] = np.nan
    if np.isnan(both).all():
        return np.nan
    low, high = np.nanmin(both), np.nanmax(both)
    if high > low:
        both = (both - low) / (high - low)
    elif high != 0:
        both = both / high
    both = np.round(both * (LEVELS - 1)) / (LEVELS - 1)
    values = similarity(moments(both[0], both[1], (0, 1)), C1, C2)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else np.nan
