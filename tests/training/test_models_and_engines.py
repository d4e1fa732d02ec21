"""Every kind of model trains and is read where a GPU's engine was asked for: by it, or by one that
has the model."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from insitu.engines import using
from insitu.engines.cuda.engine import CudaEngine
from insitu.fields.model_field import ModelField
from insitu.models.adaptive_grid.model import AdaptiveGrid
from insitu.models.base import Model
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid
from insitu.testing import cases
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.select_codec import MODEL, compress_block
from tests.support.blocks import partition
from tests.support.cuda.emulated import EmulatedDevice


@cache
def gpu() -> CudaEngine:
    return CudaEngine(EmulatedDevice())


@pytest.mark.parametrize(
    ("model", "by", "more"),
    [
        (HashGrid(log2_hashmap_size=9), "cuda", {}),
        (cases.models()[6], "cuda", {}),
        (AdaptiveGrid(n_grids=2, resolution=4), "cpu", {}),
        (SparseGrid(), "cpu", {}),
        (HashGrid(log2_hashmap_size=9), "cuda", {"any_model": True}),
    ],
)
def test_every_model_works(model: Model, by: str, more: dict[str, Any]) -> None:
    block = partition(lambda x, y, z: np.sin(5 * x + y) * np.cos(3 * z), (10, 11, 12), ghosts=0)
    with using(gpu()):
        job = TrainingJob.of(
            block,
            model,
            engine=gpu(),
            target=Target(psnr=15.0, iterations=20),
            options=TrainingOptions(batch=128, n_min=60),
            **more,
        )
        assert job.engine.name == by
        field = compress_block(job, MODEL)
        decoded = field.decode()
        at = np.array([[0.3, 0.4, 0.5]])
        assert np.isfinite(field(at)).all() and np.isfinite(field.gradient(at)).all()
        again = ModelField.from_bytes(field.to_bytes(), engine=gpu())
        np.testing.assert_allclose(again.decode(), decoded, atol=1e-5)
    assert np.abs(decoded - block.owned[0]).max() < 1.5
