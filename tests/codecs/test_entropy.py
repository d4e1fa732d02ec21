"""The range coder: whole numbers come back, near the entropy, and noise is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from insitu.codecs import _range_coder, entropy, entropy_reference
from insitu.codecs.frame import FrameError

numbers = st.one_of(
    arrays(np.int32, st.integers(0, 300), elements=st.integers(-3, 3)),
    arrays(np.int32, st.integers(0, 300), elements=st.integers(-entropy.LARGEST, entropy.LARGEST)),
)


@settings(deadline=None)
@given(st.lists(numbers, max_size=4))
def test_round_trip(values: list[np.ndarray]) -> None:
    coded = [(array, entropy.Shape.of(array)) for array in values]
    for _, shape in coded:
        shape.check()
    stream = entropy.encode(coded)
    decoded = entropy.decode(stream, [(len(array), shape) for array, shape in coded])
    for again, array in zip(decoded, values, strict=True):
        np.testing.assert_array_equal(again, array)


@pytest.mark.parametrize("width", [0.3, 1, 5, 30, 3000])
def test_length_is_the_entropy(width: float) -> None:
    values = np.rint(np.random.default_rng(0).laplace(size=20000, scale=width)).astype(np.int32)
    stream = entropy.encode([(values, entropy.Shape.of(values))])
    # The entropy of the distribution itself, not of the sample's histogram.
    k = np.arange(-60 * max(width, 1), 60 * max(width, 1) + 1)
    cdf = lambda x: np.where(x < 0, 0.5 * np.exp(x / width), 1 - 0.5 * np.exp(-x / width))  # noqa: E731
    p = cdf(k + 0.5) - cdf(k - 0.5)
    p = p[p > 0]
    bits = -(p * np.log2(p)).sum() * len(values)
    assert 0.97 * bits < 8 * len(stream) < 1.03 * bits


def test_nothing_but_zeros_takes_nothing() -> None:
    zeros = np.zeros(10000, np.int32)
    assert entropy.encode([(zeros, entropy.Shape.of(zeros))]) == b""


@settings(deadline=None)
@given(
    st.binary(max_size=200),
    st.lists(
        st.tuples(
            st.integers(0, 300),
            st.builds(
                entropy.Shape, st.integers(0, 255), st.integers(0, 65535), st.integers(0, 255)
            ),
        ),
        max_size=3,
    ),
)
def test_noise_is_read_or_refused(noise: bytes, wanted: list) -> None:
    try:
        for _, shape in wanted:
            shape.check()
        decoded = entropy.decode(noise, wanted)
    except FrameError:
        return
    assert [len(array) for array in decoded] == [n for n, _ in wanted]


def test_a_symbol_first_seen_after_many_others() -> None:
    """Its probability must not round to nothing (Taylor-Green at 50 dB, a table of 2^16)."""
    rng = np.random.default_rng(0)
    values = np.clip(np.rint(2.4 * rng.normal(size=40_000)), -25, 25).astype(np.int32)
    values[-1], values[5] = 25, -25
    coded = [(values, entropy.Shape.of(values))]
    decoded = entropy.decode(entropy.encode(coded), [(len(values), coded[0][1])])
    np.testing.assert_array_equal(decoded[0], values)


def test_compiled_and_reference_write_the_same_words() -> None:
    """Also where many words wait for a carry, and where only the floor's probability is left."""
    rng = np.random.default_rng(1)
    for _ in range(200):
        arrays = []
        for _ in range(rng.integers(1, 4)):
            n, scale = int(rng.integers(0, 700)), 10 ** rng.uniform(-2, 6)
            values = np.clip(rng.laplace(size=n) * scale, -(2**30), 2**30)
            arrays.append(np.rint(values).astype(np.int32))
        figures = [_range_coder.shape_of(array) for array in arrays]
        assert figures == [entropy_reference.shape_of(array) for array in arrays]
        for array in arrays:
            assert _range_coder.bits(array) == pytest.approx(entropy_reference.bits(array))
        coded = [(array, *f) for array, f in zip(arrays, figures, strict=True)]
        stream = entropy_reference.encode(coded)
        assert _range_coder.encode(coded) == stream
        lengths = [(len(array), *f) for array, f in zip(arrays, figures, strict=True)]
        for coder in (_range_coder, entropy_reference):
            for again, array in zip(coder.decode(stream, lengths), arrays, strict=True):
                np.testing.assert_array_equal(again, array)


@settings(deadline=None)
@given(
    st.binary(min_size=4, max_size=400),
    st.lists(
        st.tuples(
            st.integers(0, 200), st.integers(0, 30), st.integers(0, 2047), st.integers(0, 255)
        ),
        max_size=3,
    ),
)
def test_compiled_and_reference_read_noise_alike(noise: bytes, wanted: list) -> None:
    found: list[list[bytes] | None] = []
    for coder in (_range_coder, entropy_reference):
        try:
            found.append([a.tobytes() for a in coder.decode(noise[: len(noise) // 4 * 4], wanted)])
        except ValueError:
            found.append(None)
    assert found[0] == found[1]


def test_a_value_beyond_its_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond its array's shape"):
        _range_coder.encode([(np.array([5], np.int32), 0, 4, 16)])
