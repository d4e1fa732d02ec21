"""Weights and their bytes: one is what the other decodes to, and bytes are read with distrust."""

import tracemalloc

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from insitu.codecs import half, zstd
from insitu.codecs.frame import FrameError
from insitu.codecs.options import Compression
from insitu.codecs.weight_codecs import names
from insitu.codecs.weights import Weights
from insitu.models.hash_grid.model import HashGrid
from insitu.training.compression import compress_params
from tests.support.networks import weights

NETWORK = HashGrid(log2_hashmap_size=9, n_levels=3)


def kept(codec: str, network: HashGrid = NETWORK, kind: str = "trained") -> Weights:
    params = weights(network, kind)
    # A block that is wrong by 1e-4 before, and by what the weights changed after.
    found = compress_params(
        network,
        params,
        Compression(compression=codec),
        lambda trial: 1e-4 if trial is params else 1.03e-4,
    )
    assert found.codec == codec
    return found


@given(arrays(np.float32, st.integers(0, 500), elements=st.floats(-60000, 60000, width=32)))
def test_half_precision_round_trip(params: np.ndarray) -> None:
    rounded = half.rounded(params)
    np.testing.assert_array_equal(rounded, params.astype(np.float16))
    np.testing.assert_array_equal(half.unpack(half.pack(rounded), len(params)), rounded)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e6])
def test_what_half_precision_cannot_hold_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="does not fit half precision"):
        Weights.half(np.array([0, bad], np.float32))


@pytest.mark.parametrize("codec", names())
def test_payloads_decode_to_the_params(codec: str) -> None:
    found = kept(codec)
    again = Weights.from_payload(found.payload, codec, NETWORK)
    np.testing.assert_array_equal(again.params, found.params)
    assert again.payload == found.payload
    assert not found.params.flags.writeable and not again.params.flags.writeable


@pytest.mark.parametrize("codec", names())
def test_another_network_is_refused(codec: str) -> None:
    payload = kept(codec).payload
    for other in (HashGrid(log2_hashmap_size=9, n_levels=4), HashGrid(log2_hashmap_size=12)):
        with pytest.raises(FrameError):
            Weights.from_payload(payload, codec, other)
    with pytest.raises(FrameError, match="expected one of quantized, kmeans"):
        Weights.from_payload(payload, "best", NETWORK)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(names()), st.data())
def test_any_altered_body_is_read_or_refused(codec: str, data: st.DataObject) -> None:
    """Below the checksums and ZSTD, where only the codec itself can notice."""
    body = bytearray(zstd.decompress(kept(codec).payload, 1 << 20))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.one_of(st.integers(0, 150), st.integers(0, len(body) - 1)))
        body[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(body)), st.integers(0, len(body))))
    try:
        found = Weights.from_payload(zstd.compress(bytes(body[:cut])), codec, NETWORK)
    except FrameError:
        return
    assert np.isfinite(found.params).all() and len(found.params) == NETWORK.n_params


def test_bombs_are_not_inflated() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(300 << 20))
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(300 << 20))
    small, huge = NETWORK, HashGrid(n_levels=16, n_features_per_level=8, log2_hashmap_size=24)
    assert 4 * huge.n_params > 1 << 30
    tracemalloc.start()
    for codec in names():
        for payload, network in ((bomb, small), (unsized, small), (bytes(100), huge)):
            with pytest.raises(FrameError):
                Weights.from_payload(payload, codec, network)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("codec", ["half", "quantized"])
def test_weights_that_take_next_to_nothing_are_read_again(codec: str) -> None:
    network = HashGrid(log2_hashmap_size=16, n_levels=6)
    found = kept("half", network, "zero")
    assert len(found.payload) * 1024 >= network.n_params - (1 << 16)
    assert not Weights.from_payload(found.payload, "half", network).params.any()
