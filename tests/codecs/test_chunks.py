"""Blocks in bricks: bounds, odd shapes, holes, distrust, the cache."""

import struct
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs import chunk
from insitu.codecs import chunks as module
from insitu.codecs.chunk_cache import ChunkCache
from insitu.codecs.chunks import Chunks
from insitu.codecs.compressors import names
from insitu.codecs.errors import FrameError

shapes = st.tuples(*[st.integers(1, 21)] * 3) | st.sampled_from(
    [(1, 1, 50), (33, 2, 49), (1, 1, 1)]
)


def walk(shape: tuple[int, int, int], dtype: type, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape).cumsum(axis=-1).astype(dtype)


@settings(deadline=None, max_examples=60)
@given(
    shapes,
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from(names()),
    st.sampled_from([0.0, 1e-9, 1e-3, 0.3, 1e3]),
    st.integers(0, 99),
    st.booleans(),
)
def test_every_value_is_within_its_bound(
    shape: tuple[int, int, int], dtype: type, codec: str, bound: float, seed: int, holes: bool
) -> None:
    values = walk(shape, dtype, seed)
    if holes:
        odd = np.random.default_rng(seed).integers(0, 8, shape)
        for code, what in enumerate((np.nan, np.inf, -np.inf)):
            values[odd == code] = what
    first = Chunks.encode([values, -values], codec, [bound, 2 * bound])
    again = Chunks.from_payload(first.payload, codec, shape, 2, np.dtype(dtype))
    finite = np.isfinite(values)
    for sign, result, limit in zip((1, -1), again.decode(), (bound, 2 * bound), strict=True):
        assert result.dtype == dtype and result.shape == shape
        error = np.abs(sign * result[finite].astype(np.float64) - values[finite])
        assert (error <= limit).all()
        np.testing.assert_array_equal(result[~finite], sign * values[~finite])
        np.testing.assert_array_equal(result, first.decode()[0 if sign == 1 else 1])


@pytest.mark.parametrize("codec", sorted({*names()} - {"sperr"}))
def test_samples_come_from_the_bricks_around_them_only(
    codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = walk((70, 40, 97), np.float32)
    bricks = Chunks.encode([values], codec, [1e-3])
    cache = ChunkCache()
    monkeypatch.setattr(module, "CACHE", cache)
    z, y, x = (np.array([0, 1, 2]) for _ in range(3))
    few = bricks.at(0, z, y, x)
    assert cache.nbytes == bricks.chunk(0).nbytes < values.nbytes / 5
    index = [np.random.default_rng(1).integers(0, n, 500) for n in values.shape]
    whole = bricks.decode()[0]
    np.testing.assert_array_equal(few, whole[z, y, x])
    np.testing.assert_array_equal(bricks.at(0, *index), whole[tuple(index)])


def test_sperr_has_the_whole_block_and_reads_bricks_of_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    z, y, x = np.meshgrid(*(np.linspace(0, 3, n) for n in (70, 40, 97)), indexing="ij")
    values = (np.sin(3 * x) * np.cos(y + z)).astype(np.float32)
    whole = Chunks.encode([values, -values], "sperr", [1e-2] * 2)
    assert whole.chunk(0).shape == values.shape
    with monkeypatch.context() as patch:
        patch.setattr(module, "_EDGES", {})
        bricks = Chunks.encode([values, -values], "sperr", [1e-2] * 2)
    assert len(whole.payload) < 0.5 * len(bricks.payload)
    for chunks in (whole, bricks):
        again = Chunks.from_payload(chunks.payload, "sperr", values.shape, 2, values.dtype)
        first, second = again.decode()
        assert np.abs(first - values).max() <= 1e-2 >= np.abs(second + values).max()
        box = (slice(3, 40), slice(0, 5), slice(60, 97))
        np.testing.assert_array_equal(again.box(box)[..., 1], second[box])
        np.testing.assert_array_equal(again.at(0, *np.array([[69], [0], [50]])), first[69, 0, [50]])


def test_bytes_follow_the_bound() -> None:
    values = walk((64, 64, 64), np.float32)
    for codec in names():
        sizes = [len(Chunks.encode([values], codec, [b]).payload) for b in (1e-3, 1e-1, 10.0)]
        assert sizes[0] > 1.5 * sizes[1] > 2 * sizes[2]
        assert sizes[0] < values.nbytes


def test_distrust() -> None:
    values = walk((20, 40, 33), np.float32)
    bricks = Chunks.encode([values], "sz3", [1e-3])
    dtype = np.dtype(np.float32)
    with pytest.raises(FrameError, match="codec 'gzip'"):
        Chunks.from_payload(bricks.payload, "gzip", bricks.shape, 1, dtype)
    for at in (0, 17, 30, len(bricks.payload) - 1):
        broken = bytearray(bricks.payload)
        broken[at] ^= 1
        with pytest.raises(FrameError, match="not those that were written"):
            Chunks.from_payload(bytes(broken), "sz3", bricks.shape, 1, dtype)
    for shape, components in (((20, 40, 99), 1), (bricks.shape, 2), ((2**24,) * 3, 1)):
        with pytest.raises(FrameError):
            Chunks.from_payload(bricks.payload, "sz3", shape, components, dtype)


def signed(body: bytes) -> bytes:
    return module._digest([body], "sz3", (2, 3, 2), 1, np.dtype(np.float32)) + body


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=60))
def test_forged_bricks_are_refused_or_read(noise: bytes) -> None:
    """Bodies that no compressor reads: one brick of one value, of zeros, or of nothing known."""
    table = module.zstd.compress(struct.pack("<I", len(noise)))
    payload = signed(struct.pack("<I", len(table)) + table + noise)
    if noise[:1] and noise[0] % chunk.HOLES == chunk.COMPRESSED:
        return  # a forged digest is no obstacle: what compressors read is not checked
    try:
        bricks = Chunks.from_payload(payload, "sz3", (2, 3, 2), 1, np.dtype(np.float32))
        assert bricks.decode()[0].shape == (2, 3, 2)
    except FrameError:
        pass


def test_the_cache_is_bounded_and_shared_by_threads() -> None:
    cache = ChunkCache(limit=10 * 800)
    made = []

    def make(number: int) -> np.ndarray:
        made.append(number)
        return np.full(100, float(number))

    def read(number: int) -> bool:
        return bool((cache.get((0, number), lambda: make(number)) == number).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, [i % 25 for i in range(2000)]))
    assert cache.nbytes <= cache.limit and len(made) >= 25
    cache.get((1, 0), lambda: np.zeros(10**4))  # larger than the cache: handed out, not kept
    assert cache.nbytes <= cache.limit
    before = len(made)
    assert read(99) and read(99) and len(made) == before + 1


def test_sperr_without_its_packages_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random((8, 8, 8)).astype(np.float32)
    bricks = Chunks.encode([values], "sperr", [1e-2])
    again = Chunks.from_payload(bricks.payload, "sperr", (8, 8, 8), 1, np.dtype("f4"))
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)  # as if it were not installed
    with pytest.raises(FrameError, match=r"needs hdf5plugin; pip install 'insitu-inr\[sperr\]'"):
        again.decode()
