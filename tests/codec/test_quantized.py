"""Uniform steps: every weight within half a step, and differences from an earlier step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codec.arrays import views
from insitu.codec.frame import FrameError
from insitu.codec.quantized import Quantized, decode
from insitu.engines.cpu.native import lib
from insitu.models.hash_grid.model import HashGrid
from insitu.models.hash_grid.sensitivity import sensitivity
from tests.codec.networks import networks, weights


def coder(network: HashGrid, params: np.ndarray, reference: np.ndarray | None = None) -> Quantized:
    points = lib.draw(1, 0.0, 1.0, 0, 500)
    ones = np.ones(network.n_outputs, np.float32)
    return Quantized(network, params, sensitivity(network, params, points, ones), reference)


@settings(deadline=None, max_examples=60)
@given(
    networks,
    st.sampled_from(["trained", "zero", "constant", "denormal", "one far away", "fresh"]),
    st.floats(-16, 2),
)
def test_every_weight_is_within_half_a_step(network: HashGrid, kind: str, exponent: float) -> None:
    params = weights(network, kind)
    quantized = coder(network, params)
    decoded = decode(network, quantized.body(2.0**exponent), None)
    steps = 2.0**exponent * quantized._relative
    arrays = zip(views(network, params), views(network, decoded), steps, strict=True)
    for given_values, values, step in arrays:
        half_precision = np.maximum(2.0**-11 * np.abs(given_values), 2.0**-25)
        assert (np.abs(values - given_values) <= np.maximum(step / 2, half_precision)).all()


def test_steps_too_fine_for_whole_numbers_become_half_precision() -> None:
    network = HashGrid(log2_hashmap_size=6, n_levels=2)
    params = weights(network, "one far away")
    decoded = decode(network, coder(network, params).body(1e-12), None)
    table = slice(network.n_mlp_params, None)
    np.testing.assert_array_equal(decoded[table], params[table].astype(np.float16))


def test_huge_weights_are_coded_in_huge_steps() -> None:
    network = HashGrid(log2_hashmap_size=6, n_levels=2)
    params = weights(network, "huge")
    quantized = Quantized(network, params, np.full(len(views(network, params)), 1e-40), None)
    decoded = decode(network, quantized.body(1e5), None)
    assert np.abs(decoded - params).max() < 0.05 * np.abs(params).max()


def test_half_precision_that_overflows_is_an_error() -> None:
    network = HashGrid(log2_hashmap_size=6, n_levels=2)
    params = weights(network, "huge")
    quantized = Quantized(network, params, np.ones(len(views(network, params))), None)
    with pytest.raises(ValueError, match="does not fit half precision"):
        quantized.body(1e-9)


NETWORK = HashGrid(log2_hashmap_size=9, n_levels=3)
COARSENESS = 2e-4  # some five bits a weight


@pytest.mark.parametrize(("away", "saving"), [(0.0, 20), (0.01, 2), (0.1, 1.2)])
def test_differences_take_less_the_nearer_the_reference(away: float, saving: float) -> None:
    params = weights(NETWORK, "trained")
    rng = np.random.default_rng(1)
    moved = params + away * rng.normal(size=params.shape).astype(np.float32)
    moved[: NETWORK.n_mlp_params] = params[: NETWORK.n_mlp_params]
    alone, beside = coder(NETWORK, moved), coder(NETWORK, moved, params)
    body = beside.body(COARSENESS)
    assert len(alone.body(COARSENESS)) > saving * len(body)
    decoded = decode(NETWORK, body, params)
    for values, expected, step in zip(
        views(NETWORK, decoded), views(NETWORK, moved), COARSENESS * beside._relative, strict=True
    ):
        assert np.abs(values - expected).max() <= step / 2 + 1e-6


def test_a_reference_far_away_is_not_used() -> None:
    params = weights(NETWORK, "trained")
    far = 10 * weights(NETWORK, "trained", seed=5)
    body = coder(NETWORK, params, far).body(COARSENESS)
    assert len(body) <= len(coder(NETWORK, params).body(COARSENESS))
    decode(NETWORK, body, None)  # and so is not needed


def test_a_missing_or_wrong_reference_is_named() -> None:
    params = weights(NETWORK, "trained")
    body = coder(NETWORK, params + np.float32(1e-3), params).body(COARSENESS)
    with pytest.raises(FrameError, match="give that step's decoded parameters as reference"):
        decode(NETWORK, body, None)
    for other in (params + np.float32(1e-6), params[:-1]):
        with pytest.raises(FrameError, match="difference from other parameters"):
            decode(NETWORK, body, other)
