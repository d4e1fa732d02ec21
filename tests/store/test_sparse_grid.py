"""Steps of a sparse grid are coded with the step before as their context."""

import numpy as np
import pytest

from insitu.codecs.frame import FrameError
from insitu.codecs.weights import Weights
from insitu.fields import sparse_grid
from insitu.fields.model_field import ModelField
from insitu.models.sparse_grid.model import SparseGrid
from insitu.store import step_delta
from insitu.training.job import TrainingJob
from insitu.training.options import Target
from insitu.training.train import train
from tests.support.blocks import partition


def steps(n: int, components: int = 1) -> list[ModelField]:
    """A front that moves by a third of a cell from step to step."""
    fields: list[ModelField] = []
    for step in range(n):

        def front(x: np.ndarray, y: np.ndarray, z: np.ndarray, at: float = step / 60) -> np.ndarray:
            return np.tanh(12 * (x + 0.4 * y - z - at)) * np.cos(3 * y)

        job = TrainingJob.of(
            partition((front,) * components, (20, 20, 20)), SparseGrid(), target=Target(psnr=45),
            sized_by_target=True, previous=fields[-1] if fields else None, cycle=step,
        )  # fmt: skip
        fields.append(train(job))
    return fields


@pytest.mark.parametrize("components", [1, 2])
def test_a_step_comes_back_bit_for_bit_from_fewer_bytes(components: int) -> None:
    first, second, third = steps(3, components)
    coded = [step_delta.subtract(second, first), step_delta.subtract(third, second)]
    again = step_delta.add(coded[0], first)
    assert again.to_bytes() == second.to_bytes()
    np.testing.assert_array_equal(again.decode(), second.decode())
    assert step_delta.add(coded[1], again).to_bytes() == third.to_bytes()
    assert len(coded[1]) < 0.8 * len(third.to_bytes())


def test_numbers_take_fewer_bytes_in_context() -> None:
    first, second = steps(2)
    payload = second.weights.payload
    shape = second.shape
    coded = sparse_grid.with_context(second.weights, first.weights, shape, 1)
    read = [Weights(w.params, w.codec, w.payload) for w in (second.weights, first.weights)]
    assert sparse_grid.with_context(*read, shape, 1) == coded  # without what is kept of small ones
    assert len(coded) < 0.95 * len(payload)
    assert sparse_grid.without_context(coded, first.weights.payload, shape, 1) == payload
    with pytest.raises(FrameError, match="relative to a step"):
        sparse_grid.read(coded, shape, 1, False)
