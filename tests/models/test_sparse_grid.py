"""The sparse grid: the transform is exact, coded numbers come back, kernels are the reference."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.engines.sparse_kernels import size_of, sparse_kernels
from insitu.models.sparse_grid import bands, lifting
from insitu.models.sparse_grid.coder import FIRST, LATEST
from insitu.models.sparse_grid.kernels import ReferenceKernels
from insitu.models.sparse_grid.lines import HALF_CELLS, added, kept_at, line
from insitu.models.sparse_grid.mixing import HALF, SELECTORS, SLOTS, squash, stretch
from insitu.models.sparse_grid.parts import n_parts, parts
from insitu.models.sparse_grid.start import start

GOLDEN = {FIRST: (2236, "f7da0ab930df36d6"), LATEST: (2273, "f0925771c5091cdd")}
"""Length and digest of coded numbers, by the coding."""

shapes = st.tuples(*[st.integers(1, 9)] * 3) | st.sampled_from([(1, 1, 1), (17, 1, 3), (2, 19, 5)])


def splits_of(shape: tuple[int, int, int], seed: int, ends: int = 0) -> list[int]:
    """Any valid order of axes."""
    rng, size, splits = np.random.default_rng(seed), list(shape), []
    least = [2 if all(kept_at(ends, 2 - a)) else 1 for a in range(3)]
    while True:
        axes = [a for a in range(3) if size[a] > least[a] and rng.random() < 0.8]
        if not axes:
            return splits
        splits.append(sum(1 << (2 - a) for a in axes))
        size = [(n + 1) // 2 if a in axes else n for a, n in enumerate(size)]


def numbers_of(shape: tuple[int, int, int], seed: int, share: float = 0.3) -> np.ndarray:
    """Sparse numbers, some of them large."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape) * 10 ** rng.uniform(0, 4, shape)
    return np.where(rng.random(shape) < share, values, 0).astype(np.int32)


kept = st.just(0) | st.integers(0, 127)


@given(shapes, kept, st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_synthesis_inverts_analysis(shape: tuple[int, int, int], ends: int, seed: int) -> None:
    samples = np.random.default_rng(seed).normal(size=shape)
    splits = splits_of(shape, seed, ends)
    coefficients = bands.analyse(samples, splits, ends)
    np.testing.assert_allclose(bands.synthesise(coefficients, splits, ends), samples, atol=1e-11)
    twice = bands.analyse(2 * samples + 1, splits, ends) - 2 * coefficients
    ones = bands.analyse(np.ones(shape), splits, ends)
    np.testing.assert_allclose(twice, ones, atol=1e-11)


@given(shapes, kept, st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_the_adjoint_is_the_transpose(shape: tuple[int, int, int], ends: int, seed: int) -> None:
    rng, splits = np.random.default_rng(seed), splits_of(shape, seed, ends)
    a, b = rng.normal(size=shape), rng.normal(size=shape)
    forward = (bands.synthesise(a, splits, ends) * b).sum()
    assert np.isclose(forward, (a * bands.adjoint(b, splits, ends)).sum())


@pytest.mark.parametrize("n", [*range(1, 12), 33, 34])
@pytest.mark.parametrize("ends", range(4))
@pytest.mark.parametrize("half", [0, HALF_CELLS])
def test_kept_samples_are_not_updated(n: int, ends: int, half: int) -> None:
    along = line(n, ends | half)
    if not along.splits:
        return
    samples = np.random.default_rng(n).normal(size=(n, 2))
    averaged = lifting.analyse(samples, 0, along)
    np.testing.assert_allclose(lifting.synthesise(averaged, 0, along), samples, atol=1e-12)
    if ends & 1:
        np.testing.assert_array_equal(averaged[0], samples[0])
    if ends & 2:
        np.testing.assert_array_equal(averaged[(n + 1) // 2 - 1], samples[-1])


@pytest.mark.parametrize("n", range(6, 40))
@pytest.mark.parametrize("half", [0, HALF_CELLS])
def test_quadratic_polynomials_have_no_details_beside_kept_samples(n: int, half: int) -> None:
    """At every level, wherever samples lie."""
    along = line(n, 3 | half)
    while len(along) > 5:
        x = np.array(along.places)
        details = lifting.analyse(x**2 - 3 * x + 1, 0, along)[len(along.even) :]
        assert np.abs(details).max() < 1e-9 * x[-1] ** 2
        along = along.coarser


@given(shapes, st.integers(0, 127), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_a_part_is_the_transform_of_its_own_samples(
    shape: tuple[int, int, int], ends: int, seed: int
) -> None:
    """Whatever lies behind it: so that both sides of a face have the same."""
    splits = splits_of(shape, seed, ends)
    samples = np.random.default_rng(seed).normal(size=shape)
    coefficients = bands.analyse(samples, splits, ends)
    found = parts(shape, splits, ends)
    assert len(found) == n_parts(ends)
    for part in found:
        own = bands.analyse(samples[part.samples], part.splits, part.ends)
        np.testing.assert_allclose(coefficients.reshape(-1)[part.places], own, atol=1e-12)


def test_cubic_polynomials_have_no_details_inside() -> None:
    x = np.linspace(-1, 1, 32)
    details = lifting.analyse(x**3 - x**2 + 0.5, 0)[16:]
    assert np.abs(details[1:-2]).max() < 1e-14


def test_constants_have_no_details_at_all() -> None:
    for n in range(1, 20):
        averaged = lifting.analyse(np.full(n, 3.0), 0)
        np.testing.assert_allclose(averaged[: (n + 1) // 2], 3, atol=1e-13)
        np.testing.assert_allclose(averaged[(n + 1) // 2 :], 0, atol=1e-13)


def test_norms_are_those_of_the_synthesis() -> None:
    low, high = lifting.norms()
    for step in range(3):
        for place, norm in ((0, low[step]), (1, high[step])):
            n = 64 << step
            impulse = np.zeros(n)
            size = n >> step
            impulse[size // 4 + place * size // 2] = 1
            for k in range(step, -1, -1):
                impulse[: n >> k] = lifting.synthesise(impulse[: n >> k], 0)
            assert np.isclose(np.linalg.norm(impulse), norm)


# ---- the kernels


@given(shapes, kept, st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_the_kernels_transform_as_the_reference(
    shape: tuple[int, int, int], ends: int, seed: int
) -> None:
    samples = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    splits, fast, slow = splits_of(shape, seed, ends), sparse_kernels(), ReferenceKernels()
    coefficients = slow.analyse(samples, splits, ends)
    np.testing.assert_allclose(fast.analyse(samples, splits, ends), coefficients, atol=2e-5)
    np.testing.assert_allclose(fast.synthesise(coefficients, splits, ends), samples, atol=2e-5)
    raw = 3 * samples.astype(np.float64) + 5
    scaled, finite = fast.analyse_scaled(raw, 5.0, 3.0, splits, ends)
    assert finite
    np.testing.assert_allclose(scaled, coefficients, atol=2e-5)
    few = slow.support(coefficients)
    for found, expected in zip(fast.support(coefficients), few, strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(fast.samples(few, shape, splits, ends), samples, atol=2e-5)


@given(shapes | st.sampled_from([(3, 4, 150), (5, 9, 66)]), st.integers(0, 99), st.floats(0.1, 2))
@settings(deadline=None, max_examples=40)
def test_the_kernels_round_as_the_reference(
    shape: tuple[int, int, int], seed: int, least: float
) -> None:
    rng = np.random.default_rng(seed)
    rough = 10 ** rng.uniform(-3, 0.5, (*shape[:2], 1))  # some rows have small details alone
    samples = (rng.normal(size=shape) * rough).astype(np.float32)
    splits, fast, slow = splits_of(shape, seed), sparse_kernels(), ReferenceKernels()
    coefficients = slow.analyse(samples, splits)
    (all_sizes, none), (expected, _) = (k.sizes(coefficients, splits) for k in (fast, slow))
    assert np.abs(all_sizes - expected).sum() <= 2 + 0.01 * samples.size  # norms are rounded
    assert all_sizes.sum() == np.count_nonzero(coefficients)
    assert none == 0
    totals = []
    for kernels in (fast, slow):  # what is left out differs, but not the sum
        counts, below = kernels.sizes(coefficients, splits, least)
        rows = np.flatnonzero(counts)
        totals.append(float((np.square(size_of(rows)) * counts[rows]).sum()) + below)
    np.testing.assert_allclose(*totals, rtol=0.07)  # a row is up to 3 % off
    rounding = (0.92, 0.64, 0.56)
    numbers, one, more, squares = slow.quantise(coefficients, splits, 0.7, rounding)
    found, *rest = fast.quantise(coefficients, splits, 0.7, rounding)
    assert (found != numbers).mean() < 0.01  # ties
    if (found == numbers).all():
        np.testing.assert_allclose(rest, (one, more, squares), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        fast.dequantise(numbers, splits, 0.7, 0.1, -0.2),
        slow.dequantise(numbers, splits, 0.7, 0.1, -0.2),
        rtol=1e-5,
    )
    few, expected = (k.decoded(numbers, splits, 0.7, 0.1, -0.2) for k in (fast, slow))
    np.testing.assert_array_equal(few[0], expected[0])
    np.testing.assert_allclose(few[1], expected[1], rtol=1e-5)


@pytest.mark.parametrize("dtype", ["<f4", "<f8", ">f4", "<i2"])
@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("ends", [0, HALF_CELLS | 0b100110, 0b100110])
def test_the_kernels_measure_as_the_reference(dtype: str, holes: bool, ends: int) -> None:
    """Also arrays that are no plain ones of float32 or float64."""
    rng = np.random.default_rng(0)
    whole = rng.normal(size=(40, 39, 21)).cumsum(axis=0) * 100
    raw = whole.astype(dtype)[1:38, :37, ::2]
    if holes and raw.dtype.kind == "f":
        raw[3, 3, 3], raw[30, 34, 9], raw[36, 36, 10] = np.nan, np.inf, -np.inf
    outputs = ((raw - 3.0) / 7.0).astype(np.float32) + np.float32(0.1) * rng.random(
        raw.shape, np.float32
    )
    fast, slow = sparse_kernels(), ReferenceKernels()
    values, finite = fast.scale(raw, 3.0, 7.0)
    expected_values, expected_finite = slow.scale(raw, 3.0, 7.0)
    np.testing.assert_allclose(values, expected_values, rtol=1e-6)
    assert finite == expected_finite == bool(np.isfinite(raw).all())
    wide = np.pad(outputs, [added(ends, axis) for axis in (2, 1, 0)])
    splits = splits_of(wide.shape, 0, ends)
    few = slow.support(slow.analyse(np.nan_to_num(wide, posinf=0, neginf=0), splits, ends))
    found, expected = (k.errors(few, splits, ends, raw, 3.0, 7.0) for k in (fast, slow))
    assert found[2] == expected[2] == np.isfinite(raw).sum()
    np.testing.assert_allclose(found[:2], expected[:2], rtol=2e-3)  # of float32
    assert 0 < found[1] < 1.1
    if dtype == "<f4":
        found, expected = (k.differences(outputs * 7 + 3, raw) for k in (fast, slow))
        assert found[1:] == expected[1:]
        assert found[0] == pytest.approx(expected[0])


codings = st.sampled_from([FIRST, LATEST])


@given(shapes, st.integers(0, 99), st.integers(1, 3), st.booleans(), st.floats(0, 1), codings)
@settings(deadline=None, max_examples=40)
def test_the_kernels_code_as_the_reference(
    shape: tuple[int, int, int], seed: int, n: int, warm: bool, share: float, coding: int
) -> None:
    """Bit for bit: any machine reads what another one wrote."""
    splits, fast, slow = splits_of(shape, seed), sparse_kernels(), ReferenceKernels()
    components = [numbers_of(shape, seed + c, share) for c in range(n)]
    before = [numbers_of(shape, seed + c + 50, share) for c in range(n)] if warm else []
    coded = slow.encode(components, splits, before, coding)
    assert fast.encode(components, splits, before, coding) == coded
    for kernels in (fast, slow):
        decoded = kernels.decode(coded, shape, splits, n, before, coding)
        np.testing.assert_array_equal(decoded, components)


@pytest.mark.parametrize("coding", [FIRST, LATEST])
def test_coded_bytes_stay_as_they_are(coding: int) -> None:
    """Records hold them; a change needs a new version of the payload."""
    numbers = [numbers_of((20, 17, 33), seed, 0.05) for seed in range(2)]
    coded = sparse_kernels().encode(numbers, [7, 3, 7], [], coding)
    digest = hashlib.sha256(coded).hexdigest()
    assert (len(coded), digest[:16]) == GOLDEN[coding]
    np.testing.assert_array_equal(
        sparse_kernels().decode(coded, (20, 17, 33), [7, 3, 7], 2, [], coding), numbers
    )


def test_what_the_coder_knows_at_first_is_in_range() -> None:
    table = start(LATEST)
    assert table.weights.shape == (SELECTORS, SLOTS + 1)
    slots, contexts, ones = table.contexts.T
    assert set(slots.tolist()) == set(range(SLOTS))
    assert ((contexts >= 0) & (contexts < 2**15)).all()
    assert ((ones > 0) & (ones < 2**16)).all()
    assert len({*map(tuple, table.contexts[:, :2].tolist())}) == len(table.contexts)


def test_known_statistics_make_a_short_stream_shorter() -> None:
    """A block of few numbers, large ones where the levels are coarse, as fields have them."""
    x = np.linspace(-1, 1, 24)
    z, y, x = np.meshgrid(x, x, x, indexing="ij")
    samples = np.tanh(8 * (x * x + y * y + z * z - 0.5)).astype(np.float32)
    numbers, *_ = sparse_kernels().quantise(
        sparse_kernels().analyse(samples, [7, 7]), [7, 7], 1.0, (0.92, 0.64, 0.56)
    )
    first, latest = (len(sparse_kernels().encode([numbers], [7, 7], [], c)) for c in GOLDEN)
    assert latest < 0.95 * first


def test_tables_are_far_from_ties() -> None:
    """So that any correct exponential function gives the same whole numbers."""
    exact = 65536 / (1 + np.exp(-(np.arange(2 * HALF) - HALF + 0.25) / 256))
    assert (np.abs(exact - np.floor(exact) - 0.5) > 1e-6).all()
    assert squash() == np.rint(exact).astype(int).tolist()
    p = (np.arange(4096) + 0.5) / 4096
    logits = 256 * np.log(p / (1 - p))
    assert (np.abs(logits - np.floor(logits) - 0.5) > 1e-6).all()
    assert stretch() == np.clip(np.rint(logits), -HALF, HALF - 1).astype(int).tolist()


@given(st.binary(max_size=40), shapes, codings)
@settings(deadline=None, max_examples=40)
def test_any_bytes_are_read_without_harm(
    data: bytes, shape: tuple[int, int, int], coding: int
) -> None:
    splits = splits_of(shape, 0)
    fast = sparse_kernels().decode(data, shape, splits, 1, [], coding)
    slow = ReferenceKernels().decode(data, shape, splits, 1, [], coding)
    np.testing.assert_array_equal(fast, slow)


def test_what_cannot_be_coded_is_refused() -> None:
    for kernels in (sparse_kernels(), ReferenceKernels()):
        with pytest.raises(ValueError, match="too large"):
            kernels.encode([np.full((1, 1, 1), 1 << 25, np.int32)], [], [])
