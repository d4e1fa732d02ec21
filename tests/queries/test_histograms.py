"""Histograms and what is computed from them, against NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.queries import histograms
from insitu.queries.values import Histogram

DATA = np.random.default_rng(8).normal(size=5000)
COUNTS, EDGES = np.histogram(DATA, 64, (-2.5, 2.5))
CLIPPED = np.clip(DATA, -2.5, 2.5 - 1e-9)
HISTOGRAM = Histogram(tuple(histograms.counted(DATA, 64, -2.5, 2.5).astype(float)), -2.5, 2.5)


def test_counts_clamp_at_the_ends():
    expected, _ = np.histogram(CLIPPED, 64, (-2.5, 2.5))
    np.testing.assert_array_equal(HISTOGRAM.value, expected)
    huge = np.array([-1.7e308, 1.7e308, 0.0], np.float64)
    assert histograms.counted(huge, 4, -1.0, 1.0).tolist() == [1, 0, 1, 1]


def test_where_all_is_one_value_the_first_bin_has_it():
    found = histograms.counted(np.full(7, 3.0), 5, 3.0, 3.0)
    assert found.tolist() == [7, 0, 0, 0, 0]
    flat = Histogram((7.0, 0.0, 0.0, 0.0, 0.0), 3.0, 3.0)
    assert histograms.entropy(flat) == 0.0
    assert histograms.quantile(histograms.cdf(flat), 0.5) == 3.0
    assert histograms.bin_with(flat, 3.0) == 7.0


def test_shares_and_entropy():
    shares = np.array(HISTOGRAM.value) / DATA.size
    np.testing.assert_allclose(histograms.pdf(HISTOGRAM).value, shares)
    np.testing.assert_allclose(histograms.cdf(HISTOGRAM).value, np.cumsum(shares))
    some = shares[shares > 0]
    assert histograms.entropy(HISTOGRAM) == pytest.approx(-(some * np.log(some)).sum())


@settings(max_examples=100, deadline=None)
@given(st.floats(0.02, 0.98))
def test_quantiles_are_those_of_the_data_within_a_bin(q):
    cumulated = histograms.cdf(HISTOGRAM)
    width = 5.0 / 64
    assert histograms.quantile(cumulated, q) == pytest.approx(np.quantile(DATA, q), abs=width)
    found = {kind: histograms.quantile(cumulated, q, kind) for kind in histograms.INTERPOLATIONS}
    assert found["lower"] <= found["linear"] <= found["higher"]
    assert found["higher"] - found["lower"] == pytest.approx(width)
    assert found["midpoint"] == pytest.approx(found["lower"] + width / 2)
    assert found["nearest"] in (found["lower"], found["higher"])


def test_quantiles_of_uniform_data_are_exact():
    cumulated = histograms.cdf(Histogram((5.0,) * 4, 0.0, 8.0))
    for q in (0.0, 0.25, 0.5, 0.6, 1.0):
        assert histograms.quantile(cumulated, q) == pytest.approx(8 * q)


def test_bins_by_index_and_value():
    histogram = Histogram((1.0, 2.0, 3.0), 0.0, 3.0)
    assert [histograms.bin_at(histogram, i) for i in (0, 2)] == [1.0, 3.0]
    assert [histograms.bin_with(histogram, v) for v in (0.0, 1.5, 3.0)] == [1.0, 2.0, 3.0]
    for outside in (histograms.bin_at(histogram, 3), histograms.bin_with(histogram, 3.1)):
        assert math.isnan(outside)


def test_nothing_counted_is_nan():
    for empty in (Histogram((0.0, 0.0), math.nan, math.nan), Histogram((), math.nan, math.nan)):
        assert math.isnan(histograms.entropy(empty))
        assert math.isnan(histograms.quantile(histograms.cdf(empty), 0.5))
    assert math.isnan(histograms.bin_with(Histogram((0.0, 0.0), math.nan, math.nan), 1.0))
