"""Corrections by sparse grids: bounds are kept, pieces and points are those of `decode`."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from insitu.codecs import compressors
from insitu.codecs.chunks import Chunks
from insitu.codecs.frame import FrameError
from insitu.fields import correction, sparse_grid
from insitu.fields.correction import SparseCorrection, pieces
from insitu.fields.model_field import ModelField
from insitu.fields.read import read_field
from insitu.mesh.partition import Partition
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.error_bounds import errors_of
from insitu.training.job import TrainingJob
from insitu.training.options import Relative, Target, TrainingOptions
from insitu.training.train import train
from tests.support.blocks import blob, partition, rough, swirl

QUICK = TrainingOptions(n_min=40, epochs=1)


def keep(block: Partition, model: Any = None, **target: Any) -> ModelField:
    """The block as read from its bytes."""
    job = TrainingJob.of(
        block, model or HashGrid(), options=QUICK, target=Target(**target), sized_by_target=True
    )
    field = read_field(train(job).to_bytes())
    assert isinstance(field, ModelField)
    return field


@pytest.mark.parametrize("model", [HashGrid(), SparseGrid()])
def test_a_bound_takes_fewer_bytes_than_sz3_with_it(model: Any) -> None:
    block = partition(rough, (48, 48, 48))
    raw = block.owned[0]
    bound = 1e-2 * float(np.ptp(raw))
    field = keep(block, model, max_error=bound)
    assert isinstance(field.residual, SparseCorrection)
    error = np.abs(field.decode().astype(np.float64) - raw)
    assert error.max() <= bound and error.max() == field.metrics.max_error
    alone = compressors.encode("sz3", np.ascontiguousarray(raw), bound)
    assert alone is not None
    if isinstance(model, SparseGrid):
        assert field.nbytes < 0.8 * len(alone)


def test_pieces_boxes_and_points_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correction, "EDGE", 9)
    block = partition((blob, swirl), (20, 24, 17), dtype=np.float64)
    field = keep(block, max_error=Relative(rel=1e-3))
    residual = field.residual
    assert isinstance(residual, SparseCorrection) and len(pieces(residual.shape)) == 12
    whole = np.stack(residual.decode(), axis=-1)
    box = (slice(3, 15), slice(0, 24), slice(8, 17))
    np.testing.assert_array_equal(residual.box(box), whole[box])
    np.testing.assert_array_equal(field.decode_box(box), field.decode()[box])
    z, y, x = np.random.default_rng(0).integers(0, np.array(whole.shape[:3]), (50, 3)).T
    np.testing.assert_array_equal(residual.at(1, z, y, x), whole[z, y, x, 1])
    assert not len(residual.at(0, z[:0], y[:0], x[:0]))


@pytest.mark.parametrize("goal", [62.0, 75.0])
def test_a_psnr_that_no_network_reaches_is_reached(goal: float) -> None:
    block = partition((rough, blob))
    field = keep(block, psnr=goal)
    assert isinstance(field.residual, SparseCorrection)
    ranges = [float(np.ptp(raw)) for raw in block.owned]
    assert goal <= field.metrics.psnr_db(ranges) < goal + 0.5


def test_holes_stay_holes_and_infinities_are_kept_by_sz3() -> None:
    block = partition(blob, ghosts=0)
    values = block.components[0].copy()
    values[4:9, 5:14, 3:12] = np.nan
    with_holes = replace(block, components=(values,))
    field = keep(with_holes, max_error=1e-3)
    assert isinstance(field.residual, SparseCorrection)
    np.testing.assert_array_equal(np.isnan(field.decode()), np.isnan(values))
    assert np.nanmax(np.abs(field.decode() - values)) <= 1e-3
    inner = (slice(2, 12),) * 3
    np.testing.assert_array_equal(field.decode_box(inner), field.decode()[inner])
    values[0, 0, 0] = np.inf
    field = keep(replace(block, components=(values,)), max_error=1e-3)
    assert isinstance(field.residual, Chunks) and field.decode()[0, 0, 0] == np.inf


def test_single_samples_of_version_1_are_read() -> None:
    """They were coded one by one, without a layout of levels."""
    field = keep(partition(rough, (20, 24, 17)), max_error=1e-2)
    residual = field.residual
    assert isinstance(residual, SparseCorrection)
    ((_, (levels, samples)),) = residual.parts
    components, layout = sparse_grid.unpack(samples, residual.shape, 1)
    assert layout and components[0].numbers.any()
    plain = SparseCorrection.of(
        [(levels, sparse_grid.pack(components, []))], residual.units.tolist(), residual.shape,
        residual.dtype,
    )  # fmt: skip
    old = SparseCorrection.from_payload(
        b"\x01" + plain.payload[1:], residual.shape, 1, residual.dtype
    )
    np.testing.assert_array_equal(old.decode(), residual.decode())


def test_altered_corrections_are_refused() -> None:
    field = keep(partition(blob), max_error=1e-3)
    assert isinstance(field.residual, SparseCorrection)
    payload, kind = field.residual.payload, (field.shape, 1, field.dtype)
    for wrong in (b"", b"\x09" + payload[1:], payload[:9], payload[:-1], payload + b"0"):
        with pytest.raises(FrameError, match="correction"):
            SparseCorrection.from_payload(wrong, *kind)
    with pytest.raises(FrameError, match="not finite"):
        SparseCorrection.from_payload(payload[:1] + b"\xff" * 8 + payload[9:], *kind)
    damaged = payload[:17] + b"\x07" + payload[18:]
    with pytest.raises(FrameError):
        SparseCorrection.from_payload(damaged, *kind).decode()


@pytest.mark.parametrize("largest", [1.0, 1e30])
def test_errors_in_single_precision_are_those_in_double(largest: float) -> None:
    random = np.random.default_rng(0)
    raw, decoded = (random.uniform(-largest, largest, (3, 40, 50)).astype(np.float32) for _ in "ab")
    raw[0, :2, 5] = np.nan, np.inf
    found, exact = (errors_of(decoded.astype(t), raw.astype(t)) for t in (np.float32, np.float64))
    assert found[1:] == exact[1:] and found.finite == raw.size - 2
    np.testing.assert_allclose(found.sum_of_squares, exact.sum_of_squares, rtol=1e-12)
