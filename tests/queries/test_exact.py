"""Sums without rounding: against rational arithmetic."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.queries.exact import fixed_sum, from_limbs, rounded, to_limbs

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=300, deadline=None)
@given(st.lists(FINITE, max_size=40), st.integers(1, 40))
def test_sums_are_exact_and_rounded_once(values, cut):
    exact = sum(map(Fraction, values), Fraction())
    parts = [fixed_sum(np.array(part)) for part in (values[:cut], values[cut:])]
    assert Fraction(sum(parts), 2**1074) == exact
    limbs = sum(map(to_limbs, parts))
    assert from_limbs(limbs) == sum(parts)
    try:
        expected = float(exact)
    except OverflowError:
        expected = math.inf if exact > 0 else -math.inf
    assert rounded(from_limbs(limbs)) == expected


def test_a_sum_that_naive_addition_gets_wrong():
    values = np.array([1e16, 1.0, -1e16, 1e-300, 2.0] * 1000)
    assert rounded(fixed_sum(values)) == math.fsum(values) == 3000.0
    assert values.sum() != 3000.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64, bool])
def test_any_order_gives_the_same(dtype):
    generator = np.random.default_rng(5)
    values = (generator.normal(size=(30, 40, 50)) * 10.0 ** generator.integers(-9, 9)).astype(dtype)
    total = fixed_sum(values)
    shuffled = generator.permutation(values.ravel())
    assert sum(fixed_sum(part) for part in np.array_split(shuffled, 7)) == total
    assert rounded(total) == math.fsum(values.ravel().astype(float))
    assert rounded(total, values.size) == float(Fraction(total, 2**1074 * values.size))


def test_nothing_sums_to_zero():
    assert fixed_sum(np.zeros(0)) == fixed_sum(np.zeros(9)) == 0
    assert rounded(0) == 0.0
