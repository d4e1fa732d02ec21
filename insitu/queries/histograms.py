"""What is computed from histograms, as Ascent does.

In: counts per bin, the two ends. Out: probabilities, entropy, quantiles, single bins.

Where nothing was counted everything is NaN.
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
    """How many of the finite `values` fall into each bin, (num_bins,).

    Values beyond the ends count in the first and the last bin. Where the ends coincide, all that
    is not above them counts in the first.
    """
    if high > low:
        # Clipped first: an index must fit an integer.
        scaled = (np.clip(values, low, high).astype(np.float64) - low) * (num_bins / (high - low))
        index = np.minimum(scaled.astype(np.int64), num_bins - 1)
    else:
        index = np.where(values > high, num_bins - 1, 0)
    return np.bincount(index.ravel(), minlength=num_bins)


def pdf(histogram: Histogram) -> Histogram:
    """Shares of the whole."""
    total = math.fsum(histogram.value)
    shares = tuple(v / total if total else math.nan for v in histogram.value)
    return Histogram(shares, histogram.min_val, histogram.max_val)


def cdf(histogram: Histogram) -> Histogram:
    """Shares of the whole in a bin and all bins below it."""
    total = math.fsum(histogram.value)
    shares = (v / total if total else math.nan for v in itertools.accumulate(histogram.value))
    return Histogram(tuple(shares), histogram.min_val, histogram.max_val)


def entropy(histogram: Histogram) -> float:
    """Shannon entropy in nats: -sum p ln p over the bins that are not empty."""
    shares = [p for p in pdf(histogram).value if p != 0]
    return -math.fsum(p * math.log(p) for p in shares) + 0.0 if shares else math.nan


def quantile(cumulated: Histogram, q: float, interpolation: str = "linear") -> float:
    """The value below which the share `q` of the data lies, from a cdf.

    interpolation: between the ends of the bin that holds it, one of INTERPOLATIONS. (Ascent
    returns the same for the bin below it.)
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
    """The value of the bin with that index; NaN where there is none."""
    inside = 0 <= index < histogram.num_bins
    return float(histogram.value[int(index)]) if inside else math.nan


def bin_with(histogram: Histogram, value: float) -> float:
    """The value of the bin in which `value` lies; NaN where there is none."""
    low, high, n = histogram.min_val, histogram.max_val, histogram.num_bins
    if not n or not low <= value <= high:
        return math.nan
    index = int((value - low) * (n / (high - low))) if high > low else 0
    return float(histogram.value[min(index, n - 1)])
