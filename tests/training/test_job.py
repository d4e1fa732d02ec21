"""What a block is asked once, whatever happens to it at a step; another model and engine."""

import pytest
from mpi4py import MPI

from insitu.engines import engine
from insitu.engines.cpu.engine import GridSampler
from insitu.models.dense_grid.model import DenseGrid
from insitu.models.hash_grid.model import HashGrid
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.options import Target, TrainingOptions
from tests.support.blocks import blob, partition, swirl


@pytest.mark.parametrize("codec", ["inr", "sz3", "auto"])
def test_a_block_is_measured_once(monkeypatch: pytest.MonkeyPatch, codec: str) -> None:
    asked: list[int] = []
    whole = GridSampler.statistics

    def counted(sampler: GridSampler, component: int) -> object:
        asked.append(component)
        return whole(sampler, component)

    monkeypatch.setattr(GridSampler, "statistics", counted)
    recipe = FieldSpec(
        HashGrid(), TrainingOptions(n_min=50), Target(psnr=25), automatic=True, codec=codec
    )
    blocks = {"f": [partition([blob, swirl])]}
    fields = train_fields(
        MPI.COMM_SELF, blocks, {"f": recipe}, {}, seconds=60.0, cycle=0, time=0.0,
        engine=engine("cpu"),
    )  # fmt: skip
    assert fields is not None and sorted(asked) == [0, 1]


@pytest.mark.parametrize("name", ["cpu", "numpy"])
def test_another_model_reaches_its_target_on_any_engine(name: str) -> None:
    recipe = FieldSpec(DenseGrid(), TrainingOptions(n_min=400), Target(psnr=32), automatic=True)
    blocks = {"f": [partition(blob, cells=(10, 10, 10))]}
    fields = train_fields(
        MPI.COMM_SELF, blocks, {"f": recipe}, {}, cycle=0, time=0.0, engine=engine(name)
    )
    assert fields is not None
    (field,) = fields["f"].fields
    model = field.as_model
    assert model is not None and isinstance(model.model, DenseGrid)
    assert model.engine is not None and model.engine.name == name
    assert fields["f"].summary.psnr_db >= 32
