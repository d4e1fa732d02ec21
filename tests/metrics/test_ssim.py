"""SSIM against scikit-image, and DSSIM against its definition written as a loop over windows."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from insitu.metrics import dssim, ssim
from insitu.metrics.gaussian import moments
from insitu.metrics.ssim import ssim_sum


def pair(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=shape).cumsum(-1).cumsum(-2)
    return truth + 2 * rng.normal(size=shape), truth


def reference(decoded: np.ndarray, truth: np.ndarray) -> float:
    return float(
        structural_similarity(
            truth,
            decoded,
            data_range=float(np.ptp(truth)),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


@pytest.mark.parametrize("shape", [(17, 19, 23), (31, 20), (11, 11, 11)])
def test_ssim_is_scikit_image_s(shape: tuple[int, ...]) -> None:
    decoded, truth = pair(shape)
    assert 0.2 < ssim(decoded, truth) < 0.999
    assert ssim(decoded, truth) == pytest.approx(reference(decoded, truth), abs=1e-9)


def test_one_layer_is_a_picture() -> None:
    decoded, truth = pair((20, 30))
    assert ssim(decoded[None], truth[None]) == pytest.approx(reference(decoded, truth), abs=1e-9)


def test_parts_that_overlap_by_the_window_join() -> None:
    decoded, truth = pair((30, 14, 15))
    extent = float(np.ptp(truth))
    a = ssim_sum(decoded[:18], truth[:18], extent)
    b = ssim_sum(decoded[8:], truth[8:], extent)
    assert (a[0] + b[0]) / (a[1] + b[1]) == pytest.approx(ssim(decoded, truth), abs=1e-12)


def test_a_ripple_on_a_large_value_is_not_lost() -> None:
    decoded, truth = pair((15, 16, 17))
    near, far = moments(decoded, truth, (0, 1, 2)), moments(decoded + 1e8, truth + 1e8, (0, 1, 2))
    np.testing.assert_allclose(far.covariance, near.covariance, rtol=0, atol=1e-5)
    np.testing.assert_allclose(far.variance_a, near.variance_a, rtol=0, atol=1e-5)


def test_ssim_without_what_is_not_finite() -> None:
    decoded, truth = pair((24, 24, 24))
    clean = ssim(decoded, truth)
    truth[12, 12, 12] = np.nan
    assert ssim(decoded, truth) == pytest.approx(clean, abs=0.01)


def test_refusals() -> None:
    decoded, truth = pair((10, 20, 20))
    with pytest.raises(ValueError, match="window of 11"):
        ssim(decoded, truth)
    with pytest.raises(ValueError, match="not positive"):
        ssim(np.zeros((12, 12)), np.zeros((12, 12)))
    with pytest.raises(ValueError, match="shapes"):
        ssim(np.zeros((12, 12)), np.zeros((12, 13)))
    with pytest.raises(ValueError, match="11 x 11"):
        dssim(np.zeros((5, 10, 20)), np.zeros((5, 10, 20)))
    with pytest.raises(ValueError, match="2-D or 3-D"):
        dssim(np.zeros(30), np.zeros(30))
    with pytest.raises(ValueError, match="no finite"):
        dssim(np.full((12, 12), np.nan), np.zeros((12, 12)))


def slow_dssim(a: np.ndarray, b: np.ndarray) -> float:
    """Window by window, as in section III of the paper: scale, quantise, compare, average."""
    low, high = min(np.nanmin(a), np.nanmin(b)), max(np.nanmax(a), np.nanmax(b))
    a, b = (np.round((v - low) / (high - low) * 255) / 255 for v in (a, b))
    g = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    weights = np.outer(g, g)
    values = []
    for i in range(5, a.shape[0] - 5):
        for j in range(5, a.shape[1] - 5):
            if np.isnan(a[i, j]):
                continue
            x, y = (v[i - 5 : i + 6, j - 5 : j + 6] for v in (a, b))
            ok = ~np.isnan(x)
            x, y, w = x[ok], y[ok], weights[ok]
            mx, my = np.average(x, weights=w), np.average(y, weights=w)
            vx = np.average((x - mx) ** 2, weights=w)
            vy = np.average((y - my) ** 2, weights=w)
            c = np.average((x - mx) * (y - my), weights=w)
            values.append(
                (2 * mx * my + 1e-8) / (mx**2 + my**2 + 1e-8) * (2 * c + 1e-8) / (vx + vy + 1e-8)
            )
    return float(np.mean(values))


def test_dssim_is_its_definition() -> None:
    decoded, truth = pair((20, 24))
    assert dssim(decoded, truth) == pytest.approx(slow_dssim(decoded, truth), abs=1e-9)
    assert dssim(truth, truth) == 1.0


def test_dssim_with_land() -> None:
    decoded, truth = pair((20, 24))
    truth[4:9, 10:15] = decoded[4:9, 10:15] = np.nan
    assert dssim(decoded, truth) == pytest.approx(slow_dssim(decoded, truth), abs=1e-9)


def test_dssim_of_levels_is_the_lowest() -> None:
    decoded, truth = pair((3, 16, 18))
    decoded[1] += np.random.default_rng(0).normal(size=(16, 18)) * 3
    levels = [dssim(a, b) for a, b in zip(decoded, truth, strict=True)]
    assert dssim(decoded, truth) == min(levels) == levels[1]


def test_dssim_of_constants() -> None:
    assert dssim(np.full((12, 12), 3.0), np.full((12, 12), 3.0)) == 1.0
    assert dssim(np.zeros((12, 12)), np.zeros((12, 12))) == 1.0
