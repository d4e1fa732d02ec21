"""SSIM: structural similarity of two fields, in windows of 11 samples per axis.

In: decoded values and the truth, 2-D or 3-D. Out: 1 for identical fields, otherwise less.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from insitu.metrics.gaussian import SIZE, moments, similarity
from insitu.metrics.scaled import exponent_of, scaled

K1, K2 = 0.01, 0.03


def ssim(decoded: ArrayLike, truth: ArrayLike, data_range: float | None = None) -> float:
    """Mean structural similarity (Wang et al., IEEE TIP 2004) in a 3-D Gaussian window.

    The window has 11 samples along each axis (sigma 1.5) and lies entirely inside the arrays, as in
    the paper and in scikit-image. It does not extend along axes of one sample, so a single layer is
    compared as a 2-D image. Windows centered on a nonfinite sample are ignored.

    data_range: by default max - min of truth.
    Raises ValueError where shapes differ, an axis is shorter than the window, the range is not
    positive or no sample is finite.
    """
    decoded, truth = np.asarray(decoded, np.float64), np.asarray(truth, np.float64)
    if data_range is None:
        finite = truth[np.isfinite(truth)]
        data_range = float(finite.max() - finite.min()) if finite.size else 0.0
    total, n = ssim_sum(decoded, truth, data_range)
    if not n:
        raise ValueError("ssim: no finite value to compare with")
    return total / n


def ssim_sum(decoded: ArrayLike, truth: ArrayLike, data_range: float) -> tuple[float, int]:
    """Sum and number of the similarities in a part of a field, to be combined over parts.

    Parts that overlap by the window size minus one count every window once. Raises as `ssim`.
    """
    a, b = np.asarray(decoded, np.float64), np.asarray(truth, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"ssim: shapes {a.shape} and {b.shape} differ")
    axes = window_axes(b.shape)
    if not data_range > 0:
        raise ValueError(f"ssim: a range of {data_range:g} is not positive")
    if power := exponent_of(data_range):  # squares would overflow or vanish
        a, b = np.ldexp(a, -power), np.ldexp(b, -power)
        data_range = scaled(data_range, power)
    values = similarity(moments(a, b, axes), (K1 * data_range) ** 2, (K2 * data_range) ** 2)
    finite = values[np.isfinite(values)]
    return float(finite.sum()), int(finite.size)


def window_axes(shape: tuple[int, ...]) -> list[int]:
    """Axes along which the window extends: those of more than one sample. Raises ValueError where
    one is too short."""
    axes = [axis for axis, n in enumerate(shape) if n > 1]
    if not axes or min(shape[axis] for axis in axes) < SIZE:
        raise ValueError(f"ssim: shape {shape} is smaller than the window of {SIZE} samples")
    return axes
