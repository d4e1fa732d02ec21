"""Targets are met by what the bytes decode to: psnr, ratio, max_error, by every codec."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI

from insitu.codecs.options import Compression
from insitu.fields.block_field import BlockField
from insitu.fields.model_field import ModelField
from insitu.fields.read import read_field
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.metrics import psnr
from insitu.models.base import Model
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training import bricks
from insitu.training.adaptive_size import AdaptiveState
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.error_bounds import largest, smallest
from insitu.training.job import TrainingJob
from insitu.training.options import Relative, Target, TrainingOptions
from insitu.training.select_codec import compress_block
from tests.support.blocks import blob, partition, rough, split, swirl

CODECS = ("inr", "sz3", "zfp", "sperr", "auto")
QUICK = TrainingOptions(n_min=40, epochs=1)


def keep(
    block: Partition,
    codec: str = "inr",
    previous: BlockField | None = None,
    memory: AdaptiveState | None = None,
    options: TrainingOptions = QUICK,
    compression: Compression | None = None,
    model: Model | None = None,
    **target: Any,
) -> BlockField:
    job = TrainingJob.of(
        block, model or HashGrid(), options=options, target=Target(**target), previous=previous,
        memory=memory or AdaptiveState(), compression=compression or Compression(),
        sized_by_target=True,
        cycle=3, time=0.5,
    )  # fmt: skip
    field = compress_block(job, codec)
    again = read_field(field.to_bytes())
    assert again.metrics == field.metrics
    return again


def block_of(values: list[np.ndarray], association: str = "element") -> Partition:
    extra = 1 if association == "vertex" else 0
    nodes = tuple(np.arange(n - extra + 1, dtype=float) for n in reversed(values[0].shape))
    return Partition("f", association, tuple(values), NO_LAYERS, nodes, 0)


fields = st.fixed_dictionaries(
    {
        "shape": st.tuples(*[st.integers(1, 13)] * 3) | st.sampled_from([(1, 1, 1), (35, 3, 1)]),
        "dtype": st.sampled_from([np.float32, np.float64]),
        "kind": st.sampled_from(["walk", "noise", "steps", "constant", "huge", "tiny"]),
        "components": st.integers(1, 2),
        "holes": st.sampled_from([0.0, 0.0, 0.1, 1.0]),
        "seed": st.integers(0, 999),
    }
)


def make(drawn: dict[str, Any]) -> list[np.ndarray]:
    rng = np.random.default_rng(drawn["seed"])
    components = []
    for _ in range(drawn["components"]):
        noise = rng.normal(size=drawn["shape"])
        values = {
            "walk": lambda n=noise: n.cumsum(-1).cumsum(0),
            "noise": lambda n=noise: n,
            "steps": lambda n=noise: np.sign(n) + 1e6,
            "constant": lambda n=noise: np.full_like(n, 0.1),
            "huge": lambda n=noise: n * 1e30,
            "tiny": lambda n=noise: n * 1e-30,
        }[drawn["kind"]]()
        holes = rng.uniform(size=drawn["shape"]) < drawn["holes"]
        values[holes] = rng.choice([np.nan, np.inf, -np.inf], size=holes.sum())
        components.append(values.astype(drawn["dtype"]))
    return components


@settings(deadline=None, max_examples=400)
@given(
    fields,
    st.sampled_from(["inr", "inr", "sparse grid", "sparse grid", "sz3", "zfp", "sperr"]),
    st.sampled_from([1e-9, 1e-6, 1e-3, 0.1, 1.0]),
    st.booleans(),
    st.sampled_from(["element", "vertex"]),
)
def test_max_error_is_a_guarantee(
    drawn: dict[str, Any], codec: str, bound: float, relative: bool, association: str
) -> None:
    values = make(drawn)
    if association == "vertex" and min(drawn["shape"]) < 2:
        association = "element"
    block = block_of(values, association)
    model, codec = (SparseGrid(), "inr") if codec == "sparse grid" else (HashGrid(), codec)
    target = Relative(rel=bound) if relative else bound
    field = keep(block, codec, max_error=target, model=model)
    decoded = field.decode()
    worst = 0.0
    for c, raw in enumerate(values):
        result = decoded[..., c] if len(values) > 1 else decoded
        assert result.dtype == raw.dtype and result.shape == raw.shape
        finite = np.isfinite(raw)
        limit = (
            bound * (np.ptp(raw[finite].astype(float)) if finite.any() else 0)
            if relative
            else bound
        )
        error = np.abs(result[finite].astype(np.float64) - raw[finite].astype(np.float64))
        assert (error <= limit).all()
        np.testing.assert_array_equal(result[~finite], raw[~finite])
        worst = max(worst, error.max(initial=0.0))
    assert field.metrics.max_error == pytest.approx(worst, rel=1e-3, abs=1e-300)
    assert field.metrics.nan_count == sum(int(np.isnan(v).sum()) for v in values)
    assert field.metrics.inf_count == sum(int(np.isinf(v).sum()) for v in values)


def test_a_network_that_keeps_the_bound_has_no_residual() -> None:
    ends = {"psnr": 45.0, "max_error": Relative(rel=0.2)}
    field = keep(partition(blob), options=TrainingOptions(), **ends)
    assert isinstance(field, ModelField) and field.residual is None
    assert field.metrics.max_error <= 0.2 * np.ptp(partition(blob).owned[0])


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("target", [25.0, 45.0, 80.0])
def test_psnr_is_reached_by_every_codec(codec: str, target: float) -> None:
    block = partition([blob, swirl], cells=(24, 20, 33))
    field = keep(block, codec, psnr=target)
    decoded, ranges = field.decode(), [float(np.ptp(raw)) for raw in block.owned]
    reached = field.metrics.psnr_db(ranges)
    assert reached >= target
    errors = [
        np.square(decoded[..., c].astype(float) - raw).mean() / extent**2
        for c, (raw, extent) in enumerate(zip(block.owned, ranges, strict=True))
    ]
    assert reached == pytest.approx(-10 * np.log10(np.mean(errors)), abs=0.01)


def test_psnr_and_max_error_together() -> None:
    block = partition(blob, cells=(24, 24, 24))
    extent = float(np.ptp(block.owned[0]))
    for codec in ("inr", "sz3"):
        field = keep(block, codec, psnr=70.0, max_error=Relative(rel=0.05))
        assert field.metrics.psnr_db([extent]) >= 70
        field = keep(block, codec, psnr=20.0, max_error=Relative(rel=1e-3))
        assert field.metrics.max_error <= 1e-3 * extent


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("ratio", [4.0, 12.0])
def test_ratio_is_reached_by_every_codec(codec: str, ratio: float) -> None:
    block = partition(blob, cells=(32, 32, 40))
    field = keep(block, codec, ratio=ratio)
    assert field.nbytes * ratio <= 4 * 32 * 32 * 40
    assert psnr(field.decode(), block.owned[0]) > 25


def test_a_better_ratio_costs_quality() -> None:
    block = partition(blob, cells=(32, 32, 40))
    extent = [float(np.ptp(block.owned[0]))]
    for codec in ("inr", "sz3"):
        good, small = (keep(block, codec, ratio=r, options=TrainingOptions()) for r in (10.0, 60.0))
        assert small.nbytes < good.nbytes
        assert small.metrics.psnr_db(extent) < good.metrics.psnr_db(extent)


@pytest.mark.parametrize("codec", CODECS)
def test_what_no_ratio_reaches_is_the_smallest_there_is(codec: str) -> None:
    field = keep(partition(blob), codec, ratio=1e6)
    assert 50 < field.nbytes < 3000


def test_auto_keeps_the_fewest_bytes_and_remembers() -> None:
    block = partition(blob, cells=(24, 24, 24))
    memory = AdaptiveState()
    field = keep(block, "auto", psnr=60.0, memory=memory)
    each = {codec: keep(block, codec, psnr=60.0) for codec in CODECS[:-1]}
    assert field.codec == min(each, key=lambda codec: each[codec].nbytes) == memory.codec
    assert abs(field.nbytes - each[field.codec].nbytes) < 20  # the seconds in the header
    memory.codec = "zfp"  # whatever won is used, until it is time to try again
    ages = [keep(block, "auto", psnr=60.0, memory=memory).codec for _ in range(21)]
    assert ages[:20] == ["zfp"] * 20 and ages[20] == field.codec


def test_a_network_starts_cold_after_bricks() -> None:
    block = partition(blob)
    bricks = keep(block, "sz3", psnr=40.0)
    assert not keep(block, "inr", previous=bricks, psnr=30.0).metrics.warm


def test_codecs_need_a_target() -> None:
    with pytest.raises(ValueError, match="codec sz3: expected a target"):
        keep(partition(blob), "sz3")


def test_the_loosest_bound_is_found() -> None:
    tries: list[float] = []

    def below(bound: float) -> float | None:
        tries.append(bound)
        return bound if bound <= 0.37 else None

    assert largest(below, 1e-3) == pytest.approx(0.37, rel=0.05)
    assert largest(below, 1e3) == pytest.approx(0.37, rel=0.05)
    assert len(tries) < 40 and largest(lambda bound: None, 1.0) is None
    assert smallest(lambda bound: bound if bound >= 0.37 else None, 1e-3) == pytest.approx(
        0.37, rel=0.05
    )


@pytest.mark.parametrize("moved", [0.99, 1.0, 1.02, 0.1, 30.0])
def test_a_search_begins_where_the_last_one_ended(moved: float) -> None:
    before: list[float] = []
    assert largest(lambda b: b if b <= 0.37 else None, 1e-3, before) == before[0]
    tries: list[float] = []

    def below(bound: float) -> float | None:
        tries.append(bound)
        return bound if bound <= 0.37 * moved else None

    assert largest(below, 1e-3, before) == pytest.approx(0.37 * moved, rel=0.05)
    assert len(tries) <= (3 if 0.9 < moved < 1.1 else 14)
    assert smallest(lambda b: b if b >= 2 else None, 1e-3, before) == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("codec", ["sz3", "zfp"])
def test_the_next_step_takes_few_attempts(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[object] = []
    of = bricks.Chunks.encode
    monkeypatch.setattr(
        bricks.Chunks, "encode", lambda *given: attempts.append(given) or of(*given)
    )
    block, memory = partition(rough), AdaptiveState()
    keep(block, codec, memory=memory, psnr=50.0)
    first = len(attempts)
    field = keep(block, codec, memory=memory, psnr=50.0)
    assert field.metrics.psnr_db([float(np.ptp(block.owned[0]))]) >= 50
    assert len(attempts) - first <= 3 < first


def test_no_long_training_for_what_the_residual_carries() -> None:
    options = TrainingOptions(n_min=40, epochs=800, batch=1024)
    block = partition(rough)
    assert options.iterations(block.n_voxels) > 4000
    field = keep(block, options=options, max_error=Relative(rel=0.05), psnr=90.0)
    sizes = HashGrid().for_block(1, 1.0).sizes(block.n_voxels, corrected=True)
    assert field.metrics.psnr_db([float(np.ptp(block.owned[0]))]) >= 90
    assert field.metrics.iterations <= 1000 * len(sizes)


def each_on_its_own(comm: MPI.Comm) -> None:
    """A constant block beside blocks that need larger networks; then another step, by bricks."""
    parts = {1: (1, 1, 2), 2: (1, 1, 2), 3: (1, 1, 3), 4: (1, 2, 2)}[comm.size]
    blocks = [
        replace(block, domain_id=i)
        for i, block in enumerate(split(rough, (32, 32, 48), parts, name="f"))
    ]
    mine = {"f": blocks if comm.size == 1 else blocks[comm.rank : comm.rank + 1]}
    recipe = FieldSpec(HashGrid(), TrainingOptions(), Target(psnr=40.0), automatic=True)
    memories: dict[tuple[str, int], AdaptiveState] = {}
    first = train_fields(comm, mine, {"f": recipe}, {}, memories=memories, cycle=0, time=0.0)["f"]
    assert first.summary.psnr_db >= 40 and first.summary.n_blocks == len(blocks)
    sizes = comm.allgather([f.model and f.model.n_params for f in first.fields])
    sizes = [size for sizes_of_rank in sizes for size in sizes_of_rank]
    assert None in sizes and any(sizes)
    again = train_fields(
        comm, mine, {"f": recipe}, {"f": first}, memories=memories, cycle=1, time=1.0
    )["f"]
    assert again.summary.psnr_db >= 40
    for old, new in zip(first.fields, again.fields, strict=True):
        assert new.model == old.model and new.metrics.warm == (new.model is not None)
        assert new.metrics.iterations <= old.metrics.iterations
    bricks = replace(recipe, codec="sz3", target=Target(max_error=Relative(rel=1e-3)))
    third = train_fields(
        comm, mine, {"f": bricks}, {"f": again}, memories=memories, cycle=2, time=2.0
    )["f"]
    assert third.summary.metrics.max_error <= 1e-3 * third.summary.extents[0]


def test_blocks_choose_their_size() -> None:
    each_on_its_own(MPI.COMM_SELF)


@pytest.mark.parallel(3)
def test_blocks_choose_their_size_on_several_ranks() -> None:
    each_on_its_own(MPI.COMM_WORLD)
