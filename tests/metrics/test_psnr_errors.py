"""PSNR and the largest error: by definition, by scikit-image, and joined from parts."""

import math

import numpy as np
import pytest
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio

from insitu.metrics import ErrorSums, max_error, psnr


def pair(shape: tuple[int, ...] = (12, 13, 14)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=shape)
    return truth + 0.01 * rng.normal(size=shape), truth


def test_psnr_is_scikit_image_s() -> None:
    decoded, truth = pair()
    extent = float(np.ptp(truth))
    expected = peak_signal_noise_ratio(truth, decoded, data_range=extent)
    assert psnr(decoded, truth) == pytest.approx(expected, abs=1e-9)
    assert ErrorSums.of(decoded, truth).psnr_db == pytest.approx(expected, abs=1e-9)


def test_sums_of_parts_are_those_of_the_whole() -> None:
    decoded, truth = pair()
    whole = ErrorSums.of(decoded, truth)
    parts = ErrorSums()
    for k in range(0, 12, 5):
        parts = parts + ErrorSums.of(decoded[k : k + 5], truth[k : k + 5])
    assert (parts.n, parts.low, parts.high) == (whole.n, whole.low, whole.high)
    assert parts.max_error == whole.max_error == max_error(decoded, truth)
    assert parts.mean_squared_error == pytest.approx(mean_squared_error(truth, decoded), rel=1e-12)


def test_what_is_not_finite_in_the_truth_is_left_out() -> None:
    decoded, truth = pair()
    truth[0, 0, :3] = np.nan, np.inf, -np.inf
    sums = ErrorSums.of(decoded, truth)
    assert sums.n == truth.size - 3
    assert max_error(decoded, truth) == np.abs((decoded - truth)[np.isfinite(truth)]).max()
    assert psnr(decoded, truth) == pytest.approx(sums.psnr_db)


def test_a_decoded_nan_is_an_error() -> None:
    decoded, truth = pair()
    decoded[3, 3, 3] = np.nan
    halves = ErrorSums.of(decoded[:6], truth[:6]) + ErrorSums.of(decoded[6:], truth[6:])
    assert math.isnan(max_error(decoded, truth))
    assert math.isnan(halves.max_error)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="shapes"):
        max_error(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match="no finite"):
        max_error(np.zeros(3), np.full(3, np.nan))
    assert ErrorSums.of([], []) == ErrorSums()
