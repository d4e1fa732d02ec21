"""Sparse grids meet their targets by what their bytes decode to, for any block."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs.frame import FrameError
from insitu.engines import engine
from insitu.engines.sparse_kernels import sparse_kernels
from insitu.fields import sparse_grid
from insitu.fields.block_field import BlockField
from insitu.fields.model_field import ModelField
from insitu.fields.raw_block import RawBlock
from insitu.fields.read import read_field
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.metrics import psnr
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.fill import filled
from insitu.training.job import TrainingJob
from insitu.training.options import Relative, Target
from insitu.training.select_codec import MODEL, compress_block
from insitu.training.sparse_grid import best_levels, choose_splits
from insitu.training.step_search import ExpectedError
from insitu.training.train import train
from tests.support.blocks import blob, partition, rough, swirl


def keep(block: Partition, previous: BlockField | None = None, **target: Any) -> ModelField:
    """The block as read from its bytes."""
    job = TrainingJob.of(
        block, SparseGrid(), target=Target(**target), previous=previous, sized_by_target=True,
        cycle=3, time=0.5,
    )  # fmt: skip
    again = read_field(compress_block(job, MODEL).to_bytes())
    assert isinstance(again, ModelField)
    return again


def block_of(values: np.ndarray, association: str = "element") -> Partition:
    extra = 1 if association == "vertex" else 0
    x, y, z = (np.arange(n - extra + 1, dtype=float) for n in reversed(values.shape))
    return Partition("f", association, (values,), NO_LAYERS, (x, y, z), 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("function", [blob, rough])
@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("goal", [30, 55])
def test_psnr_is_met_and_hardly_exceeded(function: Any, association: str, goal: float) -> None:
    block = partition(function, association=association)
    field = keep(block, psnr=goal)
    found = psnr(field.decode(), block.owned[0])
    assert goal <= found < goal + 0.5
    assert np.isclose(found, field.metrics.psnr_db([float(np.ptp(block.owned[0]))]), atol=0.01)
    assert field.weights.codec == "sparse_grid" and field.model_alone


def test_every_point_is_the_trilinear_function_of_the_decoded_samples() -> None:
    """On both engines, by points and on grids, and its gradient by differences."""
    block = partition((blob, swirl), dtype=np.float64)
    field = keep(block, psnr=45)
    raw = block_of(field.decode()[..., 1])
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 1, (200, 3))
    scaled = points * np.array(block.shape[::-1])
    expected = RawBlock(raw)(scaled)
    np.testing.assert_allclose(field(points)[:, 1], expected, atol=1e-5)
    slow = read_field(field.to_bytes(), engine("numpy"))
    np.testing.assert_allclose(slow(points), field(points), atol=1e-5)
    np.testing.assert_allclose(slow.gradient(points), field.gradient(points), atol=1e-3)
    axes = [np.sort(rng.uniform(0, 1, n)) for n in (5, 4, 6)]
    z, y, x = np.meshgrid(*axes[::-1], indexing="ij")
    grid = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    np.testing.assert_allclose(field.on_grid(*axes).reshape(-1, 2), field(grid), atol=1e-5)


def test_the_next_step_starts_from_the_step_before() -> None:
    cells = (32, 33, 34)  # of fewer samples, a step more or less is seen in the error
    first = keep(partition(blob, cells), psnr=40)
    second = keep(partition(lambda x, y, z: 1.02 * blob(x, y, z) + 0.01, cells), first, psnr=40)
    assert not first.metrics.warm and second.metrics.warm
    assert second.metrics.iterations <= first.metrics.iterations
    assert second.metrics.iterations < 5


@pytest.mark.parametrize("function", [blob, rough])
def test_what_a_step_reaches_is_expected_from_sizes(function: Any) -> None:
    """To 2 dB without a trial, and as much off at another step."""
    samples = filled(partition(function, (40, 41, 42)).owned[0], 0.0, 1.0)
    splits = choose_splits(samples, 0.01)
    coefficients = sparse_kernels().analyse(samples, splits)
    expected, off = ExpectedError([coefficients], splits, np.ones(1), 0.1), []
    for psnr_db in (40, 50):
        (step,) = {expected.coarsest(psnr_db, near) for near in (0, 30000, 30500, 65535)}
        assert expected.psnr(step) >= psnr_db > expected.psnr(step + 8)
        component = sparse_grid.Component.of(coefficients, splits, step)
        decoded = sparse_kernels().synthesise(component.coefficients(splits), splits)
        off.append(psnr(decoded, samples, 1.0) - psnr_db)
    assert np.abs(off).max() < 2 and abs(off[1] - off[0]) < 1


def test_metrics_have_few_bits_and_are_true() -> None:
    block = partition(rough, (20, 24, 17))
    metrics = train(TrainingJob.of(block, SparseGrid(), target=Target(psnr=40))).metrics
    error = np.abs(keep(block, psnr=40).decode().astype(np.float64) - block.owned[0])
    assert error.max() <= metrics.max_error <= 1.001 * error.max()
    assert metrics.sum_of_squares[0] == pytest.approx(np.square(error).sum(), rel=3e-4)
    for value in (*metrics.sum_of_squares, metrics.max_error, metrics.seconds):
        assert float(np.float32(value)) == value


def test_a_time_limit_ends_the_search() -> None:
    block = partition(rough)
    limit = Target(psnr=52, seconds=0.5)
    free, short = (
        train(TrainingJob.of(block, SparseGrid(), target=limit, clock=clock))
        for clock in (lambda: 0.0, iter(range(100)).__next__)
    )
    assert short.metrics.iterations == 1 < free.metrics.iterations


def test_what_cannot_be_coded_is_refused_before_any_work() -> None:
    with pytest.raises(ValueError, match=r"sparse_grid: \(16384, 16384, 2\) samples are not"):
        SparseGrid(shape=(2**14, 2**14, 2)).check()
    with pytest.raises(ValueError, match=r"16 components of .* are 2\^31 samples or more"):
        SparseGrid(shape=(2**14, 2**13, 1), n_outputs=16).check()
    with pytest.raises(ValueError, match=r"n_outputs: 17 is not in 1\.\.16"):
        keep(partition((blob,) * 17, (4, 4, 4)), psnr=40)


def test_holes_stay_holes_and_cost_little() -> None:
    whole = partition(blob, ghosts=0).components[0]
    with_holes = whole.copy()
    with_holes[4:9, 5:14, 3:12] = np.nan
    field = keep(block_of(with_holes), psnr=40)
    np.testing.assert_array_equal(np.isnan(field.decode()), np.isnan(with_holes))
    assert psnr(field.decode(), with_holes) >= 40
    payload = keep(block_of(whole), psnr=40).weights.payload  # headers vary with the time taken
    assert len(field.weights.payload) < 2 * len(payload)


def test_infinities_become_finite() -> None:
    values = partition(blob, ghosts=0).components[0].copy()
    values[3, 3, 3], values[7, 2, 1] = np.nan, np.inf
    field = keep(block_of(values), psnr=40)
    assert np.isnan(field.decode()).sum() == 1 and np.isfinite(field.decode()[7, 2, 1])
    assert psnr(field.decode(), values) >= 40
    assert (field.metrics.nan_count, field.metrics.inf_count) == (1, 1)


@pytest.mark.parametrize("bound", [Relative(rel=1e-2), 1e-4])
def test_errors_stay_within_their_bound(bound: Any) -> None:
    block = partition((blob, swirl))
    field = keep(block, max_error=bound)
    for c, raw in enumerate(block.owned):
        most = bound if isinstance(bound, float) else bound.rel * np.ptp(raw)
        assert np.abs(field.decode()[..., c].astype(float) - raw).max() <= most


@pytest.mark.parametrize("ratio", [10, 40])
def test_ratio_is_used_up_and_not_exceeded(ratio: float) -> None:
    block = partition(rough, (24, 22, 26))
    field = keep(block, ratio=ratio)
    raw = 4 * block.n_voxels
    assert 0.8 * raw <= ratio * field.nbytes <= raw


@given(
    st.tuples(*[st.integers(1, 7)] * 3),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from([1.0, 1e30, 1e-30]),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=25)
def test_blocks_of_any_size(shape: Any, dtype: Any, scale: float, seed: int) -> None:
    values = (scale * np.random.default_rng(seed).normal(size=shape)).astype(dtype)
    field = keep(block_of(values), psnr=60)
    assert field.decode().dtype == dtype
    if np.ptp(values) > 0:
        assert psnr(field.decode(), values) >= 60
    else:
        np.testing.assert_array_equal(field.decode(), values)


@pytest.mark.parametrize("unit", [3e38, 1e-40])
def test_float32_up_to_its_ends(unit: float) -> None:
    """The largest range is no float32 itself; the smallest is one of few bits."""
    values = (unit * partition(blob, ghosts=0).components[0].astype(np.float64)).astype(np.float32)
    values[0, 0, 0], values[1, 1, 1] = -unit, unit
    decoded = keep(block_of(values), psnr=50).decode()
    assert decoded.dtype == np.float32
    assert psnr(decoded.astype(np.float64), values.astype(np.float64)) >= 50


def test_an_axis_that_is_sampled_coarsely_waits() -> None:
    z, y, x = np.meshgrid(*(np.arange(n) for n in (20, 64, 64)), indexing="ij")
    samples = (np.sin(0.05 * x) * np.cos(0.06 * y) * np.sin(0.8 * z)).astype(np.float32)
    assert choose_splits(samples, 0.1)[0] == 3
    same = np.sin(0.3 * (x + y) + 0.2 * z).astype(np.float32)
    assert choose_splits(same, 0.1)[0] == 7


@pytest.mark.parametrize(
    "shape", [(20, 64, 64), (64, 20, 30), (33, 30, 64), (1, 18, 20), (40, 1, 1)]
)
def test_coefficients_that_come_with_the_choice_are_those_of_the_samples(
    shape: tuple[int, int, int],
) -> None:
    """Levels that orders of axes have in common are computed once."""
    rng, kernels, found = np.random.default_rng(0), sparse_kernels(), set()
    for axis in range(3):  # rough along one axis
        samples = rng.normal(size=shape).cumsum(axis).cumsum(axis - 1).astype(np.float32)
        samples /= np.ptp(samples)
        splits, coefficients = best_levels(samples, 0.05, partial(kernels.analyse, samples))
        found.add(tuple(splits))
        np.testing.assert_allclose(coefficients, kernels.analyse(samples, splits), atol=1e-5)
    assert len(found) > 1 or sorted(shape)[1] == 1


def test_gaps_are_filled_from_around() -> None:
    z, y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in (9, 10, 13)), indexing="ij")
    values = x + y + z
    gaps = np.where((x > 0.3) & (x < 0.6), np.nan, values)
    found = filled(gaps, 0.0, 1.0)
    there = np.isfinite(gaps)
    np.testing.assert_allclose(found[there], values[there], rtol=1e-6)
    assert np.isfinite(found).all()
    assert values.min() - 1e-6 <= found.min() and found.max() <= values.max() + 1e-6
    assert (filled(np.full((2, 3, 4), np.nan), 0.0, 1.0) == 0).all()


def test_altered_payloads_are_refused() -> None:
    field = keep(partition(blob), psnr=40)
    payload = field.weights.payload
    for wrong in (b"", payload[:2], b"\x07" + payload[1:], b"\x11" + payload[1:]):
        with pytest.raises(FrameError):
            sparse_grid.read(wrong, field.shape, 1, False)
    assert payload[1] == 2 and payload[2] >> 4 == 7  # two levels, the first one of all axes
    for mask in (0, 8, 12):
        with pytest.raises(FrameError, match=r"splits: expected at most 48 digits in 1\.\.7"):
            wrong = payload[:2] + bytes([mask << 4 | 7]) + payload[3:]
            sparse_grid.read(wrong, field.shape, 1, False)
    with pytest.raises(FrameError, match="splits: an axis of one sample"):
        sparse_grid.read(payload, (1, *field.shape[1:]), 1, False)
    with pytest.raises(FrameError, match=r"samples are not 1\.\.2\^28"):
        sparse_grid.read(payload + bytes(2**10), (2**10, 2**10, 2**9), 1, False)
    with pytest.raises(FrameError, match="bytes for"):
        sparse_grid.read(payload[:12], (2**10, 2**10, 2**10), 1, False)
