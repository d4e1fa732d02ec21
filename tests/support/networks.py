"""Networks of any shape, and weights of any kind, for tests of the codec."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from insitu.codecs.quantized import Quantized
from insitu.engines.cpu.native import lib
from insitu.models.hash_grid.model import HashGrid
from insitu.models.hash_grid.sensitivity import sensitivity

KINDS = ("trained", "zero", "constant", "huge", "denormal", "one far away", "fresh")

networks = st.builds(
    HashGrid,
    n_levels=st.integers(1, 5),
    n_features_per_level=st.sampled_from([1, 2, 4, 8]),
    log2_hashmap_size=st.integers(3, 9),
    base_resolution=st.integers(1, 9),
    per_level_scale=st.sampled_from([1.0, 1.5, 2.0]),
    n_neurons=st.sampled_from([16, 32]),
    n_hidden_layers=st.integers(1, 3),
    n_outputs=st.integers(1, 3),
)


def weights(network: HashGrid, kind: str, seed: int = 0) -> np.ndarray:
    """(n_params,) float32, the padding zero as training leaves it."""
    rng = np.random.default_rng(seed)
    params = network.initial(seed)
    tables = params[network.n_mlp_params :]
    if kind == "zero":
        params[:] = 0
    elif kind == "constant":
        tables[:] = 0.3
    elif kind == "denormal":
        tables[:] = rng.normal(size=tables.shape).astype(np.float32) * np.float32(1e-42)
    elif kind != "fresh":
        tables[:] = rng.laplace(size=tables.shape, scale=0.2)
    if kind == "huge":
        tables *= 1e30
    if kind == "one far away":
        tables[rng.integers(len(tables))] = 6e4
    return params


def coder(network: HashGrid, params: np.ndarray) -> Quantized:
    points = lib.draw(1, 0.0, 1.0, 0, 500)
    ones = np.ones(network.n_outputs, np.float32)
    return Quantized(network, params, sensitivity(network, params, points, ones))
