"""The search for a model's size on an engine that trains several at once: the emulated GPU."""

from typing import Any

import numpy as np
import pytest

from insitu.engines import engine
from insitu.engines.cuda.device import Launch, Program
from insitu.engines.cuda.engine import CudaEngine
from insitu.fields.model_field import ModelField
from insitu.models.hash_grid.model import HashGrid
from insitu.testing import cases
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import MeasuredBlock
from insitu.training.train import train
from tests.support.blocks import partition
from tests.support.clocks import Clock
from tests.support.cuda.emulated import EmulatedDevice


class Counting(EmulatedDevice):
    """Knows how many networks each launch trained."""

    def __init__(self) -> None:
        super().__init__()
        self.trained: list[int] = []

    def launch(self, program: Program, kernel: str, shape: Launch, arguments: np.ndarray) -> None:
        if kernel == "train":
            self.trained.append(shape.rows)
        super().launch(program, kernel, shape, arguments)


def waves(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.sin(9 * x + 2 * y) * np.cos(7 * y - 3 * z)


BLOCK = partition(waves, (14, 15, 16), ghosts=0)
MODEL = HashGrid(base_resolution=4)
OPTIONS = TrainingOptions(batch=256, n_min=40)


def fitted(device: Counting, psnr: float, seconds: float | None = None, **more: Any) -> ModelField:
    job = TrainingJob.of(
        BLOCK,
        MODEL,
        engine=CudaEngine(device),
        target=Target(psnr=psnr, seconds=seconds),
        options=OPTIONS,
        sized_by_target=True,
        **more,
    )
    return train(job)


def test_sizes_are_tested_in_one_launch() -> None:
    device = Counting()
    field = fitted(device, 22.0)
    assert field.metrics.psnr_db([2.0]) >= 21.9
    assert device.trained[0] == 3
    sizes = [option.model for option in MODEL.sizes(BLOCK.n_voxels, corrected=True)]
    assert field.model in sizes


def test_warm_weights_are_tried_alone() -> None:
    first = fitted(Counting(), 22.0)
    device = Counting()
    again = fitted(device, 22.0, previous=first)
    assert again.metrics.warm and again.model == first.model
    assert set(device.trained) == {1}


def test_where_time_ends_one_size_is_compressed() -> None:
    """The clock runs out while four sizes train: the closest is kept, and no other is begun."""
    device = Counting()
    field = fitted(device, 90.0, seconds=0.5, clock=Clock(0.02))
    assert field.model is not None and field.metrics.iterations > 0
    assert device.trained[0] == 3 and len(device.trained) < 40


@pytest.mark.parametrize("n", [0, 1, 3])
def test_any_engine_trains_several_one_after_the_other(n: int) -> None:
    cpu, model, one = engine("cpu"), HashGrid(log2_hashmap_size=6), np.ones(1)
    sampler = MeasuredBlock.of(BLOCK, cpu).sampler
    trainers = [
        cpu.trainer(model, model.initial(0), sampler, 0 * one, one, one, cases.OPTIONS)
        for _ in range(n)
    ]
    assert cpu.train_together(trainers, 1e9)
    assert [trainer.iteration for trainer in trainers] == [cases.OPTIONS.iterations] * n
