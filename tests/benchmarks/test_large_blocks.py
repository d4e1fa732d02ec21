"""The volumes of large blocks, and tolerances that serve the whole of one."""

import large_blocks
import numpy as np
import pytest
from compressors import available

from insitu.metrics import psnr


def test_turbulence_has_its_spectrum() -> None:
    values = large_blocks.turbulent(32)
    power = np.abs(np.fft.rfftn(values)) ** 2
    k = np.fft.fftfreq(32, 1 / 32)
    length = np.sqrt(k[:, None, None] ** 2 + k[:, None] ** 2 + np.arange(17) ** 2)
    shells = [power[(length >= n - 0.5) & (length < n + 0.5)].mean() * n**2 for n in (3, 12)]
    slope = np.log(shells[1] / shells[0]) / np.log(12 / 3)
    assert slope == pytest.approx(-5 / 3, abs=0.4)
    assert np.array_equal(values, large_blocks.turbulent(32))


@pytest.mark.parametrize("name", ["SZ3", "ZFP"])
def test_the_whole_volume_reaches_the_goal(name: str) -> None:
    (compressor,) = (one for one in available()[0] if one.name == name)
    values = large_blocks.smooth(40)
    tolerance = large_blocks.tightened(compressor, values, 42.0)
    packed = compressor.encode(values, tolerance)
    assert psnr(compressor.decode(packed, values.shape, values.dtype), values) >= 42.0
