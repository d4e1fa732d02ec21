"""Functions of histograms, as in Ascent.

In: counts per bin, the range. Out: probabilities, entropy, quantiles, single bins.

For an empty histogram all results are NaN.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.queries.values import Histogram

INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")
NUM_BINS = 256


def counted(values: NDArray[Any], num_bins: int, low: float, high: float) -> NDArray[np.int64]:
    """Number of finite `values` in each bin, (num_bins,).

    Values outside the range count in the first or last bin. If the range is empty, all values not
    above it count in the first.
    """
    if high > low:
        # Clip before the cast: the index must fit an integer.
        scaled = (np.clip(values, low, high).astype(np.float64) - low) * (num_bins / (high - low))
        index = np.minimum(scaled.astype(np.int64), num_bins - 1)
    else:
        index = np.where(values > high, num_bins - 1, 0)
    return np.bincount(index.ravel(), minlength=num_bins)


def pdf(histogram: Histogram) -> Histogram:
    """Fraction of the total in each bin."""
    total = math.fsum(histogram.value)
    shares = tuple(v / total if total else math.nan for v in histogram.value)
    return Histogram(shares, histogram.min_val, histogram.max_val)


def cdf(histogram: Histogram) -> Histogram:
    """Fraction of the total in each bin and all bins below it."""
    total = math.fsum(histogram.value)
    shares = (v / total if total else math.nan for v in itertools.accumulate(histogram.value))
    return Histogram(tuple(shares), histogram.min_val, histogram.max_val)


def entropy(histogram: Histogram) -> float:
    """Shannon entropy in nats: -sum p ln p over the non-empty bins."""
    shares = [p for p in pdf(histogram).value if p != 0]
    return -math.fsum(p * math.log(p) for p in shares) + 0.0 if shares else math.nan


def quantile(cumulated: Histogram, q: float, interpolation: str = "linear") -> float:
    """The `q`-quantile (0 to 1) of the data, from a cdf.

    interpolation: within the bin that contains it, one of INTERPOLATIONS. (Ascent uses the bin
    below.)
    """
    shares = cumulated.value
    if not shares or math.isnan(shares[-1]) or not 0 <= q <= 1:
        return math.nan
    index = next((i for i, share in enumerate(shares) if share >= q and share > 0), len(shares) - 1)
    width = (cumulated.max_val - cumulated.min_val) / len(shares)
    low = cumulated.min_val + index * width
    high = low + width
    below = shares[index - 1] if index else 0.0
    fraction = (q - below) / (shares[index] - below) if shares[index] > below else 1.0
    exact = low + (high - low) * min(fraction, 1.0)
    return {
        "linear": exact,
        "lower": low,
        "higher": high,
        "midpoint": 0.5 * (low + high),
        "nearest": low if exact - low < high - exact else high,
    }[interpolation]


def bin_at(histogram: Histogram, index: float) -> float:
    """The value of the bin with that index; NaN if there is none."""
    inside = 0 <= index < histogram.num_bins
    return float(histogram.value[int(index)]) if inside else math.nan


def bin_with(histogram: Histogram, value: float) -> float:
    """The value of the bin that contains `value`; NaN if there is none."""
    low, high, n = histogram.min_val, histogram.max_val, histogram.num_bins
    if not n or not low <= value <= high:
        return math.nan
    index = int((value - low) * (n / (high - low))) if high > low else 0
    return float(histogram.value[min(index, n - 1)])
