"""The levels of a hash grid: one formula, the same on every machine."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.engines.cpu.engine import native_network
from insitu.models.hash_grid.levels import levels, scales
from insitu.models.hash_grid.model import HashGrid

GROWTHS = st.floats(1.0, 8.0, width=32)


@given(st.integers(1, 16), st.integers(1, 64), GROWTHS)
@settings(deadline=None, max_examples=200)
def test_scales_are_the_formula_to_single_precision(n: int, base: int, growth: float) -> None:
    exact = [float(base * Fraction(growth) ** i - 1) for i in range(n)]
    # The rounding of log2(growth) is multiplied by the level: relative error i ln(growth) 2^-24.
    for i, (got, expected) in enumerate(zip(scales(n, base, growth), exact, strict=True)):
        tolerance = (i * math.log(growth) + 3) * 2.0**-23 * (expected + 1)
        assert abs(got - expected) <= tolerance
        assert got == np.float32(got)


@given(st.integers(1, 20), st.integers(1, 1000), st.integers(0, 6))
def test_growths_that_are_powers_of_two_are_exact(n: int, base: int, log2: int) -> None:
    growth = 2**log2
    for i, got in enumerate(scales(n, base, growth)):
        if base * growth**i <= 2**24:
            assert got == base * growth**i - 1


@given(st.integers(2, 12), st.integers(1, 32), GROWTHS, st.integers(4, 16))
@settings(deadline=None, max_examples=200)
def test_levels_fill_the_parameters(n: int, base: int, growth: float, table: int) -> None:
    at = 100
    for level in levels(n, 2, table, base, growth, at):
        assert level.offset == at
        assert 0 < level.size <= 2**table and level.size % 8 == 0
        assert level.resolution - 1 >= level.scale > level.resolution - 2
        assert level.hashed == (level.size < level.resolution**3 or level.resolution > 1625)
        at += 2 * level.size


@given(st.integers(2, 8), st.integers(2, 16), st.floats(1.0, 3.0, width=32))
@settings(deadline=None, max_examples=100)
def test_the_compiled_engine_counts_the_same(n: int, base: int, growth: float) -> None:
    model = HashGrid(n_levels=n, base_resolution=base, per_level_scale=growth)
    native = native_network(model)
    assert native.n_params == model.n_params
    assert [level[0] for level in native.levels] == [level.scale for level in model.levels]


@pytest.mark.parametrize(
    ("n_levels", "base", "finest", "table", "n_params"),
    [
        (8, 4, 64, 19, 767728),
        (16, 16, 512, 19, 10524400),
        (12, 8, 96, 14, 261184),
        (5, 8, 128, 15, 206592),
    ],
)
def test_golden_numbers(n_levels: int, base: int, finest: int, table: int, n_params: int) -> None:
    """Growths by which the finest level should have exactly `finest` vertices."""
    growth = (finest / base) ** (1 / (n_levels - 1))
    model = HashGrid(n_levels, 2, table, base, growth)
    assert model.n_params == n_params
