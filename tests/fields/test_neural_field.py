"""Neural fields: reading anywhere, bytes, summaries over ranks."""

import json
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from insitu.codecs.frame import FrameError, pack, unpack
from insitu.fields.distributed_field import DistributedField
from insitu.fields.metrics import FieldMetrics
from insitu.fields.model_field import ModelField
from insitu.metrics import psnr
from insitu.models.hash_grid.model import HashGrid
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange
from insitu.training.train import train
from tests.support.blocks import blob, local_ranges, partition, split, swirl
from tests.support.fitting import fit, sample_points


@pytest.fixture(scope="module")
def scalar() -> ModelField:
    return fit(partition(blob, box=((-1, 1), (0, 2), (3, 4))), cycle=7, time=0.5)


@pytest.fixture(scope="module")
def vector() -> ModelField:
    return fit(partition([blob, swirl], association="vertex"), cycle=7, time=0.5)


def test_points_are_the_decoded_samples(scalar: ModelField, vector: ModelField) -> None:
    for field in (scalar, vector):
        values = field(sample_points(field))
        np.testing.assert_allclose(values.reshape(field.decode().shape), field.decode(), atol=1e-4)


def test_stretched_grids(scalar: ModelField) -> None:
    lines = tuple(np.cumsum(np.linspace(1, 3, len(n))) for n in scalar.nodes)
    stretched = replace(scalar, nodes=lines)
    values = stretched(sample_points(stretched))
    np.testing.assert_allclose(values.reshape(stretched.shape), scalar.decode(), atol=1e-4)
    # The gradient is the slope, also where cells grow.
    points = sample_points(stretched)[::97]
    h = 1e-3
    for axis in range(3):
        step = np.eye(3)[axis] * h
        slope = (stretched(points + step).astype(float) - stretched(points - step)) / (2 * h)
        got = stretched.gradient(points)[:, axis]
        inside = np.isfinite(slope)
        close = np.isclose(got[inside], slope[inside], atol=0.05 * np.abs(slope[inside]).max())
        assert close.mean() > 0.9


def test_outside_is_nan(scalar: ModelField) -> None:
    points = np.array([[0, 1, 3.5], [0, 1, 5], [-1.01, 1, 3.5], [1, 2, 4], [-1, 0, 3]])
    assert np.isnan(scalar(points)).tolist() == [False, True, True, False, False]
    assert np.isnan(scalar.gradient(points)[1]).all()
    assert scalar(np.zeros((0, 3))).shape == (0,)
    with pytest.raises(ValueError, match="expected \\(n, 3\\)"):
        scalar(np.zeros((4, 2)))


def test_printed_in_one_line(scalar: ModelField) -> None:
    text = repr(replace(scalar, cycle=7))
    nz, ny, nx = scalar.shape
    assert text.startswith(f"<ModelField {scalar.name!r}: inr, {nz} x {ny} x {nx} samples")
    assert text.endswith("cycle 7>") and "\n" not in text and len(text) < 150


def test_gradient_of_a_ramp() -> None:
    ramp = partition(lambda x, y, z: 2 * x - y, box=((0, 4), (0, 1), (0, 1)))
    field = fit(ramp, n_min=1000)
    got = np.median(field.gradient(sample_points(field)), axis=0)
    np.testing.assert_allclose(got, [2, -1, 0], atol=0.1)


def test_decode_at_another_resolution(scalar: ModelField) -> None:
    fine = scalar.decode((32, 36, 40))
    assert fine.shape == (32, 36, 40)
    coarse = fine.reshape(16, 2, 18, 2, 20, 2).mean(axis=(1, 3, 5))
    assert psnr(coarse, scalar.decode()) > 35
    with pytest.raises(ValueError, match="fewer than 1"):
        scalar.decode((0, 1, 1))


def test_boxes_are_those_of_the_block(scalar: ModelField, vector: ModelField) -> None:
    for field in (scalar, vector):
        nz = field.shape[0]
        for z in (slice(0, 1), slice(3, 9), slice(nz - 2, nz)):
            box = (z, slice(2, 5), slice(1, 8))
            np.testing.assert_array_equal(field.decode_box(box), field.decode()[box])


def test_bytes_round_trip(scalar: ModelField, vector: ModelField) -> None:
    for field in (scalar, vector):
        again = ModelField.from_bytes(field.to_bytes())
        assert again.to_bytes() == field.to_bytes()
        np.testing.assert_array_equal(again.decode(), field.decode())
        assert (again.name, again.cycle, again.time) == (field.name, 7, 0.5)
        assert again.metrics == field.metrics
        for a, b in zip(again.nodes, field.nodes, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-14)
        # Written anew it is the same frame: nothing is lost on the way.
        fresh = replace(again, _bytes=None)
        assert ModelField.from_bytes(fresh.to_bytes()).metrics == field.metrics


def test_bytes_are_at_most_one_per_weight(scalar: ModelField) -> None:
    assert scalar.nbytes < scalar.model.n_params


def test_trained_fields_are_immutable(scalar: ModelField) -> None:
    with pytest.raises(ValueError, match="read-only"):
        scalar.params[0] = 1
    with pytest.raises(AttributeError):
        scalar.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "something"),
        ("cells", [0, 1, 1]),
        ("cells", [10**12, 10**12, 10**12]),
        ("cells", "abc"),
        ("association", "face"),
        ("dtype", "object"),
        ("range", [[0.0, 1.0], [0.0, 1.0]]),
        ("range", 3),
        ("origin", [0.0, 1.0]),
        ("origin", "abc"),
        ("model", {"n_levels": 1000}),
        ("model", {"surprise": 1}),
        ("nodes", [[0, 1, 10**12]] * 3),
        ("metrics", {}),
        ("cycle", None),
    ],
)
def test_wrong_headers_are_refused(scalar: ModelField, key: str, value: object) -> None:
    header, payloads = unpack(scalar.to_bytes())
    with pytest.raises(FrameError):
        ModelField.from_bytes(pack({**header, key: value}, payloads))


def test_frames_without_an_origin_count_from_the_minimum(vector: ModelField) -> None:
    header, payloads = unpack(vector.to_bytes())
    del header["origin"]
    old = ModelField.from_bytes(pack(header, payloads))
    np.testing.assert_array_equal(old.zero, vector.range[:, 0])
    points = np.random.default_rng(0).random((100, 3))
    shift = vector.range[:, 0] - vector.zero
    np.testing.assert_allclose(old(points), vector(points) + shift, atol=1e-6)


def test_header_is_plain_json(scalar: ModelField) -> None:
    header, _ = unpack(scalar.to_bytes())
    assert json.loads(json.dumps(header))["name"] == "density"


def test_psnr_of_vectors_weighs_components_by_their_range() -> None:
    metrics = FieldMetrics(
        sum_of_squares=(1.0, 100.0), n_finite=(100, 100), max_error=1, nan_count=0, inf_count=0,
        raw_nbytes=1,
    )  # fmt: skip
    assert metrics.psnr_db([1, 10]) == pytest.approx(20)
    assert metrics.psnr_db([1, 0]) == -np.inf  # a constant that was not kept


@pytest.mark.parallel([1, 3])
def test_gather() -> None:
    comm = MPI.COMM_WORLD
    blocks = split(blob, (8, 8, 8), (4, 1, 1))
    whole = GlobalRange(8**3, local_ranges({"f": blocks})["f"].range)
    # Dealt out unevenly: the last of several ranks has none.
    mine = [
        train(
            TrainingJob.of(
                b,
                HashGrid(log2_hashmap_size=9),
                options=TrainingOptions(n_min=20),
                target=Target(),
                whole=whole,
            )
        )
        for i, b in enumerate(blocks)
        if i % max(comm.size - 1, 1) == comm.rank
    ]
    field = DistributedField.gather(comm, mine)
    summary = field.summary
    assert summary.n_blocks == 4
    np.testing.assert_allclose(summary.bounds, [[0, 0, 0], [1, 1, 1]])
    np.testing.assert_allclose(summary.range, whole.range)
    assert summary.metrics.n_finite == (512,)
    assert summary.ratio == pytest.approx(summary.metrics.raw_nbytes / summary.nbytes)
    assert comm.allreduce(sum(f.nbytes for f in mine)) == summary.nbytes
    assert len(set(comm.allgather(summary.psnr_db))) == 1


@pytest.mark.parallel([1, 3])
def test_gather_of_nothing() -> None:
    assert DistributedField.gather(MPI.COMM_WORLD, []) is None
