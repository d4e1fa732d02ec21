"""Binnings: a variable reduced in the bins of one or more axes, as Ascent's data binning.

In: values at samples, axes. Out: partial results that can be added, and the value of each bin.

A bin contains its lower edge and not its upper one. The bins of the first axis are next to each
other. Sums are in float64: their last digits may depend on the number of ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.queries.values import Bin, BinAxis, Binning, Extremum

REDUCTIONS = ("min", "max", "sum", "avg", "pdf", "std", "var", "rms", "count")
MOST_BINS = 1 << 20

Floats = NDArray[np.float64]


def uniform(name: str, num_bins: int, low: float, high: float, clamp: bool) -> BinAxis:
    """An axis of bins of equal width."""
    edges = np.linspace(low, high, num_bins + 1)
    return BinAxis(name, tuple(edges.tolist()), True, clamp)


def homes(values: Sequence[NDArray[Any]], axes: Sequence[BinAxis]) -> NDArray[np.int64]:
    """The index of the bin of each sample, one array of values per axis; -1 for none, which is also
    that of NaN."""
    found = np.zeros(np.broadcast_shapes(*(v.shape for v in values)), np.int64)
    outside = np.zeros(found.shape, bool)
    stride = 1
    for along, axis in zip(values, axes, strict=True):
        number = np.asarray(along, np.float64)
        edges = np.asarray(axis.edges)
        index = np.searchsorted(edges, number, side="right") - 1
        missing = np.isnan(number)
        if axis.clamp:
            index = np.clip(index, 0, axis.num_bins - 1)
        else:
            missing = missing | (index < 0) | (index >= axis.num_bins)
        outside = outside | missing
        found = found + np.where(missing, 0, index) * stride
        stride *= axis.num_bins
    return np.where(outside, -1, found)


def empty(how: str, num_bins: int) -> Floats:
    """The partial result of no samples, (rows, num_bins): of min and max the least value and the
    least negated one; of all others counts, sums and sums of squares."""
    return np.full((1, num_bins), np.inf) if how in ("min", "max") else np.zeros((3, num_bins))


def of_samples(how: str, values: NDArray[Any], home: NDArray[np.int64], num_bins: int) -> Floats:
    """The partial result of some samples: finite values in a bin count."""
    chosen = (home >= 0) & np.isfinite(values)
    numbers, bins = np.asarray(values, np.float64)[chosen], home[chosen]
    found = empty(how, num_bins)
    if how in ("min", "max"):
        np.minimum.at(found[0], bins, numbers if how == "min" else -numbers)
        return found
    for power in range(3):
        weights = None if power == 0 else numbers**power
        found[power] = np.bincount(bins, weights, minlength=num_bins)
    return found


def added(how: str, one: Floats, other: Floats) -> Floats:
    """Two partial results as one."""
    return np.minimum(one, other) if how in ("min", "max") else one + other


def result(how: str, partial: Floats, empty_value: float) -> tuple[float, ...]:
    """The value of each bin. pdf is the share of the sum over all bins."""
    if how in ("min", "max"):
        value = partial[0] if how == "min" else -partial[0]
        there = np.isfinite(partial[0])
        return tuple(np.where(there, value, empty_value).tolist())
    count, total, squares = partial
    with np.errstate(all="ignore"):
        mean = total / count
        variance = np.maximum(squares / count - mean * mean, 0)
        value = {
            "count": count,
            "sum": total,
            "avg": mean,
            "pdf": total / total.sum(),
            "var": variance,
            "std": np.sqrt(variance),
            "rms": np.sqrt(squares / count),
        }[how]
    return tuple(np.where(count > 0, value, empty_value).tolist())


def _centers(axis: BinAxis) -> Floats:
    edges = np.asarray(axis.edges)
    return 0.5 * (edges[1:] + edges[:-1])


def _bin(binning: Binning, index: int) -> Bin:
    axis = binning.axes[0]
    low, high = axis.edges[index], axis.edges[index + 1]
    return Bin(binning.value[index], low, high, 0.5 * (low + high))


def bin_at(binning: Binning, index: float) -> Bin:
    """The bin with that index; its place is along the first axis. NaN if there is none."""
    if not 0 <= index < binning.num_bins:
        return Bin(*(np.nan,) * 4)
    first = _bin(binning, int(index) % binning.axes[0].num_bins)
    return Bin(binning.value[int(index)], first.min, first.max, first.center)


def first_beyond(
    binning: Binning, threshold: float, point: float, miss: float, direction: float
) -> Bin:
    """point_and_axis: the bin nearest to a point of its only axis, on one side (direction 1: above,
    -1: below), whose value is above a threshold; all `miss` if there is none."""
    if not binning.value:
        return Bin(*(np.nan,) * 4)
    ahead = (_centers(binning.axes[0]) - point) * direction
    candidates = (np.asarray(binning.value) > threshold) & (ahead >= 0)
    if not candidates.any():
        return Bin(*(miss,) * 4)
    return _bin(binning, int(np.argmin(np.where(candidates, ahead, np.inf))))


def max_from_point(binning: Binning, along: int, point: float) -> Extremum:
    """The greatest value; of bins that share it, the one nearest to a point of its only axis. The
    position is the vector from the point to its centre."""
    position = [0.0, 0.0, 0.0]
    if not binning.value:
        return Extremum(np.nan, (np.nan, np.nan, np.nan))
    values, away = np.asarray(binning.value), _centers(binning.axes[0]) - point
    chosen = int(np.argmin(np.where(values == values.max(), np.abs(away), np.inf)))
    position[along] = float(away[chosen])
    x, y, z = position
    return Extremum(float(values[chosen]), (x, y, z))
