"""Training behind a map of values: promises hold in the field's own units, anywhere."""

from dataclasses import replace

import numpy as np
import pytest

from insitu import engines
from insitu.config.run_file import FieldConfig
from insitu.fields.model_field import ModelField
from insitu.fields.read import read_field
from insitu.fields.transform import KINDS
from insitu.metrics import psnr
from insitu.models.choice import ModelChoice
from insitu.models.hash_grid.model import HashGrid
from insitu.training.job import TrainingJob
from insitu.training.options import Relative, Target, TrainingOptions
from insitu.training.train import train
from tests.support.blocks import blob, partition, swirl
from tests.support.fitting import fit, sample_points

SIZE = HashGrid(log2_hashmap_size=10)


def decades(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """From 1e-3 to 1, most of it small."""
    return 10 ** (-3 * (1 - blob(x, y, z)).clip(0, 1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_quality_that_is_stated_is_of_the_field_itself(kind: str, dtype: type) -> None:
    block = partition(decades, dtype=dtype)
    field = fit(block, transform=kind, n_min=400, psnr=38.0)
    truth = block.owned[0]
    decoded = field.decode()
    assert field.transform is not None and field.transform.kind == kind
    extent = float(np.ptp(truth))
    assert psnr(decoded, truth) >= 38
    assert field.metrics.psnr_db([extent]) == pytest.approx(psnr(decoded, truth), abs=1e-3)
    assert field.metrics.max_error == pytest.approx(np.abs(decoded - truth).max(), rel=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_max_error_is_a_bound_in_the_units_of_the_field(kind: str) -> None:
    block = partition(decades)
    field = fit(block, transform=kind, n_min=200, max_error=Relative(rel=1e-3))
    truth = block.owned[0]
    assert np.abs(field.decode().astype(np.float64) - truth).max() <= 1e-3 * np.ptp(truth)
    assert np.abs(read_field(field.to_bytes()).decode() - truth).max() <= 1e-3 * np.ptp(truth)


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_has_the_map(kind: str) -> None:
    field = fit(partition([decades, swirl]), transform=kind, n_min=200)
    again = read_field(field.to_bytes())
    assert isinstance(again, ModelField)
    np.testing.assert_array_equal(again.decode(), field.decode())
    points = np.random.default_rng(0).random((50, 3))
    np.testing.assert_array_equal(again(points), field(points))
    np.testing.assert_array_equal(again.gradient(points), field.gradient(points))
    assert not again.model_alone  # whoever reads the model itself has to be told


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_slopes_of_the_values(kind: str) -> None:
    """On a model with one smooth level, away from the faces of its cells."""
    block = partition(decades, dtype=np.float64)
    model = HashGrid(n_levels=1, n_features_per_level=4, base_resolution=2)
    job = TrainingJob.of(block, model, options=TrainingOptions(n_min=300, transform=kind))
    field = replace(train(job), engine=engines.engine("numpy"))
    points = 0.2 + 0.6 * np.random.default_rng(2).random((200, 3))
    step = 1e-5
    for axis in range(3):
        shift = step * np.eye(3)[axis]
        slope = (field(points + shift) - field(points - shift)) / (2 * step)
        got = field.gradient(points)[..., axis].reshape(slope.shape)
        # The others are at a kink of the MLP or a face of a cell; points are single precision.
        close = np.isclose(got, slope, rtol=0.05, atol=0.05 * np.abs(slope).max())
        assert close.mean() > 0.9


def test_the_reference_trains_the_same() -> None:
    block = partition(decades, cells=(8, 8, 8))
    model = HashGrid(n_levels=2, n_features_per_level=2, base_resolution=4)
    options, target = TrainingOptions(batch=128, transform="asinh"), Target(iterations=40)
    fields = [
        train(TrainingJob.of(block, model, options=options, engine=by, target=target))
        for by in (engines.engine("cpu"), engines.engine("numpy"))
    ]
    truth = block.owned[0]
    mine, other = (field.metrics.psnr_db([float(np.ptp(truth))]) for field in fields)
    assert mine == pytest.approx(other, abs=0.1)
    assert psnr(fields[1].decode(), truth) == pytest.approx(other, abs=1e-3)


def test_the_next_step_goes_on_behind_its_own_map() -> None:
    block = partition(decades)
    first = fit(block, transform="asinh", n_min=400)
    later = replace(block, components=(block.components[0] * 1.02,))
    warm = fit(later, previous=first, transform="asinh", iterations=40)
    cold = fit(later, transform="asinh", iterations=40)
    assert warm.metrics.warm and not cold.metrics.warm
    extent = [float(np.ptp(later.owned[0]))]
    assert warm.metrics.psnr_db(extent) > cold.metrics.psnr_db(extent) + 3
    other = fit(later, previous=first, transform="power", iterations=40)
    assert not other.metrics.warm
    assert not fit(later, previous=first, iterations=40).metrics.warm


def test_constants_holes_and_infinities() -> None:
    block = partition([decades, lambda x, y, z: np.full_like(x, 0.7)])
    field = fit(block, transform="power", n_min=200)
    np.testing.assert_array_equal(field.decode()[..., 1], block.owned[1])
    nothing = fit(partition(lambda x, y, z: np.full_like(x, 0.7)), transform="asinh")
    assert nothing.model is None and nothing.transform is None
    holes = partition(decades)
    holes.components[0][5:8, 6:8, 7] = np.nan
    holes.components[0][10, 10, 10] = np.inf
    decoded = fit(holes, transform="asinh", n_min=200).decode()
    np.testing.assert_array_equal(np.isnan(decoded), np.isnan(holes.owned[0]))


@pytest.mark.parametrize("scale", [1e-200, 1e250])
@pytest.mark.parametrize("kind", ["negate", "power", "asinh"])
def test_values_whose_squares_double_precision_cannot_hold(kind: str, scale: float) -> None:
    block = partition(decades, dtype=np.float64)
    extreme = replace(block, components=(block.components[0] * scale,))
    field = fit(extreme, transform=kind, n_min=300)
    np.testing.assert_allclose(
        read_field(field.to_bytes()).decode() / scale,
        fit(block, transform=kind, n_min=300).decode(),
        atol=0.05,
    )


def test_a_sparse_grid_is_not_trained() -> None:
    with pytest.raises(ValueError, match=r"training\.transform: model sparse_grid is not trained"):
        FieldConfig(
            model=ModelChoice("sparse_grid"), psnr=40, training=TrainingOptions(transform="asinh")
        )


def test_positions_of_samples_decode_to_themselves() -> None:
    field = fit(partition(decades), transform="asinh", n_min=200)
    np.testing.assert_allclose(field(sample_points(field)), field.decode().ravel(), rtol=1e-3)


def test_mapped_targets_reach_the_trainer() -> None:
    """The block that is learned is the mapped one, through the ghost layers as well."""
    block = partition(decades)
    job = TrainingJob.of(block, SIZE, options=TrainingOptions(transform="standardise"))
    points = np.random.default_rng(1).random((2000, 3)).astype(np.float32)
    values = job.trained.sample(points)
    assert values.std() == pytest.approx(1, abs=0.2)
    assert job.transform is not None
    np.testing.assert_allclose(
        job.transform.inverse(values), job.sampler.sample(points), rtol=1e-4, atol=1e-6
    )
