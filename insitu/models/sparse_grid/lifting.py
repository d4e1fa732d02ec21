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
from insitu.models.sparse_grid.lines import Line, line

Matrix = NDArray[np.float64]

OFFSETS = (-3, -1, 1, 3)
WEIGHTS = np.array([-1, 9, 9, -1])
"""Of samples at these offsets; a sixteenth of it is the cubic polynomial through them."""


@lru_cache(maxsize=256)
def predict_matrix(samples: Line) -> Matrix:
    """P: (n // 2, (n + 1) // 2)."""
    if not any(samples.keep):
        return _constant(_mirrored(len(samples), range(1, len(samples), 2), 1 / 16))
    return _constant(_beside_kept(samples))


@lru_cache(maxsize=256)
def update_matrix(samples: Line) -> Matrix:
    """U: ((n + 1) // 2, n // 2). Where an end is kept, half the transpose of P, so that details
    change no sum but that of the kept sample, whose row is zero."""
    if not any(samples.keep):
        return _constant(_mirrored(len(samples), range(0, len(samples), 2), 1 / 32))
    matrix = predict_matrix(samples).T / 2
    if samples.keep[0]:
        matrix[0] = 0
    if samples.keep[1]:
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
        for offset, weight in zip(OFFSETS, WEIGHTS, strict=True):
            at = place + offset
            while not 0 <= at < n:
                at = -at if at < 0 else 2 * (n - 1) - at
            row[at // 2] += unit * weight
    return matrix


def _beside_kept(samples: Line) -> Matrix:
    """P on a line with a kept end, where nothing is mirrored: next to it, and where samples are not
    regular, by the polynomial through the averages, two on either side as far as there are."""
    even, places = samples.even, np.array(samples.places)
    matrix = np.zeros((len(samples.odd), len(even)))
    for row, i in zip(matrix, samples.odd.tolist(), strict=True):
        regular = _regular(samples, i)
        if regular is not None:
            for at, weight in zip(regular, WEIGHTS, strict=True):
                row[np.searchsorted(even, at)] += weight / 16
            continue
        right = int(np.searchsorted(even, i))
        near = np.arange(max(right - 2, 0), min(right + 2, len(even)))
        for j in near:
            others = places[even[near[near != j]]]
            row[j] = np.prod((places[i] - others) / (places[even[j]] - others))
    return matrix


def _regular(samples: Line, i: int) -> list[int] | None:
    """The averages at -3, -1, 1, 3 from sample i, mirrored at an end that is not kept; None where
    there are none at equal distances."""
    n, p = len(samples), samples.places
    found, units = [], []
    for offset in OFFSETS:
        at = i + offset
        if at < 0:
            at = -at
            if samples.keep[0] or at >= n:
                return None
            place = 2 * p[0] - p[at]
        elif at >= n:
            at = 2 * (n - 1) - at
            if samples.keep[1] or at < 0:
                return None
            place = 2 * p[-1] - p[at]
        else:
            place = p[at]
        if at not in samples.even:
            return None
        found.append(at)
        units.append((place - p[i]) / offset)
    return found if np.ptp(units) <= 1e-9 * units[0] else None


def analyse(samples: Floats, axis: int, along: Line | None = None) -> Floats:
    """One step along an axis: n samples -> (n + 1) // 2 averages, then n // 2 details.

    along: where the samples lie, and which are kept; by default, regular and none."""
    values = np.moveaxis(np.asarray(samples, np.float64), axis, 0)
    along = along or line(len(values))
    even, odd = values[along.even], values[along.odd]
    details = odd - _along(predict_matrix(along), even)
    averages = even + _along(update_matrix(along), details)
    return np.moveaxis(np.concatenate([averages, details]), 0, axis)


def synthesise(averaged: Floats, axis: int, along: Line | None = None) -> Floats:
    """Inverse of `analyse`."""
    values = np.moveaxis(np.asarray(averaged, np.float64), axis, 0)
    along = along or line(len(values))
    averages, details = values[: len(along.even)], values[len(along.even) :]
    even = averages - _along(update_matrix(along), details)
    samples = np.empty_like(values)
    samples[along.even] = even
    samples[along.odd] = details + _along(predict_matrix(along), even)
    return np.moveaxis(samples, 0, axis)


def adjoint(samples: Floats, axis: int, along: Line | None = None) -> Floats:
    """Transpose of `synthesise`, so that gradients by samples become those by coefficients."""
    values = np.moveaxis(np.asarray(samples, np.float64), axis, 0)
    along = along or line(len(values))
    even = values[along.even] + _along(predict_matrix(along).T, values[along.odd])
    details = values[along.odd] - _along(update_matrix(along).T, even)
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
