"""Pieces of geometry to pixels.

That an engine draws what rays meet, and who owns an edge, is in `insitu.testing`.
"""

import numpy as np
import pytest

from insitu.core.geometry import Lines, Surface
from insitu.render.camera import Camera
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.surface.raster import StyledGeometry, rasterize
from tests.support.surfaces import ball

FUNCTION = TransferFunction.default((0.0, 1.0))


def test_triangles_as_small_as_rounding_show_nowhere_else() -> None:
    """Specks and slivers, as cutting at the faces of blocks leaves them: corners that differ in the
    last digits."""
    rng = np.random.default_rng(3)
    camera = Camera((9.0, 6.0, 8.0), (5.0, 2.0, 5.0), fov=40, width=160, height=120)
    whole = ball(40, radius=3.0, center=(5.0, 2.0, 5.0))
    at = whole.points[rng.integers(0, len(whole.points), 4000)]
    specks = at[:, None] + rng.integers(-2, 3, (4000, 3, 3)) * np.spacing(5.0)
    specks[2000:, 2] += 0.05 * rng.normal(size=(2000, 3))  # slivers
    small = Surface(specks[:2000].reshape(-1, 3), np.arange(6000).reshape(-1, 3))
    thin = Surface(specks[2000:].reshape(-1, 3), np.arange(6000).reshape(-1, 3))
    for surface in (small, thin):
        assert rasterize([StyledGeometry(surface)], camera)[0][..., 3].sum() <= 1


def test_a_ball_is_round_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = Camera((0.5, 0.5, 3.0), (0.5, 0.5, 0.5), fov=30, width=101, height=101)
    painted = [StyledGeometry(ball(64), values="x", transfer_function=FUNCTION)]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    one = rasterize(painted, camera)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    for a, b in zip(one, rasterize(painted, camera), strict=True):
        np.testing.assert_array_equal(a, b)
    rgba, depth = one
    assert depth[50, 50] == pytest.approx(2.1, abs=1e-3)
    tan = np.tan(np.radians(15))
    angle = np.arcsin(0.4 / 2.5)
    assert (rgba[50, :, 3] > 0).sum() == pytest.approx(np.tan(angle) / tan * 101, abs=2)
    np.testing.assert_array_equal(rgba, rasterize(painted, camera, (0, 101, 0, 101))[0])
    part = rasterize(painted, camera, (20, 61, 33, 90))
    np.testing.assert_array_equal(part[0], rgba[20:61, 33:90])
    np.testing.assert_array_equal(part[1], depth[20:61, 33:90])


def test_several_pieces_hide_each_other() -> None:
    camera = Camera((0.5, 0.5, 3.0), (0.5, 0.5, 0.5), fov=30, width=64, height=64)
    red = StyledGeometry(ball(radius=0.2, center=(0.5, 0.5, 1.2)), color=(1, 0, 0))
    green = StyledGeometry(ball(), color=(0, 1, 0))
    for order in ([red, green], [green, red]):
        rgba, _ = rasterize(order, camera)
        assert rgba[32, 32, 0] > 0.5 > rgba[32, 32, 1]
        assert rgba[32, 18, 1] > 0.5 > rgba[32, 18, 0]


def test_the_eye_inside_sees_the_far_wall() -> None:
    camera = Camera((0.5, 0.5, 0.5), (0.9, 0.5, 0.5), fov=80, width=40, height=40)
    rgba, depth = rasterize([StyledGeometry(ball(32))], camera)
    assert (rgba[..., 3] == 1).all()
    np.testing.assert_allclose(depth, 0.4, rtol=0.02)


def test_lines_are_as_wide_as_asked() -> None:
    camera = Camera((0, 0, 5), (0, 0, 0), fov=40, width=90, height=70)
    lines = Lines(
        np.array([[-1.0, 0, 0], [0, 0, 0], [1, 0, 0], [0, -1, 0], [0, -0.5, 0]]),
        np.array([0, 0, 3, 5, 5]),
        {"speed": np.array([0.0, 0.5, 1.0, 0.0, 0.0])},
    )
    for width in (3, 8):
        rgba, _ = rasterize([StyledGeometry(lines, width=width)], camera)
        assert (rgba[:36, 30, 3] > 0).sum() + (rgba[36:, 30, 3] > 0).sum() == width
    world = StyledGeometry(lines, width=0.5, width_in_pixels=False)
    rgba, _ = rasterize([world], camera)
    pixel = 2 * np.tan(np.radians(20)) / 70 * 5
    assert (rgba[:45, 30, 3] > 0).sum() == pytest.approx(0.5 / pixel, abs=1)
    colored = StyledGeometry(lines, width=6, values="speed", transfer_function=FUNCTION)
    rgba, _ = rasterize([colored], camera)
    assert rgba[35, 61, 0] > rgba[35, 40, 0]  # yellow against blue


def test_wrong_words() -> None:
    with pytest.raises(ValueError, match=r"the geometry has no 'y'.*there are: x"):
        StyledGeometry(ball(), values="y", transfer_function=FUNCTION)
    with pytest.raises(ValueError, match="transfer_function"):
        StyledGeometry(ball(), values="x")
    with pytest.raises(ValueError, match="width: 0"):
        StyledGeometry(ball(), width=0)
    camera = Camera((0, 0, 3), (0, 0, 0), width=20, height=20)
    wrong = Surface(np.zeros((3, 3)), np.array([[0, 1, 3]]))
    with pytest.raises(ValueError, match="triangles: 3 is not one of 3 points"):
        rasterize([StyledGeometry(wrong)], camera)
