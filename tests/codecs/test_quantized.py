"""Uniform steps: every weight within half a step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs.arrays import views
from insitu.codecs.quantized import Quantized, decode
from insitu.models.hash_grid.model import HashGrid
from tests.support.networks import coder, networks, weights


@settings(deadline=None, max_examples=60)
@given(
    networks,
    st.sampled_from(["trained", "zero", "constant", "denormal", "one far away", "fresh"]),
    st.floats(-16, 2),
)
def test_every_weight_is_within_half_a_step(network: HashGrid, kind: str, exponent: float) -> None:
    params = weights(network, kind)
    quantized = coder(network, params)
    decoded = decode(network, quantized.body(2.0**exponent))
    steps = 2.0**exponent * quantized._relative
    arrays = zip(views(network, params), views(network, decoded), steps, strict=True)
    for given_values, values, step in arrays:
        half_precision = np.maximum(2.0**-11 * np.abs(given_values), 2.0**-25)
        assert (np.abs(values - given_values) <= np.maximum(step / 2, half_precision)).all()


def test_steps_too_fine_for_whole_numbers_become_half_precision() -> None:
    network = HashGrid(log2_hashmap_size=6, n_levels=2)
    params = weights(network, "one far away")
    decoded = decode(network, coder(network, params).body(1e-12))
    table = slice(network.n_mlp_params)
    np.testing.assert_array_equal(decoded[table], params[table].astype(np.float16))


def test_huge_weights_are_coded_in_huge_steps() -> None:
    network = HashGrid(log2_hashmap_size=6, n_levels=2)
    params = weights(network, "huge")
    quantized = Quantized(network, params, np.full(len(views(network, params)), 1e-40))
    decoded = decode(network, quantized.body(1e5))
    assert np.abs(decoded - params).max() < 0.05 * np.abs(params).max()


def test_half_precision_that_overflows_is_an_error() -> None:
    network = HashGrid(log2_hashmap_size=6, n_levels=2)
    params = weights(network, "huge")
    quantized = Quantized(network, params, np.ones(len(views(network, params))))
    with pytest.raises(ValueError, match="does not fit half precision"):
        quantized.body(1e-9)
