"""The ladder of sizes, and the way up and down it."""

from time import perf_counter
from typing import Any

import numpy as np
import pytest

from insitu.fields.model_field import ModelField
from insitu.models.hash_grid.model import HashGrid
from insitu.training.adaptive_size import AdaptiveState, steps_up
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.train import train
from tests.support.blocks import blob, local_ranges, partition, rough
from tests.support.clocks import Clock


def fit(block: Any, previous: ModelField | None = None, memory: AdaptiveState | None = None,
        options: TrainingOptions | None = None, clock: Clock | None = None,
        **target: Any) -> ModelField:  # fmt: skip
    whole = local_ranges({"f": [block]})["f"]
    return train(
        TrainingJob.of(
            block,
            HashGrid(),
            options=options or TrainingOptions(),
            target=Target(**target),
            whole=whole,
            previous=previous,
            sized_by_target=True,
            memory=memory or AdaptiveState(),
            clock=clock or perf_counter,
        )
    )


@pytest.mark.parametrize("n_voxels", [1, 50, 4096, 97**3, 512**3])
@pytest.mark.parametrize("base", [2, 5, 8, 40])
def test_the_ladder_rises(n_voxels: int, base: int) -> None:
    rungs = HashGrid(base_resolution=base, n_outputs=3).sizes(n_voxels)
    sizes = [rung.model.n_params for rung in rungs]
    assert sizes == sorted(set(sizes)) and 1 <= len(sizes) < 20
    assert all(rung.model.n_outputs == 3 and 0 < rung.share <= 2 for rung in rungs)
    paying = HashGrid(base_resolution=base, n_outputs=3).sizes(n_voxels, corrected=True)
    assert [rung.model for rung in paying] == [rung.model for rung in rungs[: len(paying)]]
    assert paying[-1].share >= 1


def test_what_is_missing_says_how_far_to_climb() -> None:
    steps = [steps_up(db) for db in (0.01, 2, 5, 8, 100)]
    assert steps == sorted(steps) and steps[0] == 1 and steps[-1] == 4


def waves(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.sin(15 * x) * np.sin(13 * y + 3) * np.cos(12 * z + 10 * x * y)


def test_a_harder_target_takes_a_larger_network() -> None:
    block = partition(waves, cells=(40, 40, 40))
    easy, hard = fit(block, psnr=20.0), fit(block, psnr=40.0)
    extent = [float(np.ptp(block.owned[0]))]
    assert easy.metrics.psnr_db(extent) >= 20 and hard.metrics.psnr_db(extent) >= 40
    assert easy.model and hard.model and easy.model.n_params < hard.model.n_params
    assert easy.nbytes < hard.nbytes


def test_a_later_step_keeps_the_size_and_grows_where_it_must() -> None:
    """The same target on a block that becomes rough."""
    calm = partition(blob, cells=(40, 40, 40))
    first = fit(calm, psnr=38.0)
    again = fit(calm, first, psnr=38.0)
    assert again.model == first.model and again.metrics.warm
    wild = partition(rough, cells=(40, 40, 40), box=((0.5, 1.5), (0, 1), (0, 1)))
    grown = fit(wild, again, psnr=38.0)
    assert grown.metrics.psnr_db([float(np.ptp(wild.owned[0]))]) >= 38
    assert grown.model.n_params > first.model.n_params and not grown.metrics.warm


def test_a_block_that_stays_easy_shrinks_to_what_it_needs() -> None:
    block = partition(blob, cells=(40, 40, 40))
    rungs = HashGrid().sizes(block.n_voxels)
    whole = local_ranges({"f": [block]})["f"]
    large = train(
        TrainingJob.of(
            block, rungs[2].model, options=TrainingOptions(), target=Target(psnr=30.0), whole=whole
        )
    )
    memory, field, sizes = AdaptiveState(), large, []
    for _ in range(8):
        field = fit(block, field, memory, psnr=30.0)
        sizes.append(field.model.n_params)
        assert field.metrics.psnr_db([float(np.ptp(block.owned[0]))]) >= 30
    assert sizes[0] == large.model.n_params and sizes[-1] < sizes[0]


def test_given_steps_are_the_only_ones() -> None:
    field = fit(partition(blob), psnr=90.0, iterations=70)
    assert field.metrics.iterations == 70 and field.residual is None


def test_the_search_ends_with_its_time() -> None:
    block = partition(rough, cells=(48, 48, 48), box=((0.5, 1.5), (0, 1), (0, 1)))
    field = fit(block, psnr=70.0, seconds=0.15, clock=Clock(0.002))
    assert field.metrics.seconds < 0.3 and field.metrics.iterations > 0


def test_steps_and_memory_of_all_sizes_are_limited() -> None:
    noise = np.random.default_rng(0).normal(size=(24, 24, 24)).astype(np.float32)
    options = TrainingOptions(n_min=50)
    block = partition(lambda x, y, z: noise, (24, 24, 24), ghosts=0)
    field = fit(block, options=options, psnr=30.0)
    steps = max(options.iterations(24**3) // 2, 2 * options.n_min)
    assert field.metrics.iterations <= steps and field.residual is not None
    assert field.metrics.psnr_db([float(np.ptp(noise))]) >= 30
    for size in HashGrid().sizes(128**3)[1:]:
        assert 16 * size.model.n_params <= 0.5 * 4 * 128**3
