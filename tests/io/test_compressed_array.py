"""An array compressed, saved, opened again: samples, boxes and points agree; damage is noticed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import insitu
from insitu.codecs.frame import FrameError
from insitu.core.errors import ConfigError
from insitu.io.array_source import ArrayVolume, sample_grid
from insitu.io.compress import compress
from insitu.io.compressed_array import CompressedArray
from insitu.metrics import psnr
from tests.support.waves import waves

SHAPE = (20, 33, 26)
FAST = {"psnr": 32, "block": 16}


@pytest.fixture(scope="module")
def array() -> CompressedArray:
    return compress(waves(SHAPE), name="waves", **FAST)


def test_quality_is_what_decoding_shows(array: CompressedArray) -> None:
    truth, decoded = waves(SHAPE), array.decode()
    assert (array.shape, decoded.shape) == (SHAPE, SHAPE)
    assert array.dtype == decoded.dtype == np.float32
    assert array.psnr_db == pytest.approx(psnr(decoded, truth), abs=0.01)
    assert array.psnr_db > 30
    assert array.metrics.max_error == pytest.approx(np.abs(decoded - truth).max(), rel=1e-3)
    assert array.range == (float(truth.min()), float(truth.max()))
    assert len(array.header.blocks) == 2 * 3 * 2
    np.testing.assert_array_equal(np.asarray(array), decoded)
    assert np.asarray(array, np.float64).dtype == np.float64


def test_regions_are_parts_of_the_whole(array: CompressedArray) -> None:
    whole = array.decode()
    region = (slice(5, 19), slice(-3, None), slice(0, 14))
    # Boxes of another size take another path through vector registers: equal but for rounding.
    np.testing.assert_allclose(array.decode(region), whole[region], atol=2e-6)
    for wrong in (
        (slice(0, 3),),
        (slice(0, 3, 2), slice(None), slice(None)),
        (slice(5, 5), slice(None), slice(None)),
        (3, slice(None), slice(None)),
    ):
        with pytest.raises(ValueError, match="region"):
            array.decode(wrong)


def test_slices_decode_what_they_select(array: CompressedArray) -> None:
    whole = array.decode()
    for key in (3, (..., 0), (slice(None, None, -2), 4, slice(1, 9, 3)), (-1, -1, -1)):
        np.testing.assert_allclose(array[key], whole[key], atol=1e-6)
    assert len(array) == len(whole)
    with pytest.raises(IndexError):
        array[len(whole)]


def test_points(array: CompressedArray) -> None:
    whole = array.decode()
    z, y, x = 3, 20, 25
    at = [[x + 0.5, y + 0.5, z + 0.5], [-0.1, 1, 1], [1, 1, 20.5], [26, 33, 20]]
    values = array(at)
    assert values[0] == pytest.approx(whole[z, y, x], abs=1e-5)
    assert np.isnan(values[1:3]).all()
    assert np.isfinite(values[3])
    low, high = array.bounds
    np.testing.assert_array_equal([low, high], [[0, 0, 0], [26, 33, 20]])
    with pytest.raises(ValueError, match="expected"):
        array([1.0, 2.0])


def test_points_of_many_blocks_in_one_call() -> None:
    """Each point by the block that has it: models of two sizes, a constant, one with a residual."""
    volume = waves(SHAPE)
    volume[:10, :11, :13] = 0.25
    volume[10:, 22:, 13:] *= 1 + 0.2 * np.random.default_rng(1).random((10, 11, 13))
    array = compress(volume, block=16, max_error={"rel": 0.02})
    models = [field.as_model for field in array.fields()]
    assert {model is None or model.model is None for model in models} == {True, False}
    points = np.random.default_rng(0).random((5000, 3)) * SHAPE[::-1]
    points[:4] = [[0, 0, 0], [26, 33, 20], [13, 11, 10], [13, 22, 10]]  # corners, and of blocks
    points[4] = 100.0
    got = array(points)
    numbers, _ = array.header.blocks.locate(array.nodes, points)
    assert numbers[:5].tolist() == [0, 11, 9, 11, -1]
    assert np.isnan(got[4]) and np.isfinite(np.delete(got, 4)).all()
    for number, field in enumerate(array.fields()):
        mine = numbers == number
        np.testing.assert_allclose(got[mine], field(points[mine]), atol=2e-6)
    assert array(np.zeros((0, 3))).shape == (0,)


def test_saved_and_opened(array: CompressedArray, tmp_path: Path) -> None:
    path = tmp_path / "waves.insitu"
    array.save(path)
    again = insitu.load(path)
    assert path.stat().st_size == array.nbytes == again.nbytes
    assert array.ratio == waves(SHAPE).nbytes / array.nbytes
    assert (again.name, again.shape, again.range, again.metrics) == (
        "waves", SHAPE, array.range, array.metrics,
    )  # fmt: skip
    np.testing.assert_array_equal(again.decode(), array.decode())
    again.save(tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy", "waves.insitu"]


def test_opening_reads_the_header_only(array: CompressedArray, tmp_path: Path) -> None:
    path = tmp_path / "waves.insitu"
    array.save(path)
    data = bytearray(path.read_bytes())
    data[-40] ^= 1  # in the last block
    path.write_bytes(data)
    again = insitu.load(path)
    first = (slice(0, 4), slice(0, 4), slice(0, 4))
    np.testing.assert_allclose(again.decode(first), array.decode(first))
    with pytest.raises(FrameError, match="block 11: checksum"):
        again.decode()


def test_damage(array: CompressedArray, tmp_path: Path) -> None:
    path = tmp_path / "waves.insitu"
    array.save(path)
    data = path.read_bytes()
    for wrong, words in (
        (data[:-1], "truncated or corrupt"),
        (data[:100], "torn"),
        (data[:5], "prefix"),
        (b"PK" + data[2:], "starts with"),
        (data[:60] + bytes([data[60] ^ 1]) + data[61:], "checksum"),
        (next(iter(array.fields())).to_bytes(), "expected a compressed array"),
    ):
        path.write_bytes(wrong)
        with pytest.raises(FrameError, match=words):
            insitu.load(path)
    with pytest.raises(FileNotFoundError):
        insitu.load(tmp_path / "none")


@pytest.mark.parametrize("shape", [(17, 23), (1, 17, 19), (16, 1, 1), (1, 1, 1), (2, 3, 5)])
def test_flat_and_small(shape: tuple[int, ...]) -> None:
    truth = waves(shape, np.float64)
    array = compress(truth, psnr=35, block=16)
    decoded = array.decode()
    assert decoded.shape == shape
    assert decoded.dtype == np.float64
    assert np.abs(decoded - truth).max() < 0.1 * max(np.ptp(truth), 1e-9) + 1e-12
    if len(shape) == 2:
        np.testing.assert_allclose(
            array.decode((slice(3, 9), slice(0, 23))), decoded[3:9], atol=1e-6
        )


def test_vertices_on_stretched_lines() -> None:
    shape = (19, 20, 21)
    x, y, z = np.linspace(0, 2, 21) ** 2, np.linspace(-1, 1, 20), np.linspace(5, 6, 19)
    truth = waves(shape)
    association, nodes = sample_grid(x, y, z)
    array = compress(ArrayVolume(truth, nodes=nodes, association=association), **FAST)
    assert (array.association, len(array.header.blocks)) == ("vertex", 8)
    decoded = array.decode()
    assert psnr(decoded, truth) > 30
    np.testing.assert_allclose(array([[x[7], y[12], z[3]]]), decoded[3, 12, 7], atol=1e-5)
    np.testing.assert_allclose(array.nodes[0], x)


def test_a_target_is_met_by_larger_tables() -> None:
    noise = np.random.default_rng(0).normal(size=(48, 48, 48))
    truth = gaussian_filter(noise, 3).astype(np.float32)
    low, high = (compress(truth, psnr=db, model="hash_grid") for db in (30, 38))
    assert low.psnr_db >= 30
    assert high.psnr_db >= 38
    assert low.ratio > 2 * high.ratio
    sizes = [next(a.fields()).model.log2_hashmap_size for a in (low, high)]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, "sparse_grid"),
        ({"ratio": 30}, "sparse_grid"),
        ({"iterations": 20}, "hash_grid"),
        ({"model": "hash_grid"}, "hash_grid"),
        ({"model": {"kind": "dense_grid", "resolution": 4}}, "dense_grid"),
        ({"model": "auto", "psnr": 45}, "sparse_grid"),
    ],
)
def test_the_model_is_the_one_that_is_named(given: dict, kind: str) -> None:
    array = compress(waves((16, 16, 16)), **given)
    (field,) = array.fields()
    assert field.as_model is not None and field.as_model.model is not None
    assert field.as_model.model.kind == kind


@pytest.mark.parametrize("association", ["element", "vertex"])
def test_blocks_of_one_file_meet_without_a_seam(association: str) -> None:
    n = 33 if association == "vertex" else 32
    random = np.random.default_rng(3).normal(size=(n, n, n))
    truth = gaussian_filter(random, 2).astype(np.float32)
    array = compress(ArrayVolume(truth, association=association), psnr=30, block=16)
    assert len(array.header.blocks) == 8
    left, right = array.field(0), array.field(1)
    y, z = np.random.default_rng(0).uniform(0.5, 15.5, (2, 500))
    face = np.stack([np.full(500, 16.0), y, z], axis=1)
    values = left(face), right(face)
    assert np.abs(values[0] - values[1]).max() < 1e-6 * np.ptp(truth)


def test_the_range_is_that_of_the_whole_array() -> None:
    truth = waves((16, 16, 32))
    truth[..., 16:] *= 100  # the first block's own range is a hundredth of the array's
    array = compress(truth, psnr=40, block=16)
    errors = [f.metrics.max_error for f in array.fields()]
    assert array.psnr_db >= 40
    assert errors[0] > 0.002 * np.ptp(truth[..., :16])  # no more accurate than asked for


def test_what_is_not_finite() -> None:
    truth = waves((16, 16, 32))
    truth[3, 3, 3:5] = np.nan, np.inf
    truth[:, :, 16:] = np.nan
    array = compress(truth, **FAST)
    assert (array.metrics.nan_count, array.metrics.inf_count) == (1 + 16 * 16 * 16, 1)
    assert array.range == (np.nanmin(truth), np.max(truth[np.isfinite(truth)]))
    assert psnr(array.decode()[..., :16], truth[..., :16]) > 25


def test_constants_are_exact() -> None:
    array = compress(np.full((20, 20, 20), 2.5), block=16)
    assert array.psnr_db == np.inf
    assert (array.decode() == 2.5).all()


def test_refusals() -> None:
    for wrong, words in (
        ({"psnr": 500}, "psnr: 500 is not in"),
        ({"psnrr": 40}, "did you mean 'psnr'"),
        ({"iterations": "many"}, "iterations"),
        ({"block": 2}, "block"),
        (
            {"model": "sprase_grid"},
            "'sprase_grid' is not a kind.*did you mean 'sparse_grid'",
        ),
        ({"model": {"kind": "dense_grid", "levels": 2}}, "model: levels: model dense_grid has no"),
        ({"model": "sparse_grid", "iterations": 9}, "model sparse_grid may not train"),
        ({"model": "auto", "seconds": 1}, "model auto needs psnr, quality, ratio or max_error"),
    ):
        with pytest.raises(ConfigError, match=words):
            compress(waves((8, 8, 8)), **wrong)
    with pytest.raises(ConfigError, match="4 axes"):
        insitu.compress(waves((2, 8, 8, 8)))
    with pytest.raises(ConfigError, match="convert"):
        insitu.compress(np.zeros((8, 8, 8), np.complex64))


def test_compressing_in_memory_starts_no_mpi() -> None:
    script = (
        "import sys, numpy, insitu\n"
        "insitu.compress(numpy.zeros((4, 4, 4)), iterations=20).decode()\n"
        "assert 'mpi4py.MPI' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
