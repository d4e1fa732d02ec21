"""Maps of values: there and back, their derivative, their entry in a header."""

import numpy as np
import pytest

from insitu.codecs.frame import FrameError
from insitu.fields.transform import KINDS, Transform

VALUES = np.random.default_rng(3).normal(size=(4, 5, 6)) ** 3 + 2.0
CONSTANT = np.full((4, 5, 6), 7.25)


def made(kind: str) -> Transform:
    return Transform.of(kind, [VALUES, CONSTANT, -1e3 * VALUES], exponent=0.4)


def stacked() -> np.ndarray:
    return np.stack([VALUES, CONSTANT, -1e3 * VALUES], axis=-1)


@pytest.mark.parametrize("kind", KINDS)
def test_inverse(kind: str) -> None:
    mapped = made(kind)(stacked())
    np.testing.assert_allclose(made(kind).inverse(mapped), stacked(), rtol=1e-12)
    assert not mapped[..., 1].any()  # a constant
    spread = mapped[..., 0].std() if kind == "standardise" else np.ptp(mapped[..., 0])
    assert spread == pytest.approx(1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_slope(kind: str) -> None:
    transform, mapped = made(kind), made(kind)(stacked())
    mapped = np.where(np.abs(mapped) < 1e-2, 0.3, mapped)
    step = 1e-6
    expected = (transform.inverse(mapped + step) - transform.inverse(mapped - step)) / (2 * step)
    np.testing.assert_allclose(transform.slope(mapped), expected, rtol=1e-6)


def test_the_slope_of_a_power_is_finite_where_the_power_has_none() -> None:
    for exponent in (0.25, 4.0):
        transform = Transform.of("power", [VALUES], exponent=exponent)
        assert np.isfinite(transform.slope(np.zeros((3, 1)))).all()


@pytest.mark.parametrize("kind", KINDS)
def test_in_other_units(kind: str) -> None:
    factor = np.array([0.5, 4.0, 1024.0])
    other = made(kind).in_units(factor)
    np.testing.assert_allclose(other(stacked() * factor), made(kind)(stacked()), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_header(kind: str) -> None:
    again = Transform.from_header(made(kind).to_header(), 3)
    assert again is not None
    np.testing.assert_array_equal(again(stacked()), made(kind)(stacked()))
    assert Transform.from_header(None, 3) is None


@pytest.mark.parametrize(
    "change, problem",
    [
        ({"kind": "gamma"}, "kind"),
        ({"scale": [1.0, 0.0, 1.0]}, "scale"),
        ({"unit": [1.0, float("nan"), 1.0]}, "unit"),
        ({"shift": [1.0]}, "shift"),
        ({"exponent": 0.0}, "exponent"),
        ({"more": 1}, "keys"),
    ],
)
def test_a_damaged_header(change: dict[str, object], problem: str) -> None:
    with pytest.raises(FrameError, match=problem):
        Transform.from_header(made("power").to_header() | change, 3)


def test_samples_that_are_not_finite_have_no_say() -> None:
    holes = VALUES.copy()
    holes[0, 0, :2] = np.nan, np.inf
    transform = Transform.of("standardise", [holes])
    mapped = transform(holes[..., None])[np.isfinite(holes)]
    assert mapped.std() == pytest.approx(1.0) and mapped.mean() == pytest.approx(0, abs=1e-12)
