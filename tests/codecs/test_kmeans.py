"""k-means: codebooks that are better than even ones, and bytes that are read again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs import kmeans
from insitu.codecs.frame import FrameError
from insitu.codecs.kmeans import KMeans, decode
from insitu.engines.cpu.native import lib
from insitu.models.hash_grid.model import HashGrid
from insitu.models.hash_grid.sensitivity import sensitivity
from tests.support.networks import networks, weights


def coder(network: HashGrid, params: np.ndarray) -> KMeans:
    points = lib.draw(1, 0.0, 1.0, 0, 500)
    ones = np.ones(network.n_outputs, np.float32)
    return KMeans(network, params, sensitivity(network, params, points, ones))


@settings(deadline=None, max_examples=60)
@given(
    networks,
    st.sampled_from(["trained", "zero", "constant", "denormal", "one far away", "fresh"]),
    st.floats(-16, 2),
)
def test_what_was_promised_is_read(network: HashGrid, kind: str, exponent: float) -> None:
    quantizer = coder(network, weights(network, kind))
    decoded = decode(network, quantizer.body(2.0**exponent))
    np.testing.assert_array_equal(decoded, quantizer.rounded(2.0**exponent))


@pytest.mark.parametrize("k", [2, 16, 64])
def test_a_codebook_is_as_good_as_theory_says(k: int) -> None:
    """Panter and Dite: the best k entries leave e d^2 / k^2 of a Gaussian of deviation d, or less,
    as the limit is approached from below."""
    values = np.sort(np.random.default_rng(0).normal(size=20000))
    book = kmeans._codebook(values, k)
    assert len(book) <= k
    error = np.mean((book[kmeans._nearest(book, values)] - values) ** 2)
    limit = np.sqrt(3) * np.pi / 2 / k**2
    assert 0.5 * limit < error < 1.1 * limit


def test_an_entry_beyond_the_codebook_is_refused() -> None:
    network = HashGrid(log2_hashmap_size=9, n_levels=2)
    body = bytearray(coder(network, weights(network, "trained")).body(0.05))
    heads = kmeans._ARRAY
    entries, shift, _, mean = heads.unpack_from(body, heads.size)
    heads.pack_into(body, heads.size, entries, shift, 2047, mean)
    with pytest.raises(FrameError):
        decode(network, bytes(body))
