"""The benchmark of transformations: its network's gradient, its permutations, its search of rates.

In: small images. Out: nothing but pass or fail.
"""

from __future__ import annotations

import numpy as np
import transformations

IMAGE = np.random.default_rng(0).random((6, 6)).astype(np.float32)


def test_a_step_goes_down_the_gradient() -> None:
    points = np.random.default_rng(1).uniform(-1, 1, (36, 2)).astype(np.float32)
    network, rate = transformations.Siren(8, 0), 1e-4

    def loss() -> float:
        return float(np.square(network.outputs(points) - IMAGE.ravel()).mean(dtype=np.float64))

    before = loss()
    start = [w.copy() for w in (*network.weights, *network.biases)]
    network.step(points, IMAGE.ravel(), rate)
    moved = sum(
        float(np.square((w - a).astype(np.float64)).sum())
        for w, a in zip((*network.weights, *network.biases), start, strict=True)
    )
    # To first order, the loss falls by the square of the gradient times the rate.
    assert np.isclose(before - loss(), moved / rate, rtol=0.1)


def test_permutations_keep_the_numbers() -> None:
    for kind in transformations.PLACES:
        again = transformations.permuted(IMAGE, kind)
        assert again.shape == IMAGE.shape and not np.array_equal(again, IMAGE)
        np.testing.assert_array_equal(np.sort(again.ravel()), np.sort(IMAGE.ravel()))
    steps = np.abs(np.diff(transformations.permuted(IMAGE, "ordered permutation"), axis=1))
    assert steps.mean() < np.abs(np.diff(IMAGE, axis=1)).mean()


def test_maps_are_inverted() -> None:
    for there, back in transformations.VALUES.values():
        np.testing.assert_allclose(back(there(IMAGE)), IMAGE, atol=1e-6)


def test_the_fewest_steps_over_all_rates() -> None:
    change = transformations.VALUES["original"]
    steps, rate = transformations.steps_to(IMAGE, change, 15.0, 36, 400, 16)
    assert steps and steps % 10 == 0 and rate in transformations.RATES
    assert transformations.steps_to(IMAGE, change, 300.0, 36, 20, 16) == (None, 0.0)
