"""Compression keeps its promise on any network, or falls back to half precision."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs.options import Compression
from insitu.codecs.weights import Weights
from insitu.engines.cpu.engine import native_network
from insitu.engines.cpu.native import lib
from insitu.models.hash_grid.model import HashGrid
from insitu.training.compression import compress_params
from tests.support.networks import networks, weights

LOSSY = ["quantized", "kmeans", "sz3_zfp"]


class Block:
    """A block that a network knows up to noise: what compression is measured against."""

    def __init__(self, network: HashGrid, params: np.ndarray, noise: float) -> None:
        self.network, self.points = network, lib.draw(9, 0.0, 1.0, 0, 4000)
        values = lib.evaluate(native_network(network), params, self.points)
        rng = np.random.default_rng(3)
        spread = noise * max(float(values.std()), 1e-6)
        self.values = values + (spread * rng.normal(size=values.shape)).astype(np.float32)

    def mean_square(self, params: np.ndarray) -> float:
        outputs = lib.evaluate(native_network(self.network), params, self.points)
        return float(np.square(outputs - self.values, dtype=np.float64).mean())


@settings(deadline=None, max_examples=80)
@given(
    networks,
    st.sampled_from(["trained", "zero", "constant", "denormal", "one far away", "fresh"]),
    st.sampled_from(LOSSY),
    st.sampled_from([0.0, 1e-3, 0.1]),
    st.sampled_from([0.05, 0.3, 2.0]),
)
def test_the_loss_is_at_most_what_was_promised(
    network: HashGrid, kind: str, codec: str, noise: float, loss: float
) -> None:
    params = weights(network, kind)
    block = Block(network, params, noise)
    options = Compression(compression=codec, compression_loss=loss)
    found = compress_params(network, params, options, block.mean_square)
    assert np.isfinite(found.params).all()
    before, after = block.mean_square(params), block.mean_square(found.params)
    if found.codec == "half":
        np.testing.assert_array_equal(found.params, params.astype(np.float16))
    else:
        assert after <= before * 10 ** (loss / 10)
    again = Weights.from_payload(found.payload, found.codec, network)
    np.testing.assert_array_equal(again.params, found.params)


NETWORK = HashGrid(log2_hashmap_size=11)


@pytest.mark.parametrize(
    ("codec", "ratio"), [("quantized", 2.6), ("kmeans", 2.1), ("sz3_zfp", 1.7)]
)
def test_bytes_are_saved_and_the_room_is_used(codec: str, ratio: float) -> None:
    params = weights(NETWORK, "trained")
    block = Block(NETWORK, params, 0.1)
    found = compress_params(NETWORK, params, Compression(compression=codec), block.mean_square)
    assert found.codec == codec
    assert 2 * len(params) > ratio * len(found.payload)
    lost = 10 * np.log10(block.mean_square(found.params) / block.mean_square(params))
    assert 0.1 < lost <= 0.3


def test_an_underfitted_network_is_compressed_too() -> None:
    """Its change goes together with the error that is there: far less fits than the sum says."""
    params = weights(NETWORK, "trained")
    points = lib.draw(9, 0.0, 1.0, 0, 4000)
    outputs = lib.evaluate(native_network(NETWORK), params, points)

    def mean_square(trial: np.ndarray) -> float:
        moved = float(
            np.square(lib.evaluate(native_network(NETWORK), trial, points) - outputs).mean()
        )
        return 1.0 + 2 * np.sqrt(moved) + moved  # the error is 1, and along the change

    found = compress_params(NETWORK, params, Compression(), mean_square)
    assert found.codec == "quantized"
    assert mean_square(found.params) <= 10**0.03


@pytest.mark.parametrize("codec", LOSSY)
def test_what_a_goal_leaves_is_used(codec: str) -> None:
    params = weights(NETWORK, "trained")
    block = Block(NETWORK, params, 0.02)
    goal = 2 * block.mean_square(params)
    options = Compression(compression=codec)
    found = compress_params(NETWORK, params, options, block.mean_square, goal=goal)
    assert block.mean_square(found.params) <= goal
    tight = compress_params(NETWORK, params, options, block.mean_square)
    assert len(found.payload) < 0.9 * len(tight.payload)


def test_given_accuracies_are_what_is_kept() -> None:
    params = weights(NETWORK, "trained")
    options = Compression(compression="sz3_zfp", r_enc=0.01, r_mlp=0.001)
    block = Block(NETWORK, params, 0.02)
    away = np.abs(compress_params(NETWORK, params, options, block.mean_square).params - params)
    assert 0.003 < away[NETWORK.n_mlp_params :].max() <= 0.01
    assert 0.0001 < away[: NETWORK.n_mlp_params].max() <= 0.001


def test_no_room_and_huge_weights_fall_back_to_half_precision() -> None:
    params = weights(NETWORK, "trained")
    for codec in LOSSY:
        options = Compression(compression=codec)
        assert compress_params(NETWORK, params, options, lambda _: 0.0).codec == "half"
        # A measure that always finds it worse.
        worse = lambda trial: 1.0 if trial is params else 2.0  # noqa: E731
        assert compress_params(NETWORK, params, options, worse).codec == "half"
    with pytest.raises(ValueError, match="does not fit half precision"):
        compress_params(NETWORK, weights(NETWORK, "huge"), Compression(), lambda _: 1.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("codec", ["half", *LOSSY])
def test_weights_that_are_not_finite_are_refused(codec: str, bad: float) -> None:
    params = weights(NETWORK, "trained")
    params[-1] = bad
    with pytest.raises(ValueError, match="not finite"):
        compress_params(NETWORK, params, Compression(compression=codec), lambda _: 1.0)


@pytest.mark.parametrize("codec", LOSSY)
def test_a_small_block_takes_few_measurements(codec: str) -> None:
    """They are all of the search: nothing else is evaluated."""
    params = weights(NETWORK, "trained")
    block = Block(NETWORK, params, 0.02)
    before = block.mean_square(params)
    tried = []

    def mean_square(trial: np.ndarray) -> float:
        tried.append(block.mean_square(trial))
        return tried[-1]

    options = Compression(compression=codec)
    found = compress_params(
        NETWORK, params, options, mean_square, before=before, goal=2 * before, samples=4000
    )
    assert found.codec == codec
    assert before < tried[-1] == block.mean_square(found.params) <= 2 * before
    assert len(tried) <= 12
