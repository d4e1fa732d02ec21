"""Metrics do not depend on the unit, even where squares vanish or overflow."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from insitu.core.scaled import ScaledSum
from insitu.fields.metrics import FieldMetrics
from insitu.io.array_source import ArrayVolume
from insitu.io.comparison import compare
from insitu.io.compress import compress
from insitu.io.compressed_array import CompressedArray
from insitu.metrics import ErrorSums, dssim, psnr, ssim
from tests.support.waves import waves

UNITS = [2.0**power for power in (-990, -530, -401, 401, 530, 990)]
TRUTH = waves((14, 16, 30), np.float64)
DECODED = TRUTH + np.random.default_rng(0).normal(scale=1e-3, size=TRUTH.shape)

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize("unit", UNITS)
def test_metrics(unit: float) -> None:
    for metric in (psnr, ssim, dssim):
        assert metric(unit * DECODED, unit * TRUTH) == pytest.approx(metric(DECODED, TRUTH), 1e-9)
    plain, found = (ErrorSums.of(u * DECODED, u * TRUTH) for u in (1.0, unit))
    assert found.psnr_db == pytest.approx(plain.psnr_db, 1e-12)
    assert found.root_mean_square == pytest.approx(unit * plain.root_mean_square, 1e-12)
    halves = [ErrorSums.of(unit * DECODED[half], unit * TRUTH[half]) for half in np.s_[:7, 7:]]
    assert (halves[0] + halves[1]).psnr_db == pytest.approx(plain.psnr_db, 1e-12)


@pytest.mark.parametrize("unit", UNITS)
def test_comparison(unit: float) -> None:
    plain, found = (
        compare(ArrayVolume(u * TRUTH), ArrayVolume(u * DECODED)).to_dict() for u in (1.0, unit)
    )
    for name in ("psnr_db", "ssim", "dssim", "max_error_of_range"):
        assert found[name] == pytest.approx(plain[name], 1e-9)


def test_sums_of_sizes_that_differ() -> None:
    large, small, usual = (ScaledSum.of_squares(np.full(3, size)) for size in (1e200, 1e-200, 1.0))
    assert large + small == large + usual == large
    assert usual + small == usual == usual + ScaledSum()
    assert math.isnan(ScaledSum.of_squares(np.array([np.nan, 1e200])).value)


def test_the_metrics_of_all_blocks() -> None:
    def of(*errors: float) -> FieldMetrics:
        sums = [ScaledSum.of_squares(np.array([error])) for error in errors]
        powers = tuple(each.exponent for each in sums)
        return FieldMetrics(
            tuple(each.value for each in sums), (1,) * len(errors), max(errors), 0, 0, 1,
            exponents=powers if any(powers) else (),
        )  # fmt: skip

    total = FieldMetrics.total([of(1e-170, 0.1), of(1e-170, 0.1), of(0.0, 0.1)])
    assert total.psnr_db([1e-168, 10.0]) == pytest.approx(
        -10 * math.log10((2 * 1e-4 + 3 * 1e-4) / 6), 1e-9
    )
    assert FieldMetrics.from_dict(total.to_dict()) == total
    assert "exponents" not in of(0.5).to_dict()


@pytest.mark.parametrize("unit", [UNITS[0], UNITS[1], UNITS[-2], UNITS[-1]])
@pytest.mark.parametrize(
    ("codec", "target"),
    [
        ("inr", {"psnr": 35.0}),
        ("inr", {"ratio": 20.0}),
        ("inr", {"max_error": {"rel": 0.02}}),
        ("sz3", {"psnr": 45.0}),
        ("zfp", {"psnr": 45.0}),
    ],
)
def test_compression(unit: float, codec: str, target: dict[str, Any], tmp_path: Path) -> None:
    array = compress(unit * TRUTH, codec=codec, **target)
    reached = psnr(array.decode(), unit * TRUTH)
    assert array.psnr_db == pytest.approx(reached, abs=1e-3)
    assert reached > 15
    assert reached >= target.get("psnr", 0.0)
    errors = np.abs(array.decode() - unit * TRUTH)
    assert array.metrics.max_error == pytest.approx(errors.max(), rel=1e-3)
    if "max_error" in target:
        assert errors.max() <= 0.02 * np.ptp(unit * TRUTH)
    array.save(tmp_path / "a.insitu")
    again = CompressedArray.open(tmp_path / "a.insitu")
    assert again.metrics == array.metrics
    np.testing.assert_array_equal(again.decode(), array.decode())
