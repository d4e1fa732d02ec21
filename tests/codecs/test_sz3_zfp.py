"""SZ3 and ZFP on weights: their word is checked, array by array."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs import sz3_zfp
from insitu.codecs.frame import FrameError
from insitu.codecs.sz3_zfp import Sz3Zfp, decode
from insitu.models.hash_grid.model import HashGrid
from tests.support.networks import networks, weights


def methods(body: bytes) -> list[int]:
    found, at = [], 0
    while at < len(body):
        method, nbytes = sz3_zfp._ARRAY.unpack_from(body, at)
        found.append(method)
        at += sz3_zfp._ARRAY.size + nbytes
    return found


def coder(network: HashGrid, params: np.ndarray, r_enc: float, r_mlp: float) -> Sz3Zfp:
    n_arrays = len(network.matrix_shapes) + network.n_levels * network.n_features_per_level
    return Sz3Zfp(network, params, np.ones(n_arrays, np.float32), r_enc, r_mlp)


@settings(deadline=None, max_examples=60)
@given(
    networks,
    st.sampled_from(["trained", "zero", "constant", "denormal", "one far away", "fresh"]),
    st.floats(-20, 0),
    st.floats(-20, 0),
)
def test_the_accuracies_are_kept(network: HashGrid, kind: str, enc: float, mlp: float) -> None:
    params = weights(network, kind)
    decoded = decode(network, coder(network, params, 2.0**enc, 2.0**mlp).body(1.0))
    half_precision = np.maximum(2.0**-11 * np.abs(params), 2.0**-25)
    allowed = np.full(len(params), 2.0**enc)
    allowed[: network.n_mlp_params] = 2.0**mlp
    assert (np.abs(decoded - params) <= np.maximum(allowed, half_precision)).all()


def test_dense_levels_by_sz3_hashed_ones_and_the_mlp_by_zfp() -> None:
    network = HashGrid(log2_hashmap_size=12, n_levels=3)
    assert [level.hashed for level in network.levels] == [False, False, True]
    rng = np.random.default_rng(0)
    params = weights(network, "trained") + rng.normal(size=network.n_params).astype(np.float32)
    used = methods(coder(network, params, 1e-2, 1e-2).body(1.0))
    assert used == [sz3_zfp._ZFP, sz3_zfp._SZ3, 0, sz3_zfp._SZ3, 0, sz3_zfp._ZFP]


def test_arrays_that_grow_are_kept_in_half_precision() -> None:
    """SZ3's own head is larger than a level of 2^3 entries; and noise at 1e-7 does not shrink."""
    network = HashGrid(log2_hashmap_size=10, n_levels=3, base_resolution=2, n_features_per_level=1)
    params = weights(network, "trained")
    small = network.table(params, 0)
    assert len(sz3_zfp._sz3_encode(small.reshape(2, 2, 2, 1), 1e-2) or b"") > 2 * small.size
    assert set(methods(coder(network, params, 1e-7, 1e-2).body(1.0))[1:]) == {0}


def test_zfp_breaks_its_word_where_magnitudes_mix_and_is_found_out() -> None:
    """A block of ZFP has one exponent: beside 6e4, what is near 1e-3 is not kept to 1e-5."""
    network = HashGrid(log2_hashmap_size=6, n_levels=2, base_resolution=8)
    params = weights(network, "one far away")
    params[network.n_mlp_params :: 7] = 6e4
    values = network.table(params, 1)
    packed = sz3_zfp._zfp_encode(values, 1e-5)
    assert packed is not None
    error = np.abs(sz3_zfp._zfp_decode(packed, values.shape) - values).max()
    assert error > 1e-5
    assert methods(coder(network, params, 1e-5, 1e-2).body(1.0))[-1] == 0


def test_altered_bytes_do_not_reach_sz3() -> None:
    values = np.random.default_rng(0).normal(size=(8, 8, 8, 4)).astype(np.float32)
    packed = sz3_zfp._sz3_encode(values, 1e-2)
    for at in range(0, len(packed), 97):
        altered = bytearray(packed)
        altered[at] ^= 1
        with pytest.raises(FrameError, match="SZ3"):
            sz3_zfp._sz3_decode(bytes(altered), values.shape)


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([(5, 4), (64, 1), (100,)]))
def test_noise_in_zfp_is_read_or_refused(noise: bytes, shape: tuple[int, ...]) -> None:
    try:
        values = sz3_zfp._zfp_decode(np.float64(1e-3).tobytes() + noise, shape)
    except FrameError:
        return
    assert values.shape == shape
