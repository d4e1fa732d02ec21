"""The peers of the comparison get arrays as they want them, and their traps are known.

In: arrays with three different lengths. Out: nothing but pass or fail.
"""

from __future__ import annotations

import importlib.metadata
import sys

import numpy as np
import pytest
from compressors import Compressor, NoResult, available
from equal_quality import Tolerances

from insitu.metrics import psnr

SHAPE = (12, 40, 33)


def wave(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """Smooth, with another length of wave along each axis."""
    z, y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    return (np.sin(9 * x + 2 * y) * np.cos(3 * z)).astype(np.float32)


def need(name: str) -> Compressor:
    found, missing = available()
    if name in missing:
        pytest.skip(f"{name} is not installed: {missing[name]}")
    return next(compressor for compressor in found if compressor.name == name)


@pytest.mark.parametrize("name", ["ZFP", "SZ3", "SPERR", "TTHRESH"])
def test_bytes_decode_to_the_array(name: str) -> None:
    compressor, values = need(name), wave()
    packed = compressor.encode(values, 0.01)
    assert isinstance(packed, bytes)
    assert len(packed) < values.nbytes / 8
    decoded = compressor.decode(packed, values.shape, values.dtype)
    assert decoded.shape == values.shape
    assert 35 < psnr(decoded, values) < 100  # the array itself would be infinite


@pytest.mark.parametrize("name", ["ZFP", "SZ3", "SPERR", "TTHRESH"])
def test_a_finer_tolerance_costs_bytes_and_gains_dB(name: str) -> None:
    compressor, values = need(name), wave()
    coarse, fine = (compressor.encode(values, tolerance) for tolerance in (0.1, 0.001))
    reached = [
        psnr(compressor.decode(p, values.shape, values.dtype), values) for p in (coarse, fine)
    ]
    assert len(coarse) < len(fine)
    assert reached[0] + 10 < reached[1]


def test_sperr_knows_which_axis_is_which() -> None:
    sperr, values = need("SPERR"), wave((16, 48, 80))
    scrambled = values.reshape(
        values.shape[::-1]
    )  # as the filter takes a shape that is not reversed
    ours, wrong = (Tolerances(sperr, array).reach(40) for array in (values, scrambled))
    assert ours is not None and wrong is not None
    assert ours.nbytes < 0.5 * wrong.nbytes


def test_sperr_decodes_its_bytes_and_nothing_else() -> None:
    sperr = need("SPERR")
    coarse, other = sperr.encode(wave(), 0.3), sperr.encode(-wave(), 0.01)
    assert psnr(sperr.decode(coarse, SHAPE, np.dtype(np.float32)), wave()) < 60
    assert psnr(sperr.decode(other, SHAPE, np.dtype(np.float32)), -wave()) > 35


def test_sperrs_overshoot_is_bisected() -> None:
    sperr, values = need("SPERR"), wave((16, 48, 80))
    asked = float(np.ptp(values)) * 10 ** (-30 / 20)
    given = sperr.decode(sperr.encode(values, asked), values.shape, values.dtype)
    assert psnr(given, values) > 35  # its mode for a PSNR of 30
    outcome = Tolerances(sperr, values).reach(30)
    assert outcome is not None
    assert 30 <= outcome.psnr < 31
    assert outcome.setting > 1.5 * asked


def test_zfps_tolerance_moves_in_powers_of_two() -> None:
    zfp, values = need("ZFP"), wave()
    low, high, beyond = (zfp.encode(values, 2.0**-6 * factor) for factor in (1.01, 1.99, 2.01))
    assert low == high != beyond
    outcome = Tolerances(zfp, values).reach(40)
    assert outcome is not None
    # The next octave does not reach it: there is nothing between the two.
    octave = zfp.encode(values, 2 * outcome.setting)
    assert outcome.psnr >= 40 > psnr(zfp.decode(octave, values.shape, values.dtype), values)


def test_tthresh_imports_beside_any_zfpy_and_leaves_no_trace() -> None:
    version = importlib.metadata.version
    need("TTHRESH")
    assert importlib.metadata.version is version


def test_tthresh_keeps_off_the_table(capfd: pytest.CaptureFixture[str]) -> None:
    tthresh = need("TTHRESH")
    tthresh.decode(tthresh.encode(wave(), 0.01), SHAPE, np.dtype(np.float32))
    assert capfd.readouterr().out == ""


def test_tthresh_that_stops_is_no_result() -> None:
    tthresh = need("TTHRESH")
    with pytest.raises(NoResult):
        tthresh.decode(b"these bytes are nobody's", SHAPE, np.dtype(np.float32))
    assert tthresh.encode(wave(), 0.01)  # and the next array is served


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zfpy", None)
    found, missing = available()
    assert "zfpy" in missing["ZFP"]
    assert "ZFP" not in [compressor.name for compressor in found]
