"""Numbers that are coded come back, in few bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.viewer import rans
from insitu.viewer.page import dense
from tests.support.page_numbers import Reader, text_as_bytes

NUMBERS = st.one_of(
    st.integers(-3, 3), st.integers(-300, 300), st.integers(-rans.LARGEST, rans.LARGEST)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(NUMBERS, max_size=120), max_size=6))
def test_arrays_come_back(arrays: list[list[int]]) -> None:
    encoder = rans.Encoder()
    for numbers in arrays:
        encoder.array(np.array(numbers, np.int64))
        encoder.uniform(np.array([len(numbers)]), 7)
    reader = Reader(encoder.bytes())
    for numbers in arrays:
        assert reader.array(len(numbers)) == numbers
        assert reader.uniform(7) == len(numbers)
    assert reader.state == 1 << 16 and not reader.words  # all is read, and as it began


@pytest.mark.parametrize("scale", [0.3, 2.0, 9.0, 200.0])
def test_the_bytes_are_close_to_the_entropy(scale: float) -> None:
    rng = np.random.default_rng(3)
    arrays = [np.rint(rng.normal(0, scale, 500)).astype(np.int64) for _ in range(20)]
    encoder = rans.Encoder()
    for numbers in arrays:
        encoder.array(numbers)
    _, counts = np.unique(np.concatenate(arrays), return_counts=True)
    shares = counts / counts.sum()
    assert 8 * len(encoder.bytes()) < 1.06 * -(counts * np.log2(shares)).sum() + 20 * 10 + 64


@given(st.binary(max_size=40))
def test_bytes_as_text(data: bytes) -> None:
    text = dense(data)
    assert text_as_bytes(text) == data
    assert not set(text) & set("<>&\"'\\\n\r\0")
    assert len(text) == -(-len(data) * 5 // 4)
