"""The bytes of the codecs, as they were when codecs still knew of networks."""

import hashlib

import numpy as np
import pytest

from insitu.codecs.arrays import views
from insitu.codecs.kmeans import KMeans
from insitu.codecs.quantized import Quantized
from insitu.codecs.sz3_zfp import Sz3Zfp
from insitu.codecs.weight_codecs import WeightCodec, names, register, weight_codec
from insitu.codecs.weights import Weights
from insitu.models.hash_grid.model import HashGrid
from tests.support.networks import weights

NETWORK = HashGrid(log2_hashmap_size=9, n_levels=3, n_outputs=2)
PARAMS = weights(NETWORK, "trained")
SENSITIVITY = np.linspace(1, 2, len(views(NETWORK, PARAMS))).astype(np.float32)


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        (Quantized(NETWORK, PARAMS, SENSITIVITY).body(1e-3), "0d99669979dd9ded"),
        (KMeans(NETWORK, PARAMS, SENSITIVITY).body(1e-2), "98d6eb1ae881a7f8"),
        (Weights.half(PARAMS).body, "7f0dbd5686fb9087"),
    ],
    ids=["quantized", "kmeans", "half"],
)
def test_bytes_are_what_they_were(body: bytes, digest: str) -> None:
    assert hashlib.blake2b(body, digest_size=8).hexdigest() == digest


def test_sz3_and_zfp_are_given_the_same_arrays() -> None:
    """Their own bytes are their packages'; what they are told is ours."""
    segments = NETWORK.segments(PARAMS)
    assert [(s.group, s.kind, s.values.shape) for s in segments] == [
        ("mlp", "table", (NETWORK.n_mlp_params,)),
        ("level.0", "grid", (8, 8, 8, 4)),
        ("level.0", "exact", (0, 4)),
        ("level.1", "table", (512, 4)),
        ("level.2", "table", (512, 4)),
    ]
    assert len(Sz3Zfp(NETWORK, PARAMS, SENSITIVITY, None, None).body(1e-2)) < len(PARAMS)


def test_a_codec_of_ones_own_is_found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "insitu.codecs.weight_codecs._CODECS", {n: weight_codec(n) for n in names()}
    )
    single = WeightCodec("single", lambda layout, body: np.frombuffer(body, "<f4").copy())
    register(single)
    found = Weights.of(NETWORK, "single", PARAMS.astype("<f4").tobytes())
    again = Weights.from_payload(found.payload, "single", NETWORK)
    np.testing.assert_array_equal(again.params, PARAMS)
    with pytest.raises(ValueError, match="already registered"):
        register(single)
    with pytest.raises(ValueError, match="'double', expected one of quantized, kmeans"):
        weight_codec("double")
