"""Derived blocks: exact derivatives, the definitions of the expressions, ranges that hold."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.filters.geometry.derived_quantities import (
    divergence,
    gradient,
    qcriterion,
    vector_component,
    vector_magnitude,
    vorticity,
)
from insitu.queries import derivatives
from tests.support.analytic_fields import AnalyticBlock, flow, lines, wave
from tests.support.blocks import blob, partition, swirl
from tests.support.fitting import fit, sample_points

OPERATIONS = {"divergence": divergence, "curl": vorticity, "qcriterion": qcriterion}


def inside(n: int = 60, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform([-1, 0, -0.5], [1, 1.5, 1], (n, 3))


def centres(block: AnalyticBlock) -> list[np.ndarray]:
    return [0.5 * (n[1:] + n[:-1]) for n in block.nodes]


@pytest.mark.parametrize("stretch", [0.0, 0.4])
@pytest.mark.parametrize("name", ["gradient", "divergence", "curl", "qcriterion"])
def test_as_the_expressions_have_them(name: str, stretch: float) -> None:
    """Differences between samples of ever finer grids come to what is computed here."""
    functions = (wave,) if name == "gradient" else flow()
    operation = gradient if name == "gradient" else OPERATIONS[name]
    errors = []
    for n in (12, 24, 48):
        block = AnalyticBlock(functions, lines((n, n, n), stretch=stretch))
        axes = centres(block)
        z, y, x = np.meshgrid(*reversed(axes), indexing="ij")
        inner = (slice(2, -2),) * 3
        expected = derivatives.FUNCTIONS[name](
            [f(x, y, z) for f in functions], tuple(reversed(axes)), inner
        )
        units = [(np.arange(n) + 0.5) / n] * 3
        got = operation(block).on_grid(*units)[inner]
        errors.append(np.abs(got - np.stack(expected, axis=-1)).max() / np.abs(got).max())
    # Second order: four times less for half the spacing.
    assert errors[-1] < 0.01
    assert errors[0] > 2.5 * errors[1] > 6 * errors[2]


def test_points_and_grids_are_one_function() -> None:
    block = AnalyticBlock(flow(), lines(stretch=0.3), association="vertex")
    xs, ys, zs = (np.linspace(0, 1, n) for n in (5, 4, 3))
    x, y, z = (
        np.interp(u, np.linspace(0, 1, len(n)), n)
        for u, n in zip((xs, ys, zs), block.nodes, strict=True)
    )
    points = np.stack(np.meshgrid(z, y, x, indexing="ij")[::-1], axis=-1).reshape(-1, 3)
    for derived in (
        vector_magnitude(block),
        vector_component(block, 2),
        divergence(block),
        vorticity(block),
    ):
        grid = derived.on_grid(xs, ys, zs)
        values = derived(points).reshape(grid.shape)
        np.testing.assert_allclose(grid, values, rtol=1e-9, atol=1e-12)
        assert (derived.cells, derived.association) == (block.cells, "vertex")
        assert (derived.cycle, derived.time) == (3, 0.25)


def test_second_derivatives() -> None:
    """Exact of magnitudes and components, else of second order in the cells; of first order within
    half a cell of a face."""
    block = AnalyticBlock(flow(), lines((60, 60, 60)))
    points = 0.9 * inside()
    points[:, 1] += 0.05
    h = 1e-5
    for derived, tolerance in (
        (vector_magnitude(block), 1e-6),
        (vector_component(block, 1), 1e-6),
        (vorticity(block), 2e-3),
        (qcriterion(block), 5e-3),
    ):
        got = derived.gradient(points).reshape(len(points), derived.n_components, 3)
        for axis in range(3):
            step = np.eye(3)[axis] * h
            rise = (derived(points + step) - derived(points - step)) / (2 * h)
            expected = rise.reshape(len(points), -1)
            scale = np.nanmax(np.abs(expected))
            np.testing.assert_allclose(
                got[..., axis], expected, atol=tolerance * scale, err_msg=derived.name
            )


def test_outside_is_nan() -> None:
    block = AnalyticBlock(flow(), lines())
    for derived in (vector_magnitude(block), vector_component(block, 0), vorticity(block)):
        points = np.array([[0, 0.5, 0], [5, 0.5, 0], [-1, 0, -0.5], [1, 1.5, 1]])
        for values in (derived(points), derived.gradient(points)):
            assert np.isnan(values).reshape(4, -1).all(axis=1).tolist() == [0, 1, 0, 0]
        with pytest.raises(ValueError, match="expected \\(n, 3\\)"):
            derived(np.zeros((2, 2)))


def test_where_a_vector_is_zero_its_length_has_slope_zero() -> None:
    block = AnalyticBlock((lambda x, y, z: 0 * x,) * 3, lines())
    derived = vector_magnitude(block)
    np.testing.assert_array_equal(derived.gradient(inside(3)), 0)
    np.testing.assert_array_equal(derived.range, 0)


@settings(max_examples=50, deadline=None)
@given(
    low=st.lists(st.floats(-5, 5), min_size=3, max_size=3),
    extent=st.lists(st.floats(0, 5), min_size=3, max_size=3),
)
def test_magnitudes_stay_in_their_range(low: list, extent: list) -> None:
    """The range follows from the components'; the samples' own lies within."""
    functions = tuple(
        lambda x, y, z, a=a, e=e, k=k: a + e * np.abs(np.sin(3 * (x, y, z)[k] + k))
        for k, (a, e) in enumerate(zip(low, extent, strict=True))
    )
    derived = vector_magnitude(AnalyticBlock(functions, lines((4, 5, 6))))
    (bound,), (sampled,) = derived.range, derived.sampled_range
    assert bound[0] <= sampled[0] * (1 + 1e-12) + 1e-12
    assert sampled[1] <= bound[1] * (1 + 1e-12)


def test_what_does_not_fit_is_refused() -> None:
    scalar, vector = AnalyticBlock((wave,), lines()), AnalyticBlock(flow(), lines())
    with pytest.raises(ValueError, match="expected a scalar"):
        gradient(vector)
    with pytest.raises(ValueError, match="expected a vector of 3"):
        vorticity(scalar)
    with pytest.raises(ValueError, match=r"has 0\.\.2"):
        vector_component(vector, 3)
    names = [d(vector).name for d in (vector_magnitude, divergence, vorticity, qcriterion)]
    assert names == ["f_magnitude", "f_divergence", "f_vorticity", "f_qcriterion"]
    assert vector_component(vector, 1).name == "f_y"
    assert gradient(scalar, "slope").name == "slope"


def test_of_networks() -> None:
    """What is computed of a network is exact for it."""
    field = fit(partition([blob, swirl, blob], association="vertex"), n_min=60)
    points = sample_points(field)[::37]
    slopes = field.gradient(points)
    np.testing.assert_allclose(divergence(field)(points), np.trace(slopes, axis1=1, axis2=2))
    expected = slopes[:, 1, 0] - slopes[:, 0, 1]
    np.testing.assert_allclose(vorticity(field)(points)[:, 2], expected)
    length = vector_magnitude(field)
    np.testing.assert_allclose(length(points), np.linalg.norm(field(points), axis=1), rtol=1e-6)
    chained = gradient(length)
    np.testing.assert_allclose(chained(points), length.gradient(points))


def test_differences_of_lines_are_their_slopes() -> None:
    """At faces too, where they end, and on stretched grids."""
    squares = tuple(lambda x, y, z, k=k: k * x * x - y * y + x * z for k in range(3))
    block = AnalyticBlock(squares, lines(stretch=0.5))
    points = np.concatenate([inside(), [[-1, 0, -0.5], [1, 1.5, 1]]])
    # The divergence is linear: 2 * 0 * x + z - 2 * y + x.
    got = divergence(block).gradient(points)
    np.testing.assert_allclose(got, np.broadcast_to([1.0, -2.0, 1.0], got.shape), atol=1e-8)
    assert np.isnan(divergence(block).gradient(points + 9)).all()


def test_memory_is_a_slab() -> None:
    """The range of a derived field does not hold the block."""
    block = AnalyticBlock((wave,), lines((256, 64, 64)))
    derived = gradient(block)
    tracemalloc.start()
    _ = derived.sampled_range
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.8 * 256 * 64 * 64 * 3 * 8


def test_values_that_are_not_finite_are_no_extrema() -> None:
    def odd(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.where(x > 0.5, np.nan, np.where(x < -0.5, np.inf, 2.0))

    derived = vector_magnitude(AnalyticBlock((odd, odd), lines()))
    np.testing.assert_allclose(derived.sampled_range, [[8**0.5] * 2])
    never = vector_magnitude(AnalyticBlock((lambda x, y, z: x * np.nan,), lines()))
    assert np.isnan(never.sampled_range).all()


def test_no_points() -> None:
    block = AnalyticBlock(flow(), lines())
    for made, shape in ((vector_magnitude(block), (0,)), (vorticity(block), (0, 3))):
        assert made(np.empty((0, 3))).shape == shape
        assert made.gradient(np.empty((0, 3))).shape == (*shape, 3)
