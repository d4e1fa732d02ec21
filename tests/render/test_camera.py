"""The camera: Ascent's words, the default view, projection."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.render.camera import Camera, CameraSettings

BOUNDS = (np.array([0.0, -1.0, 2.0]), np.array([5.0, 2.0, 4.0]))
CENTER = (BOUNDS[0] + BOUNDS[1]) / 2
CORNERS = np.stack(np.meshgrid(*zip(*BOUNDS, strict=True)), axis=-1).reshape(8, 3)

CORNERS_OF_UNIT = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1]), axis=-1).reshape(8, 3)


@settings(max_examples=50, deadline=None)
@given(
    azimuth=st.floats(-180, 180),
    elevation=st.floats(-90, 90),
    width=st.integers(16, 300),
    height=st.integers(16, 300),
)
def test_default_shows_the_whole_domain(
    azimuth: float, elevation: float, width: int, height: int
) -> None:
    camera = Camera.default(BOUNDS, width, height, azimuth=azimuth, elevation=elevation)
    pixels, depth = camera.project(CORNERS)
    assert (depth > 0).all()
    assert (pixels >= 0).all() and (pixels <= [width, height]).all()
    extent = np.abs(pixels / [width, height] - 0.5).max()
    assert extent > 0.4  # and fills the image


@pytest.mark.parametrize(
    ("size", "azimuth", "elevation"),
    [
        ((1, 1, 1), (35, 35), (25, 25)),  # a cube as ever
        ((4, 1, 1), (10, 30), (25, 35)),  # the long side lies across the picture
        ((1, 1, 4), (60, 80), (25, 35)),
        ((1, 0.05, 1), (35, 35), (45, 60)),  # a slab is seen from above
        ((1, 1, 0.05), (10, 15), (0, 15)),  # a sheet from before it
        ((0.05, 1, 1), (75, 80), (0, 15)),
    ],
)
def test_default_suits_the_shape(size: tuple, azimuth: tuple, elevation: tuple) -> None:
    bounds = (np.zeros(3), np.array(size, float))
    for side in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
        camera = Camera.default(bounds, 100, 100, side=side)
        arm = np.subtract(camera.position, camera.look_at)
        assert np.sign(arm[[0, 2]]).tolist() == list(side) and arm[1] > 0
        turn = math.degrees(math.atan2(abs(arm[0]), abs(arm[2])))
        tilt = math.degrees(math.asin(arm[1] / np.linalg.norm(arm)))
        assert azimuth[0] - 1e-6 <= turn <= azimuth[1] + 1e-6
        assert elevation[0] - 1e-6 <= tilt <= elevation[1] + 1e-6
        extent = np.ptp(camera.project(CORNERS_OF_UNIT * size)[0], axis=0).max()
        assert extent > 60  # of 100 pixels


def test_rays_and_projection_are_inverse() -> None:
    camera = Camera.default(BOUNDS, 33, 21)
    eye, directions = camera.rays()
    np.testing.assert_allclose(np.linalg.norm(directions, axis=-1), 1)
    pixels, _ = camera.project((eye + 7 * directions).reshape(-1, 3))
    x, y = np.meshgrid(np.arange(33) + 0.5, np.arange(21) + 0.5)
    np.testing.assert_allclose(pixels, np.stack((x, y), axis=-1).reshape(-1, 2), atol=1e-9)


def test_image_is_upright_and_not_mirrored() -> None:
    camera = Camera((0, 0, 10), (0, 0, 0), width=100, height=100)  # along -z, y up: x to the right
    pixels, _ = camera.project(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]]))
    assert pixels[0] == pytest.approx([50, 50])
    assert pixels[1, 0] > 50 and pixels[1, 1] == pytest.approx(50)
    assert pixels[2, 1] < 50 and pixels[2, 0] == pytest.approx(50)


def test_no_words_is_the_default() -> None:
    assert Camera.from_ascent(None, BOUNDS) == Camera.default(BOUNDS)
    assert Camera.from_ascent({}, BOUNDS, 64, 32) == Camera.default(BOUNDS, 64, 32)


def test_ascents_words() -> None:
    diagonal = float(np.linalg.norm(BOUNDS[1] - BOUNDS[0]))
    plain = Camera.from_ascent({"azimuth": 0}, BOUNDS)
    np.testing.assert_allclose(plain.position, CENTER + np.array([0, 0, diagonal]))
    assert plain.fov == pytest.approx(60)
    right = Camera.from_ascent({"azimuth": 90}, BOUNDS)
    np.testing.assert_allclose(right.position, CENTER + np.array([diagonal, 0, 0]), atol=1e-9)
    above = Camera.from_ascent({"elevation": "30"}, BOUNDS)
    np.testing.assert_allclose(
        above.position,
        CENTER + np.array([0, math.sin(math.pi / 6), math.cos(math.pi / 6)]) * diagonal,
    )
    given = Camera.from_ascent(
        {"position": [1, 2, 3], "look_at": [4, 5, 6], "up": [0, 0, 1], "fov": 40}, BOUNDS
    )
    assert given.position == (1, 2, 3) and given.look_at == (4, 5, 6) and given.up == (0, 0, 1)
    zoomed = Camera.from_ascent({"zoom": 2.0}, BOUNDS)
    size = [np.ptp(c.project(CORNERS)[0], axis=0) for c in (plain, zoomed)]
    np.testing.assert_allclose(size[1], 2 * size[0])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"azimut": 3}, "camera/azimut: unknown; did you mean 'azimuth'"),
        ({"xpam": 3}, "camera/xpam: unknown"),
        ({"zoom": 0}, "camera/zoom: 0"),
        ({"zoom": "big"}, "camera/zoom: 'big' is not a finite number"),
        ({"position": [1, 2]}, "camera/position"),
        ({"position": [1, 2, float("nan")]}, r"camera/position\[2\]"),
        ({"position": [1, 2, 3], "look_at": [1, 2, 3]}, "camera/position"),
        ({"fov": 180}, "camera/fov: 180"),
        ({"projection": "flat"}, "camera/projection: 'flat' is not one of perspective, parallel"),
        ([1], "camera: expected a mapping"),
    ],
)
def test_wrong_words_are_named(words: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Camera.from_ascent(words, BOUNDS)


def test_looking_along_up_still_works() -> None:
    camera = Camera((0, 9, 0), (0, 0, 0), up=(0, 1, 0))
    np.testing.assert_allclose(np.array(camera.basis()) @ np.array(camera.basis()).T, np.eye(3))


@settings(max_examples=50, deadline=None)
@given(eye=st.tuples(*(st.floats(-9, 9),) * 3))
def test_rectangle_holds_every_pixel_of_the_box(eye: tuple) -> None:
    camera = Camera(eye, (9.5, 0, 0), fov=70, width=50, height=40)
    y0, y1, x0, x1 = camera.rectangle(BOUNDS)
    rng = np.random.default_rng(0)
    points = np.concatenate((CORNERS, BOUNDS[0] + rng.random((200, 3)) * (BOUNDS[1] - BOUNDS[0])))
    pixels, depth = camera.project(points)
    seen = pixels[(depth > 1e-9) & (pixels >= 0).all(axis=1) & (pixels < [50, 40]).all(axis=1)]
    assert (seen >= [x0, y0]).all() and (seen <= [x1, y1]).all()


def test_rectangle_of_boxes_around_and_behind_the_eye() -> None:
    inside = Camera(tuple(CENTER), (9, 9, 9), width=50, height=40)
    assert inside.rectangle(BOUNDS) == (0, 40, 0, 50)
    behind = Camera((9, 0, 3), (20, 0, 3), width=50, height=40)
    assert behind.rectangle(BOUNDS) == (0, 0, 0, 0)


def test_panning_moves_what_was_in_the_middle() -> None:
    """By shares of half the picture, to the right and upwards."""
    bounds = (np.zeros(3), np.ones(3))
    settings = CameraSettings(azimuth=30.0, elevation=20.0, xpan=0.5, ypan=-0.25)
    camera = settings.camera(bounds, 200, 100)
    pixels, _ = camera.project(np.array([[0.5, 0.5, 0.5]]))
    np.testing.assert_allclose(pixels, [[150.0, 62.5]])


def test_a_parallel_projection_keeps_sizes_and_what_is_in_the_middle() -> None:
    words = {"azimuth": 30, "elevation": 20}
    plain = Camera.from_ascent(words, BOUNDS, 400, 300)
    flat = Camera.from_ascent({**words, "projection": "parallel"}, BOUNDS, 400, 300)
    np.testing.assert_allclose(flat.basis(), plain.basis(), atol=1e-9)
    right, up, forward = plain.basis()
    for along in (right, up):  # level with look_at, both show the same
        ends = CENTER + np.array([[-1], [1]]) * along
        np.testing.assert_allclose(flat.project(ends)[0], plain.project(ends)[0], atol=1e-6)
    near, far = (np.ptp(flat.project(CENTER + s * forward + up * [[-1], [1]])[0]) for s in (-1, 1))
    assert near == pytest.approx(far, abs=0.5)


@pytest.mark.parametrize(
    ("normal", "horizontal", "vertical"),
    [
        ((0, 0, 1), 0, 1),
        ((0, 0, -2), 0, 1),
        ((1, 0, 0), 1, 2),
        ((0, -3, 0), 0, 2),
        ((0, 1, 0), 0, 2),
    ],
)
def test_facing_a_plane(normal: tuple, horizontal: int, vertical: int) -> None:
    """The axes of the plane go to the right and upwards, and all of the box is in view."""
    camera = Camera.facing(BOUNDS, normal, 300, 200)
    right, up, _ = camera.basis()
    assert right[horizontal] == pytest.approx(1) and up[vertical] == pytest.approx(1)
    pixels, _ = camera.project(CORNERS)
    assert (pixels > 0).all() and (pixels < [300, 200]).all()
    assert np.ptp(pixels[:, 1]) > 120 or np.ptp(pixels[:, 0]) > 180
