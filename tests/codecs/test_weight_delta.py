"""Differences of quantised weights: every byte comes back, and few are needed for near weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs.errors import FrameError
from insitu.codecs.quantized import decode
from insitu.codecs.weight_delta import add, subtract
from insitu.models.hash_grid.model import HashGrid
from tests.support.networks import coder, networks, weights

KINDS = st.sampled_from(["trained", "zero", "constant", "denormal", "one far away", "fresh"])


NETWORK = HashGrid(log2_hashmap_size=9, n_levels=3)


@settings(deadline=None, max_examples=60)
@given(networks, KINDS, KINDS, st.floats(-30, 2))
def test_every_byte_comes_back(network: HashGrid, kind: str, before: str, exponent: float) -> None:
    """Also from a reference that has nothing to do with the weights, and in steps so fine that
    arrays fall back to half precision."""
    body = coder(network, weights(network, kind)).body(2.0**exponent)
    reference = weights(network, before, seed=3)
    again = add(network, subtract(network, body, reference), reference)
    assert again.body == body
    np.testing.assert_array_equal(again.params, decode(network, body))


@pytest.mark.parametrize(("away", "saving"), [(0.0, 20), (0.01, 2), (0.1, 1.1)])
def test_it_is_the_smaller_the_nearer_the_reference(away: float, saving: float) -> None:
    params = weights(NETWORK, "trained")
    rng = np.random.default_rng(1)
    moved = params + away * rng.normal(size=params.shape).astype(np.float32)
    moved[: NETWORK.n_mlp_params] = params[: NETWORK.n_mlp_params]
    coarseness = 2e-4  # some five bits a weight
    reference = decode(NETWORK, coder(NETWORK, params).body(coarseness))
    body = coder(NETWORK, moved).body(coarseness)
    assert len(body) > saving * len(subtract(NETWORK, body, reference))


def test_another_reference_is_refused() -> None:
    params = weights(NETWORK, "trained")
    body = coder(NETWORK, params + np.float32(1e-3)).body(2e-4)
    less = subtract(NETWORK, body, params)
    with pytest.raises(FrameError, match="difference from other parameters"):
        add(NETWORK, less, params + np.float32(1e-6))
    with pytest.raises(FrameError, match="give that step's decoded parameters"):
        decode(NETWORK, less)
