"""Weights as bytes: what half precision holds comes back exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from insitu.codec import weights
from insitu.codec.frame import FrameError


@given(arrays(np.float32, st.integers(0, 500), elements=st.floats(-60000, 60000, width=32)))
def test_round_trip(params: np.ndarray) -> None:
    rounded = weights.half(params)
    np.testing.assert_array_equal(rounded, params.astype(np.float16))
    np.testing.assert_array_equal(weights.decode(weights.encode(rounded), len(params)), rounded)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e6])
def test_what_half_precision_cannot_hold_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="does not fit half precision"):
        weights.half(np.array([0, bad], np.float32))


def test_wrong_lengths_are_refused() -> None:
    payload = weights.encode(np.zeros(100, np.float32))
    for n in (0, 99, 101, 10**6):
        with pytest.raises(FrameError):
            weights.decode(payload, n)
    with pytest.raises(FrameError):
        weights.decode(b"not zstd", 100)
