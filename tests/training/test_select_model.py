"""`model: auto`: fewest bytes for the target, decided per block, kept, and told."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

from insitu.config import load
from insitu.core.errors import ConfigError
from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import Choice
from insitu.fields.model_field import ModelField
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.models.hash_grid.model import HashGrid
from insitu.training import select_model
from insitu.training.adaptive_size import AdaptiveState
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.job import TrainingJob
from insitu.training.options import Relative, Target, TrainingOptions
from insitu.training.select_codec import MODEL, compress_block
from tests.support.blocks import blob, partition, rough, split

QUICK = TrainingOptions(n_min=60, epochs=1)


def job_of(block: Partition, memory: AdaptiveState | None = None, **target: Any) -> TrainingJob:
    return TrainingJob.of(
        block, HashGrid(log2_hashmap_size=9), options=QUICK, target=Target(**target),
        sized_by_target=True, any_model=True, memory=memory or AdaptiveState(),
    )  # fmt: skip


def kind_of(field: BlockField) -> str:
    assert isinstance(field, ModelField) and field.model is not None
    return field.model.kind


@pytest.mark.parametrize(
    "target", [{"psnr": 40.0}, {"ratio": 20.0}, {"max_error": Relative(rel=1e-2)}]
)
def test_the_sparse_grid_takes_fewer_bytes(target: dict[str, Any]) -> None:
    memory = AdaptiveState()
    block = partition(rough, (24, 26, 28))
    field = compress_block(job_of(block, memory, **target), MODEL)
    network = compress_block(replace(job_of(block, **target), any_model=False), MODEL)
    assert kind_of(field) == "sparse_grid" == memory.model and kind_of(network) == "hash_grid"
    job = job_of(block, **target)
    assert select_model.rank(field, job) < select_model.rank(network, job)
    assert memory.choice == Choice("sparse_grid", 1, field.nbytes, memory.other_nbytes)
    assert memory.other_nbytes > 0


def test_a_network_that_takes_fewer_bytes_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise of few dB, which a network need not follow, with bytes of the sparse grid as much."""
    block = partition(rough, (24, 26, 28))
    sparse = compress_block(job_of(block, psnr=20.0), MODEL)
    monkeypatch.setattr(select_model, "_as_sparse", costly)
    memory = AdaptiveState()
    field = compress_block(job_of(block, memory, psnr=20.0), MODEL)
    assert kind_of(field) == "hash_grid" == memory.model
    assert memory.choice is not None and memory.choice.other_nbytes > sparse.nbytes
    later = compress_block(replace(job_of(block, memory, psnr=20.0), previous=field), MODEL)
    assert later.metrics.warm and memory.model_age == 1


def costly(job: TrainingJob) -> TrainingJob:
    """The job of a sparse grid that has to be far more accurate."""
    return replace(job, model=select_model.SparseGrid(), any_model=False, target=Target(psnr=100.0))


def test_the_pilot_is_all_that_is_trained_where_it_is_hopeless(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trained: list[str] = []
    original = select_model.train

    def noted(job: TrainingJob) -> ModelField:
        trained.append(job.model.kind)
        return original(job)

    monkeypatch.setattr(select_model, "train", noted)
    memory = AdaptiveState()
    for _ in range(22):
        compress_block(job_of(partition(blob), memory, psnr=40.0), MODEL)
    assert trained == ["sparse_grid"] * 22
    assert memory.model_age == 0  # compared at the first step, and after 20 more


@pytest.mark.parametrize("target", [{"psnr": 20.0}, {"ratio": 20.0}])
def test_a_block_keeps_its_kind_unless_the_other_is_clearly_better(target: dict[str, Any]) -> None:
    block = partition(rough, (24, 26, 28))
    job = job_of(block, **target)
    field = compress_block(replace(job, any_model=False), MODEL)
    assert isinstance(field, ModelField)

    def other(part: float, db: float) -> ModelField:
        """With this part of the bytes, so much better."""
        metrics = field.metrics
        squares = tuple(s * 10 ** (-db / 10) for s in metrics.sum_of_squares)
        metrics = replace(metrics, sum_of_squares=squares)
        return replace(field, metrics=metrics, _bytes=bytes(round(part * field.nbytes)))

    little, clearly = other(0.97, 0.3), other(0.9, 1.0)
    for kind, places in (("sparse_grid", (0, 1)), ("hash_grid", (1, 0)), (None, (0, 0))):
        job.memory.model = kind
        for better, first in ((little, field if kind else little), (clearly, clearly)):
            pair = (field, better) if places == (0, 1) else (better, field)
            best, _ = select_model._in_order(*pair, job)
            assert best is first, (kind, better is little)


def test_a_constant_block_is_compared_when_it_changes() -> None:
    memory = AdaptiveState()
    flat = partition(lambda x, y, z: 0 * x + 2.5)
    field = compress_block(job_of(flat, memory, psnr=40.0), MODEL)
    assert isinstance(field, ModelField) and field.model is None
    assert memory.model is None and memory.choice is None
    compress_block(job_of(partition(blob), memory, psnr=40.0), MODEL)
    assert memory.model == "sparse_grid"


def test_extreme_values_and_thin_blocks() -> None:
    for values in (1e300 * partition(blob, dtype=np.float64).owned[0], np.arange(3.0)[None, None]):
        nodes = tuple(np.arange(n + 1.0) for n in reversed(values.shape))
        block = Partition("f", "element", (values,), NO_LAYERS, nodes, 0)  # type: ignore[arg-type]
        field = compress_block(job_of(block, psnr=40.0), MODEL)
        assert field.metrics.psnr_db([float(np.ptp(values))]) >= 40


def over_ranks(comm: MPI.Comm) -> None:
    """Each rank decides for itself; the summary has the counts of all."""
    blocks = [
        replace(block, domain_id=i)
        for i, block in enumerate(split(rough, (16, 16, 48), (1, 1, 3), name="f"))
    ]
    mine = {"f": blocks if comm.size == 1 else blocks[comm.rank : comm.rank + 1]}
    recipe = FieldSpec(HashGrid(), QUICK, Target(psnr=40.0), automatic=True, any_model=True)
    memories: dict[tuple[str, int], AdaptiveState] = {}
    fields = train_fields(comm, mine, {"f": recipe}, {}, memories=memories, cycle=0, time=0.0)
    assert fields is not None
    summary = fields["f"].summary
    assert summary.psnr_db >= 40
    # The left one is constant: it has no model.
    assert sum(choice.n_blocks for choice in summary.choices) == 2
    assert all(choice.nbytes < summary.nbytes for choice in summary.choices)


def test_ranks_decide_for_themselves() -> None:
    over_ranks(MPI.COMM_SELF)


@pytest.mark.parallel(3)
def test_three_ranks_decide_for_themselves() -> None:
    over_ranks(MPI.COMM_WORLD)


def test_the_run_file_needs_a_target_for_it() -> None:
    run = load({"fields": {"u": {"model": "auto", "psnr": 40, "network": {"n_neurons": 32}}}})
    recipe = run.fields["u"].recipe
    assert recipe.any_model and recipe.sized_by_target and isinstance(recipe.model, HashGrid)
    assert recipe.model.n_neurons == 32
    words = load({"fields": {"u": {"model": "auto", "quality": "visual"}}}).fields["u"].recipe
    assert words.target.psnr == 55 and words.sized_by_target
    for wrong, text in (({}, "needs psnr"), ({"psnr": 40, "iterations": 9}, "may not train")):
        with pytest.raises(ConfigError, match=text):
            load({"fields": {"u": {"model": "auto", **wrong}}})
