"""Compared box by box, volumes give the metrics of the whole arrays."""

import numpy as np
import pytest

from insitu.core.errors import ConfigError
from insitu.io.array_source import ArrayVolume
from insitu.io.comparison import compare
from insitu.io.compress import compress
from insitu.metrics import GradientError, dssim, max_error, psnr, seam_error, ssim
from tests.support.waves import waves


def pair(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    truth = waves(shape, np.float64)
    return truth, truth + 0.05 * np.random.default_rng(2).normal(size=shape)


@pytest.mark.parametrize("shape", [(20, 70, 140), (1, 30, 150), (40, 41), (12, 30, 40)])
def test_parts_make_the_whole(shape: tuple[int, ...]) -> None:
    truth, decoded = pair(shape)
    found = compare(ArrayVolume(truth), ArrayVolume(decoded)).to_dict()
    assert found["psnr_db"] == pytest.approx(psnr(decoded, truth), abs=1e-9)
    assert found["max_error"] == max_error(decoded, truth)
    assert found["max_error_of_range"] == pytest.approx(found["max_error"] / np.ptp(truth))
    assert found["ssim"] == pytest.approx(ssim(decoded, truth), abs=1e-12)
    assert found["dssim"] == dssim(decoded, truth)
    assert found["seam_ratio"] is None
    if len(shape) == 3 and max(shape) < 129:
        whole = GradientError.of_samples(decoded, truth)
        assert found["normals_deg"] == pytest.approx(whole.normals_deg)
    assert 3 < found["normals_deg"] < 90 and 0 < found["gradient_psnr_db"] < 60


def test_seams_are_those_of_the_blocks() -> None:
    truth = waves((14, 26, 40))
    array = compress(truth, psnr=35, block=14)
    assert array.cuts == ((), (13,), (13, 26))
    found = compare(ArrayVolume(truth), array).to_dict()
    expected = seam_error(array.decode(), truth, array.cuts)
    assert found["seam_ratio"] == pytest.approx(expected.ratio, rel=1e-4)


def test_what_is_too_small_or_constant_has_no_structure() -> None:
    truth, decoded = pair((5, 12, 13))
    found = compare(ArrayVolume(truth), ArrayVolume(decoded))
    assert found.ssim is None
    assert found.dssim == dssim(decoded, truth)
    flat = np.full((12, 12, 12), 3.0)
    assert compare(ArrayVolume(flat), ArrayVolume(flat)).to_dict() == {
        "psnr_db": np.inf,
        "max_error": 0.0,
        "max_error_of_range": None,
        "gradient_psnr_db": np.inf,
        "normals_deg": 0.0,
        "root_mean_square_error": 0.0,
        "ssim": None,
        "dssim": 1.0,
        "seam_ratio": None,
        "nan_count": 0,
        "nan_lost": 0,
        "nan_new": 0,
    }


def test_refusals() -> None:
    truth, decoded = pair((12, 12, 12))
    with pytest.raises(ConfigError, match="shapes differ"):
        compare(ArrayVolume(truth), ArrayVolume(decoded[1:]))
    with pytest.raises(ConfigError, match="no finite value"):
        compare(ArrayVolume(np.full((4, 4, 4), np.nan)), ArrayVolume(np.zeros((4, 4, 4))))


def test_what_is_no_data_in_one_of_them_is_counted() -> None:
    truth, decoded = pair((12, 12, 140))
    truth[:2], decoded[1:3] = np.nan, np.nan
    layer = 12 * 140
    found = compare(ArrayVolume(truth), ArrayVolume(decoded)).to_dict()
    counts = [found[name] for name in ("nan_count", "nan_lost", "nan_new")]
    assert counts == [2 * layer, layer, layer]
