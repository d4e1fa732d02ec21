"""The arrays of a network: all that counts is in one of them, and how much it counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs.arrays import views
from insitu.engines.cpu.engine import native_network
from insitu.engines.cpu.native import lib
from insitu.models.hash_grid.model import HashGrid
from insitu.models.hash_grid.sensitivity import sensitivity
from tests.support.networks import networks, weights


@settings(deadline=None, max_examples=40)
@given(networks, st.integers(0, 99))
def test_the_views_are_the_whole_function(network: HashGrid, seed: int) -> None:
    params = weights(network, "trained", seed)
    copy = np.zeros_like(params)
    for into, values in zip(views(network, copy), views(network, params), strict=True):
        into[...] = values
    points = lib.draw(seed, 0.0, 1.0, 0, 100)
    np.testing.assert_array_equal(
        lib.evaluate(native_network(network), copy, points),
        lib.evaluate(native_network(network), params, points),
    )


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_sensitivity_is_the_change_by_noise(n_outputs: int) -> None:
    network = HashGrid(log2_hashmap_size=9, n_outputs=n_outputs)
    params = weights(network, "trained")
    scale = np.linspace(1, 2, n_outputs).astype(np.float32)
    points = lib.draw(3, 0.0, 1.0, 0, 4000)
    predicted = sensitivity(network, params, points, scale)
    outputs = lib.evaluate(native_network(network), params, points)
    rng = np.random.default_rng(0)
    for i, expected in enumerate(predicted):
        changes = []
        for _ in range(30):
            noisy = params.copy()
            view = views(network, noisy)[i]
            size = 1e-3 * np.abs(view).mean()
            view += size * rng.normal(size=view.shape)
            moved = (lib.evaluate(native_network(network), noisy, points) - outputs) * scale
            changes.append(np.mean(np.square(moved, dtype=float)) / size**2)
        assert expected == pytest.approx(np.mean(changes), rel=0.3)
