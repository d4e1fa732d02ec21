"""What training starts from: the origin, and the weights of an earlier step."""

from dataclasses import replace

import numpy as np
import pytest

from insitu.codecs.weights import Weights
from insitu.fields.model_field import ModelField
from insitu.models.hash_grid.model import HashGrid
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import block_range, grid_sampler
from insitu.training.train import train
from insitu.training.warm_start import InitialState, choose_start
from tests.support.blocks import blob, local_ranges, partition, swirl

NETWORK = HashGrid(log2_hashmap_size=10, n_outputs=2)


def start(
    block: object, previous: ModelField | None = None, network: HashGrid = NETWORK
) -> InitialState:
    return choose_start(TrainingJob.of(block, network, previous=previous), network)


def fit(block: object, **options: object) -> ModelField:
    whole = local_ranges({"f": [block]})["f"]
    return train(
        TrainingJob.of(
            block,
            NETWORK,
            options=TrainingOptions(**options),
            target=Target(iterations=100),
            whole=whole,
        )
    )


def test_the_origin_is_the_mean() -> None:
    block = partition([blob, swirl])
    first = start(block)
    assert not first.warm
    np.testing.assert_array_equal(first.params, NETWORK.initial(0))
    for c in range(2):
        values = block.owned[c]
        assert first.origin[c] == pytest.approx(values.mean(), abs=0.05 * float(np.ptp(values)))


def test_a_constant_and_nothing_finite_are_their_own_origin() -> None:
    block = partition([lambda x, y, z: np.full_like(x, 0.1), lambda x, y, z: x * np.nan])
    origin = start(block).origin
    assert origin[0] == np.float32(0.1) and np.isnan(origin[1])


def test_what_is_not_finite_has_no_part_in_the_origin() -> None:
    block = partition([lambda x, y, z: np.where(x < 0.5, np.inf, 2 + y), blob])
    assert start(block).origin[0] == pytest.approx(2.5, abs=0.1)


def test_the_earlier_function_goes_on_in_other_units() -> None:
    """The range changes with every step; what the network says of the world does not."""
    before = fit(partition([blob, swirl]))
    block = partition([lambda x, y, z: 1.5 * blob(x, y, z), swirl])
    warm = start(block, before)
    assert warm.warm
    np.testing.assert_array_equal(warm.origin[1], before.zero[1])
    after = replace(
        before,
        range=block_range(grid_sampler(block)).range,
        weights=replace(before.weights, params=warm.params),
        origin=before.zero,
    )
    points = np.random.default_rng(0).random((1000, 3))
    np.testing.assert_allclose(after(points), before(points), atol=1e-5)


def test_an_origin_that_is_far_off_is_given_up() -> None:
    before = fit(partition([blob, swirl]))
    block = partition([lambda x, y, z: blob(x, y, z) + 0.3, swirl])
    warm = start(block, before)
    assert warm.warm
    assert warm.origin[0] == pytest.approx(before.zero[0] + 0.3, abs=0.05)
    assert warm.origin[1] == before.zero[1]


def test_another_shape_or_a_dead_network_is_no_start() -> None:
    block = partition([blob, swirl])
    before = fit(block)
    assert start(block, before).warm
    assert not start(block, before, replace(NETWORK, n_levels=3)).warm
    assert not start(
        block, replace(before, weights=Weights.half(np.zeros_like(before.params)))
    ).warm
