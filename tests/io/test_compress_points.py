"""Plain arrays of points and values, as a sum of Gaussians."""

from typing import Any

import numpy as np
import pytest

import insitu
from insitu.fields.read import read_field


def cloud(n: int, seed: int = 0) -> np.ndarray:
    """Points of a ball of radius 1 around (2, 0, 5), denser in its middle."""
    rng = np.random.default_rng(seed)
    way = rng.normal(size=(n, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    return way * rng.random((n, 1)) ** 0.5 + [2, 0, 5]


def wave(at: np.ndarray) -> np.ndarray:
    return np.sin(3 * at[:, 0]) * np.cos(2 * at[:, 1]) + 0.5 * (at[:, 2] - 5)


def psnr(found: np.ndarray, truth: np.ndarray) -> float:
    known = np.isfinite(found)
    rms = np.sqrt(np.square(found - truth)[known].mean())
    return float(20 * np.log10(np.ptp(truth) / rms))


def test_a_field_of_points() -> None:
    at = cloud(3000)
    field = insitu.compress_points(at, wave(at), n_gaussians=150, iterations=60, name="wave")
    assert field.name == "wave" and field.model is not None and field.model.kind == "gaussians"
    assert field.metrics.raw_nbytes == 3000 * 8
    claimed = field.metrics.psnr_db(np.ptp(field.range, axis=1))
    assert psnr(field(at), wave(at)) == pytest.approx(claimed, abs=0.3) and claimed > 38
    between = cloud(500, seed=1) * 0.8 + np.array([2, 0, 5]) * 0.2
    assert psnr(field(between), wave(between)) > 35
    # The corners of its box are far from the ball.
    corner = at.min(axis=0) + 1e-3 * np.ptp(at, axis=0)
    assert np.isnan(field(corner[None])).all() and np.isnan(field([[9.0, 9, 9]])).all()
    step = 1e-4 * np.eye(3)
    middle = np.array([[2.1, 0.1, 5.1]])
    slopes = [(field(middle + h) - field(middle - h))[0] / 2e-4 for h in step]
    np.testing.assert_allclose(field.gradient(middle)[0], slopes, rtol=0.02, atol=0.02)
    again = read_field(field.to_bytes())
    np.testing.assert_array_equal(again(at), field(at))


def test_a_target_chooses_how_many() -> None:
    at = cloud(3000)
    fields = [insitu.compress_points(at, wave(at).astype(np.float32), psnr=db) for db in (30, 50)]
    for field, wanted in zip(fields, (30, 50), strict=True):
        assert psnr(field(at), wave(at)) > wanted - 0.1
    assert fields[0].nbytes < 0.7 * fields[1].nbytes
    small = insitu.compress_points(at, wave(at).astype(np.float32), ratio=8)
    assert small.nbytes <= 12000 / 8 and psnr(small(at), wave(at)) > 25


def test_vectors_and_missing_values() -> None:
    at = cloud(2000)
    values = np.stack([wave(at), at[:, 0], np.full(len(at), 3.0)], axis=1)
    values[5, 1] = np.nan
    field = insitu.compress_points(at, values, n_gaussians=100, iterations=40)
    found = field(at[6:])
    assert found.shape == (1994, 3) and field.metrics.nan_count == 1
    assert psnr(found[:, 0], values[6:, 0]) > 30 and psnr(found[:, 1], values[6:, 1]) > 30
    np.testing.assert_array_equal(found[np.isfinite(found[:, 2]), 2], 3.0)


def test_one_value_everywhere_needs_no_model() -> None:
    at = cloud(100)
    field = insitu.compress_points(at, np.full(100, 7, int))
    assert field.model is None and np.nanmax(np.abs(field(at) - 7)) == 0


@pytest.mark.parametrize(
    ("points", "values", "options", "message"),
    [
        (np.zeros((4, 2)), np.zeros(4), {}, r"points: shape \(4, 2\), expected \(n, 3\)"),
        (cloud(4), np.zeros(5), {}, "values: shape"),
        (cloud(4) * [1, 1, 0], np.zeros(4), {}, "points: all lie in a plane"),
        (np.full((4, 3), np.nan), np.zeros(4), {}, "not finite"),
        (cloud(4), np.zeros(4), {"psnr": 40, "ratio": 3}, "give one of them"),
        (cloud(4), np.zeros(4), {"degree": 2}, "degree: 2 is not 0 or 1"),
        (cloud(4), np.zeros(4), {"n_gaussians": 0}, "n_gaussians: 0 is not in"),
        (cloud(4), np.zeros((4, 17)), {}, "n_outputs: 17"),
    ],
)
def test_what_is_wrong_is_told(
    points: np.ndarray, values: np.ndarray, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        insitu.compress_points(points, values, **options)
