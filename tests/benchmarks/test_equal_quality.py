"""The search for a tolerance: closest from above, whatever the way from tolerance to dB.

In: quantisers with zlib, as plain as a compressor can be. Out: nothing but pass or fail.
"""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from compressors import Compressor, NoResult
from equal_quality import TRIALS, Tolerances

RANDOM = np.random.default_rng(0)
VALUES = np.cumsum(RANDOM.standard_normal((7, 11, 13)), axis=2).astype(np.float32)
RANGE = float(np.ptp(VALUES))


def quantiser(finest: float = 0.0, fails_below: float = 0.0, native: bool = True) -> Compressor:
    """Steps of twice the tolerance, not below `finest`; gives up below a tolerance."""

    def encode(values: np.ndarray, tolerance: float) -> bytes:
        if tolerance < fails_below:
            raise NoResult("too fine")
        step = 2 * max(tolerance, finest)
        numbers = np.rint(values / step).astype(np.int32)
        return np.float64(step).tobytes() + zlib.compress(numbers.tobytes())

    def decode(packed: bytes, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        numbers = np.frombuffer(zlib.decompress(packed[8:]), np.int32)
        return (numbers.reshape(shape) * np.frombuffer(packed[:8])).astype(dtype)

    return Compressor("quantiser", encode, decode, native)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("target", [20.0, 35.0, 60.0])
def test_closest_from_above(target: float, native: bool) -> None:
    outcome = Tolerances(quantiser(native=native), VALUES).reach(target)
    assert outcome is not None
    assert target <= outcome.psnr < target + (0.3 if native else 1.0)


def test_trials_serve_later_targets() -> None:
    tolerances = Tolerances(quantiser(), VALUES)
    first = tolerances.reach(40.0)
    tried = list(tolerances.trials)
    again = tolerances.reach(40.0)
    assert first is not None and again is not None
    assert again.nbytes <= first.nbytes
    assert tolerances.trials[: len(tried)] == tried
    assert len(tolerances.trials) <= len(tried) + TRIALS  # the scan is not repeated


def test_smallest_of_what_reaches() -> None:
    tolerances = Tolerances(quantiser(), VALUES)
    outcome = tolerances.reach(40.0)
    assert outcome is not None
    assert outcome.nbytes == min(t.nbytes for t in tolerances.trials if t.psnr >= 40.0)


def test_out_of_reach() -> None:
    tolerances = Tolerances(quantiser(finest=RANGE / 100), VALUES)
    assert tolerances.reach(30.0) is not None
    assert tolerances.reach(60.0) is None


def test_no_result_only_where_nothing_was_reached() -> None:
    compressor = quantiser(fails_below=RANGE / 100, native=False)
    tolerances = Tolerances(compressor, VALUES)
    assert tolerances.reach(35.0) is not None
    with pytest.raises(NoResult, match="too fine"):
        tolerances.reach(70.0)
    assert tolerances.reach(35.0) is not None


@pytest.mark.parametrize("nbytes", [400, 700, 1500])
def test_best_within_so_many_bytes(nbytes: int) -> None:
    tolerances = Tolerances(quantiser(), VALUES)
    outcome = tolerances.within(nbytes)
    assert outcome is not None and outcome.nbytes <= nbytes
    beyond = [t.nbytes for t in tolerances.trials if t.setting < outcome.setting]
    assert all(n > nbytes for n in beyond)
    assert outcome.psnr == max(t.psnr for t in tolerances.trials if t.nbytes <= nbytes)


def test_no_result_has_so_few_bytes() -> None:
    assert Tolerances(quantiser(), VALUES).within(3) is None
