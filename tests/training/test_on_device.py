"""Published arrays of a GPU, trained on in place by an engine of that GPU: here the emulated one,
with arrays that count what of them was copied to the host."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core import device_arrays
from insitu.engines import Engine, engine
from insitu.engines.cuda.engine import CudaEngine
from insitu.fields.model_field import ModelField
from insitu.mesh.plain_arrays import uniform
from insitu.mesh.published_step import PublishedStep
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.options import Target, TrainingOptions
from tests.support.cuda.emulated import EmulatedDevice
from tests.support.device_arrays import Counted

SHAPE = (12, 16, 20)
PSNR = 18.0
OPTIONS = TrainingOptions(batch=256, n_min=150)


def waves() -> np.ndarray:
    z, y, x = np.meshgrid(*[np.linspace(0, 1, n) for n in SHAPE], indexing="ij")
    return np.sin(5 * x + y) * np.cos(4 * z) + 0.1 * x


def trained(on: Engine, values: Any, model: Any = None, **target: Any) -> ModelField:
    step = PublishedStep(uniform({"u": values}, spacing=0.1), ghost_field=None)
    recipe = FieldSpec(model or HashGrid(log2_hashmap_size=9), OPTIONS, Target(**target))
    found = train_fields(
        MPI.COMM_SELF,
        {"u": step.partitions("u")},
        {"u": recipe},
        {},
        engine=on,
        cycle=0,
        time=0.0,
    )
    assert found is not None
    (field,) = found["u"].fields
    assert isinstance(field, ModelField)
    return field


def test_training_and_measuring_take_no_copy() -> None:
    device = EmulatedDevice()
    values = Counted(waves())
    field = trained(CudaEngine(device), values, psnr=PSNR)
    # The places at which fidelity is measured, and no more.
    assert 0 < values.copied < waves().size / 2
    assert waves().nbytes not in device.uploads
    np.testing.assert_array_equal(field.range, [[waves().min(), waves().max()]])
    assert field.metrics.psnr_db([np.ptp(waves())]) >= PSNR


@pytest.mark.parametrize("name", ["cpu", "numpy"])
def test_other_engines_get_one_copy_and_say_so_once(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    device_arrays._say_once.cache_clear()
    values = Counted(waves())
    with caplog.at_level(logging.INFO, "insitu"):
        field = trained(engine(name), values, psnr=20.0, iterations=5)
    assert values.copied == waves().size
    assert len(caplog.records) == 1 and "on a GPU" in caplog.text
    expected = trained(engine(name), waves(), psnr=20.0, iterations=5)
    np.testing.assert_array_equal(field.params, expected.params)


@pytest.mark.parametrize(
    ("model", "target"),
    [(HashGrid(log2_hashmap_size=9), {"max_error": 0.05}), (SparseGrid(), {"psnr": 30.0})],
)
def test_what_needs_the_whole_block_on_the_host_copies_it_once(model: Any, target: dict) -> None:
    values = Counted(waves())
    field = trained(CudaEngine(EmulatedDevice()), values, model, **target)
    assert values.copied <= 2 * waves().size
    error = field.decode() - waves()
    assert np.abs(error).max() <= target.get("max_error", 0.5)
