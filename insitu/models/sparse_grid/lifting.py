"""The 4-point Deslauriers-Dubuc wavelet, by lifting: the reference, with matrices.

In: samples along one axis. Out: half as many averages, and the details that they do not predict.

Deslauriers and Dubuc, "Symmetric iterative interpolation processes", 1989; Sweldens, "The lifting
scheme", 1996. Even samples e and odd samples o become

    d = o - P e     the detail: what the cubic polynomial through four even samples misses
    s = e + U d     the average, so that sums are preserved

and back: e = s - U d, o = d + P e. Both directions are linear, and exact up to rounding.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats

Matrix = NDArray[np.float64]

WEIGHTS = np.array([-1, 9, 9, -1])
"""Of samples at -3, -1, 1, 3; a sixteenth of it is the cubic polynomial through them."""


@lru_cache(maxsize=256)
def predict_matrix(n: int) -> Matrix:
    """P for n samples: (n // 2, (n + 1) // 2)."""
    return _constant(_mirrored(n, range(1, n, 2), 1 / 16))


@lru_cache(maxsize=256)
def update_matrix(n: int, keep: tuple[bool, bool] = (False, False)) -> Matrix:
    """U for n samples: ((n + 1) // 2, n // 2).

    keep: whether the sample at the (low, high) end is left as it is, because a neighbor shares it:
    its row is zero. The high end is an even sample only where n is odd.
    """
    matrix = _mirrored(n, range(0, n, 2), 1 / 32)
    if keep[0]:
        matrix[0] = 0
    if keep[1] and n % 2:
        matrix[-1] = 0
    return _constant(matrix)


def _mirrored(n: int, places: range, unit: float) -> Matrix:
    """Weights of the samples of the other kind at -3, -1, 1, 3 from each place. Beyond the ends,
    samples are mirrored, as in JPEG 2000: one-sided polynomials take up to 40 % more bytes."""
    others = n // 2 if places.start == 0 else (n + 1) // 2
    matrix = np.zeros((len(places), others))
    if n == 1:
        return matrix
    for row, place in zip(matrix, places, strict=True):
        for offset, weight in zip((-3, -1, 1, 3), WEIGHTS, strict=True):
            at = place + offset
            while not 0 <= at < n:
                at = -at if at < 0 else 2 * (n - 1) - at
            row[at // 2] += unit * weight
    return matrix


def analyse(samples: Floats, axis: int, keep: tuple[bool, bool] = (False, False)) -> Floats:
    """One step along an axis: n samples -> (n + 1) // 2 averages, then n // 2 details."""
    values = np.moveaxis(np.asarray(samples, np.float64), axis, 0)
    even, odd = values[0::2], values[1::2]
    n = len(values)
    details = odd - _along(predict_matrix(n), even)
    averages = even + _along(update_matrix(n, keep), details)
    return np.moveaxis(np.concatenate([averages, details]), 0, axis)


def synthesise(averaged: Floats, axis: int, keep: tuple[bool, bool] = (False, False)) -> Floats:
    """Inverse of `analyse`."""
    values = np.moveaxis(np.asarray(averaged, np.float64), axis, 0)
    n = len(values)
    averages, details = values[: (n + 1) // 2], values[(n + 1) // 2 :]
    even = averages - _along(update_matrix(n, keep), details)
    samples = np.empty_like(values)
    samples[0::2] = even
    samples[1::2] = details + _along(predict_matrix(n), even)
    return np.moveaxis(samples, 0, axis)


def adjoint(samples: Floats, axis: int, keep: tuple[bool, bool] = (False, False)) -> Floats:
    """Transpose of `synthesise`, so that gradients by samples become those by coefficients."""
    values = np.moveaxis(np.asarray(samples, np.float64), axis, 0)
    n = len(values)
    even = values[0::2] + _along(predict_matrix(n).T, values[1::2])
    details = values[1::2] - _along(update_matrix(n, keep).T, even)
    return np.moveaxis(np.concatenate([even, details]), 0, axis)


@lru_cache(maxsize=1)
def norms(most: int = 28) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """L2 norms, over the samples, of the functions that one average and one detail stand for after
    1, 2, .. `most` steps along an axis, away from its ends. The k-th entry is after k + 1 steps. No
    axis of the 2^28 samples that a block may have takes more."""
    low: list[float] = []
    high: list[float] = []
    for found, first in ((low, 16), (high, 48)):  # of 64: the averages come first
        impulse: Floats = np.zeros(64)
        impulse[first] = 1
        for step in range(most):
            if step < 6:
                impulse = synthesise(impulse, 0)
                found.append(float(np.linalg.norm(impulse)))
                impulse = np.concatenate([impulse, np.zeros(len(impulse))])
            else:  # each further step doubles the samples
                found.append(found[-1] * np.sqrt(2))
    return tuple(low), tuple(high)


def _along(matrix: Matrix, values: Floats) -> Floats:
    return np.tensordot(matrix, values, axes=1)


def _constant(matrix: Matrix) -> Matrix:
    matrix.flags.writeable = False
    return matrix
