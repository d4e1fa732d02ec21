"""What is promised of an error holds for every engine that may read it, whichever trained."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from insitu.engines import Engine, engine
from insitu.engines.cuda.engine import CudaEngine
from insitu.fields.block_field import BlockField
from insitu.fields.read import read_field
from insitu.models.hash_grid.model import HashGrid
from insitu.training.job import TrainingJob
from insitu.training.options import Relative, Target, TrainingOptions
from insitu.training.select_codec import MODEL, compress_block
from tests.support.blocks import partition
from tests.support.cuda.emulated import EmulatedDevice


@cache
def engines() -> dict[str, Engine]:
    return {
        "cpu": engine("cpu"),
        "numpy": engine("numpy"),
        "cuda": CudaEngine(EmulatedDevice()),
    }


def trained(by: str, relative: float, dtype: type) -> tuple[BlockField, np.ndarray]:
    def function(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return 300 * np.sin(5 * x + 2 * y) * np.cos(3 * y - 3 * z) + 20 * np.sin(30 * x)

    block = partition(function, (14, 15, 16), ghosts=0, dtype=dtype)
    job = TrainingJob.of(
        block,
        HashGrid(log2_hashmap_size=10),
        engine=engines()[by],
        options=TrainingOptions(batch=256, n_min=60),
        target=Target(max_error=Relative(rel=relative), iterations=60),
    )
    return compress_block(job, MODEL), block.owned[0].astype(np.float64)


@pytest.mark.parametrize(
    ("by", "relative", "dtype"),
    [
        ("cpu", 1e-3, np.float32),
        ("cpu", 1e-5, np.float32),
        ("cpu", 1e-5, np.float64),
        ("cpu", 3e-6, np.float64),
        ("cuda", 3e-6, np.float64),
    ],
)
def test_bounds_hold_for_every_reader(by: str, relative: float, dtype: type) -> None:
    field, raw = trained(by, relative, dtype)
    assert field.as_model is not None and field.as_model.residual is not None
    bound = relative * np.ptp(raw)
    for reader in engines().values():
        decoded = read_field(field.to_bytes(), engine=reader).decode()
        assert np.abs(decoded.astype(np.float64) - raw).max() <= bound


def test_bounds_below_what_engines_agree_on_are_kept_without_a_network() -> None:
    field, raw = trained("cpu", 1e-6, np.float64)
    assert field.as_model is None
    assert np.abs(field.decode() - raw).max() <= 1e-6 * np.ptp(raw)
