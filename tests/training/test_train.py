"""Training on a partition: quality, odd blocks, warm start, targets."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs.weights import Weights
from insitu.fields.model_field import ModelField
from insitu.metrics import psnr
from insitu.models.hash_grid.model import HashGrid
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import global_ranges
from insitu.training.train import train
from tests.support.blocks import blob, local_ranges, partition, split, swirl
from tests.support.fitting import SMALL, fit


@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_smooth_field_is_learnt(association: str, dtype: type) -> None:
    block = partition(blob, association=association, dtype=dtype)
    field = fit(block)
    truth = block.owned[0]
    decoded = field.decode()
    assert decoded.shape == truth.shape and decoded.dtype == dtype
    # The quality that the field states is the quality that decoding shows.
    extent = float(truth.max() - truth.min())
    assert field.metrics.psnr_db([extent]) == pytest.approx(psnr(decoded, truth), abs=1e-3)
    assert field.metrics.max_error == pytest.approx(np.abs(decoded - truth).max(), rel=1e-3)
    assert psnr(decoded, truth) > 45


def test_a_vector_field_is_learnt() -> None:
    block = partition([blob, swirl, lambda x, y, z: x * y - z], association="vertex")
    field = fit(block, n_min=1000)
    decoded = field.decode()
    assert decoded.shape == (17, 19, 21, 3)
    for c in range(3):
        assert psnr(decoded[..., c], block.owned[c]) > 38


@pytest.mark.parametrize("value", [0.1, -3.0, 0.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_is_exact(value: float, dtype: type) -> None:
    block = partition(lambda x, y, z: np.full_like(x, value), dtype=dtype)
    field = fit(block)
    assert field.model is None and field.metrics.iterations == 0
    np.testing.assert_array_equal(field.decode(), block.owned[0])
    assert field.metrics.max_error == 0
    assert field.metrics.psnr_db([0.0]) == np.inf


def test_a_constant_component_is_exact() -> None:
    block = partition([blob, lambda x, y, z: np.full_like(x, 0.7)])
    decoded = fit(block).decode()
    np.testing.assert_array_equal(decoded[..., 1], block.owned[1])
    assert psnr(decoded[..., 0], block.owned[0]) > 40


@pytest.mark.parametrize("cells", [(2, 2, 2), (1, 1, 1), (1, 12, 12), (12, 1, 1), (3, 1, 17)])
@pytest.mark.parametrize("ghosts", [0, 1])
def test_thin_and_tiny_blocks(cells: tuple[int, int, int], ghosts: int) -> None:
    block = partition(blob, cells=cells, ghosts=ghosts)
    field = fit(block)
    truth = block.owned[0]
    assert field.decode().shape == truth.shape
    if truth.max() > truth.min():
        assert psnr(field.decode(), truth) > 25


def test_non_finite_samples_stay_where_they_are() -> None:
    block = partition(blob)
    values = block.components[0]
    values[5:8, 6:8, 7] = np.nan
    values[10, 10, 10] = np.inf
    values[10, 10, 11] = -np.inf
    clean = partition(blob)
    field = fit(block)
    decoded = field.decode()
    np.testing.assert_array_equal(np.isnan(decoded), np.isnan(block.owned[0]))
    assert not np.isinf(decoded).any()
    assert field.metrics.nan_count == 6 and field.metrics.inf_count == 2
    assert field.metrics.n_finite == (block.n_voxels - 8,)
    # Elsewhere the block is as good as without them.
    finite = np.isfinite(block.owned[0])
    assert psnr(decoded[finite], clean.owned[0][finite]) > 42


def test_a_block_of_nan_only() -> None:
    field = fit(partition(lambda x, y, z: np.full_like(x, np.nan)))
    assert np.isnan(field.decode()).all()
    assert field.metrics.nan_count == 16 * 18 * 20
    assert ModelField.from_bytes(field.to_bytes()).decode().shape == (16, 18, 20)


def test_the_target_is_met_and_ends_training_early() -> None:
    block = partition(blob, cells=(24, 24, 24))
    extent = [float(np.ptp(block.owned[0]))]
    low, high = (fit(block, psnr=target).metrics for target in (30.0, 45.0))
    assert low.psnr_db(extent) >= 30 and high.psnr_db(extent) >= 45
    assert 16 <= low.iterations < high.iterations < TrainingOptions().iterations(24**3)


@pytest.mark.parametrize("association", ["element", "vertex"])
def test_the_target_is_met_by_a_large_block(association: str) -> None:
    """Where a few samples come before the whole block is measured; with values that are not one."""
    block = partition([blob, swirl], cells=(42, 44, 46), association=association)
    block.components[1][5, 6, 7] = np.nan
    extents = [float(np.ptp(np.nan_to_num(c, nan=0.5))) for c in block.owned]
    metrics = fit(block, psnr=42.0).metrics
    assert 42 <= metrics.psnr_db(extents) < 45
    assert metrics.iterations < TrainingOptions().iterations(block.n_voxels)


def test_the_rate_falls_towards_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    block = partition(blob, cells=(24, 24, 24))
    steps = {}
    for decibel in (6.0, 0.0):
        monkeypatch.setattr("insitu.training.trial.APPROACH_DB", decibel)
        steps[decibel] = fit(block, psnr=52.0).metrics.iterations
    assert steps[6.0] < steps[0.0]


def test_the_loss_threshold_ends_training_before_the_target() -> None:
    metrics = fit(partition(blob), loss_threshold=0.02, psnr=50.0).metrics
    assert 16 <= metrics.iterations < 200


def test_the_loss_threshold_ends_training() -> None:
    few = fit(partition(blob), loss_threshold=0.02).metrics.iterations
    many = fit(partition(blob), loss_threshold=0.005).metrics.iterations
    assert 16 <= few < many < 200


def test_the_time_budget_ends_training() -> None:
    field = fit(partition(blob), n_min=10**7, seconds=0.1)
    assert 0 < field.metrics.iterations < 10**6


@pytest.mark.parametrize("codec", ["half", "quantized", "kmeans", "sz3_zfp"])
def test_quality_is_that_of_the_bytes(codec: str) -> None:
    """What is measured, what is kept and what is read again are one function."""
    block = partition(blob)
    extent = [float(np.ptp(block.owned[0]))]
    for options in ({}, {"psnr": 40.0}):
        field = fit(block, compression=codec, **options)
        assert field.weights.codec == codec
        again = ModelField.from_bytes(field.to_bytes())
        np.testing.assert_array_equal(again.params, field.params)
        measured = psnr(again.decode(), block.owned[0], extent[0])
        assert field.metrics.psnr_db(extent) == pytest.approx(measured, abs=0.01)
        assert measured >= options.get("psnr", 40)


def test_compression_costs_no_more_than_allowed() -> None:
    block = partition(blob)
    extent = [float(np.ptp(block.owned[0]))]
    best = fit(block, compression="half")
    for loss in (0.1, 1.0):
        kept = fit(block, compression_loss=loss)
        lost = best.metrics.psnr_db(extent) - kept.metrics.psnr_db(extent)
        assert lost < loss + 0.05  # half precision loses something too
        assert kept.nbytes < 0.5 * best.nbytes


def test_a_warm_start_is_ahead() -> None:
    first = fit(partition(blob))
    moved = partition(lambda x, y, z: blob(x + 0.01, y, z))
    cold = fit(moved, n_min=30, epochs=1)
    warm = fit(moved, previous=first, n_min=30, epochs=1)
    assert warm.metrics.warm and not cold.metrics.warm
    extent = [float(np.ptp(moved.owned[0]))]
    assert warm.metrics.psnr_db(extent) > cold.metrics.psnr_db(extent) + 3
    refused = fit(moved, previous=first, warm_start=False, n_min=30, epochs=1)
    assert not refused.metrics.warm


def test_a_network_that_died_is_not_a_start() -> None:
    alive = fit(partition(blob))
    dead = replace(alive, weights=Weights.half(np.zeros_like(alive.params)))
    again = fit(partition(blob), previous=dead)
    assert not again.metrics.warm
    assert again.metrics.psnr_db([float(np.ptp(partition(blob).owned[0]))]) > 45


def test_training_is_deterministic() -> None:
    a, b = fit(partition(blob)), fit(partition(blob))
    np.testing.assert_array_equal(a.params, b.params)
    assert not np.array_equal(a.params, fit(partition(blob), seed=1).params)


def test_strided_views_are_read_in_place() -> None:
    interleaved = np.zeros((18, 20, 22, 3), np.float64)
    plain = partition(blob, dtype=np.float64)
    interleaved[..., 1] = plain.components[0]
    view = type(plain)(**{**plain.__dict__, "components": (interleaved[..., 1],)})
    np.testing.assert_array_equal(fit(view).params, fit(plain).params)


def test_the_ghost_layer_makes_faces_agree() -> None:
    """Both sides of a shared face learn the same values there, without talking."""
    y, z = np.random.default_rng(0).uniform(0.05, 0.95, (2, 500))
    face = np.stack([np.full(500, 0.5), y, z], axis=1)
    gap = {}
    for ghosts in (0, 1):
        blocks = split(blob, (16, 16, 32), (1, 1, 2), ghosts=ghosts)
        whole = local_ranges({"f": blocks})["f"]
        left, right = (
            train(
                TrainingJob.of(
                    b, SMALL, options=TrainingOptions(n_min=1000), target=Target(), whole=whole
                )
            )
            for b in blocks
        )
        gap[ghosts] = float(np.abs(left(face) - right(face)).mean())
        assert psnr(left(face), blob(*face.T), 1.2) > (40 if ghosts else 20)
    assert gap[1] < 0.5 * gap[0]


@given(st.floats(0.001, 1), st.integers(1, 3))
@settings(max_examples=50)
def test_the_network_shrinks_with_its_share(share: float, n_outputs: int) -> None:
    whole = HashGrid()
    part = whole.for_block(n_outputs, share)
    assert part.n_outputs == n_outputs
    assert part.log2_hashmap_size <= whole.log2_hashmap_size
    assert part.base_resolution <= whole.base_resolution
    assert part.n_params <= whole.n_params
    assert abs(2**part.log2_hashmap_size / 2**whole.log2_hashmap_size / share) < 32


def test_the_table_fits_the_domain() -> None:
    tables = [HashGrid().for_domain(n**3).log2_hashmap_size for n in (1, 32, 96, 128, 2048)]
    assert tables == [5, 10, 12, 12, 18]


def test_shares_outside_0_1_are_refused() -> None:
    for share in (0.0, -1.0, 1.5):
        with pytest.raises(ValueError, match="share"):
            HashGrid().for_block(1, share)


def test_n_train_is_the_paper_s() -> None:
    options = TrainingOptions(batch=1000, n_min=50, epochs=10)
    assert options.iterations(10) == 50
    assert options.iterations(100_001) == 1010


@pytest.mark.parallel([1, 3])
def test_global_ranges() -> None:
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    # The last rank is empty where there are several; rank 0 holds a block of NaN beside its own.
    blocks = []
    if comm.rank < comm.size - 1 or comm.size == 1:
        offset = float(comm.rank)
        blocks.append(partition(lambda x, y, z: x + offset, cells=(4, 4, 4), ghosts=0))
    if comm.rank == 0:
        blocks.append(partition(lambda x, y, z: x * np.nan, cells=(2, 2, 2), ghosts=0))
    got = global_ranges(comm, local_ranges({"f": blocks, "absent": []}))
    n = max(comm.size - 1, 1)
    assert list(got) == ["f"]
    assert got["f"].n_voxels == n * 64 + 8
    np.testing.assert_allclose(got["f"].range, [[0.125, n - 1 + 0.875]])
