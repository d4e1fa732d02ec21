"""Triangles to pixels, against rays that are cast one by one in NumPy; and who owns an edge."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.engines.cpu.native import lib
from insitu.geometry import Lines, Surface
from insitu.render.camera import Camera
from insitu.render.raster import GREY, Painted, rasterize
from insitu.render.transfer_function import TransferFunction

from .geometry import ball

FUNCTION = TransferFunction.default((0.0, 1.0))


def reference(
    surface: Surface, values: np.ndarray | None, camera: Camera
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every ray against every triangle (Moeller and Trumbore, 1997) -> RGBA, depth, and which
    pixels are decided by more than rounding."""
    eye, rays = camera.rays()
    right, up, _ = camera.basis()
    rgba, depth = np.zeros((*rays.shape[:2], 4)), np.full(rays.shape[:2], np.inf)
    clear = np.ones(rays.shape[:2], bool)
    for corners in surface.triangles:
        p = surface.points[corners]
        e1, e2 = p[1] - p[0], p[2] - p[0]
        h = np.cross(rays, e2)
        with np.errstate(divide="ignore", invalid="ignore"):
            f = 1 / (h @ e1)
            s = eye - p[0]
            q = np.cross(s, e1)
            u, v, t = f * (h @ s), f * (rays @ q), f * (e2 @ q)
        share = np.stack((1 - u - v, u, v), axis=-1)
        least = np.nan_to_num(share.min(axis=-1), nan=-1.0)
        near = np.abs(t) < 1e-5  # where the near plane decides
        clear &= ~((np.abs(least) < 1e-6) & (t > -1e-5)) & ~(near & (least > -1e-6))
        clear &= ~((least >= 0) & (np.abs(t - depth) < 1e-6))
        hit = (least >= 0) & (t > 0) & (t < depth)
        n = np.cross(e1, e2) + np.zeros_like(rays)
        if surface.normals is not None:
            n = share @ surface.normals[corners]
        n /= np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-12)
        n *= np.where((n * rays).sum(-1, keepdims=True) > 0, -1, 1)
        light = -rays - 0.35 * right + 0.5 * up
        light /= np.linalg.norm(light, axis=-1, keepdims=True)
        half = light - rays
        half /= np.linalg.norm(half, axis=-1, keepdims=True)
        lit = np.maximum((n * light).sum(-1), 0)
        shine = np.maximum((n * half).sum(-1), 0) ** 32 * (lit > 0)
        color = np.array(GREY)
        if values is not None:
            color = FUNCTION(np.nan_to_num(share) @ values[corners])[..., :3]
        shaded = np.minimum((0.28 + 0.72 * lit)[..., None] * color + 0.22 * shine[..., None], 1)
        rgba[hit] = np.concatenate((shaded, np.ones_like(shaded[..., :1])), axis=-1)[hit]
        depth[hit] = t[hit]
    return rgba, depth, clear


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(0, 12),
    inside=st.booleans(),
    smooth=st.booleans(),
    colored=st.booleans(),
)
def test_pixels_are_those_of_rays(
    seed: int, n: int, inside: bool, smooth: bool, colored: bool
) -> None:
    """Also with the eye amid the triangles, some of which reach behind it."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (3 * n, 3))
    normals = rng.normal(size=points.shape)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    values = rng.uniform(-0.2, 1.2, len(points))
    surface = Surface(
        points,
        np.arange(3 * n).reshape(-1, 3),
        {"v": values},
        normals.astype(np.float32) if smooth else None,
    )
    eye = rng.uniform(-0.5, 0.5, 3) if inside else np.array([2.0, 1.5, 2.5])
    camera = Camera(tuple(eye), tuple(rng.uniform(-0.1, 0.1, 3)), fov=50, width=31, height=23)
    painted = Painted(surface)
    if colored:
        painted = Painted(surface, values="v", transfer_function=FUNCTION)
    rgba, depth = rasterize([painted], camera)
    assert rgba.dtype == depth.dtype == np.float32
    expected, distance, clear = reference(surface, values if colored else None, camera)
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(np.isfinite(depth), rgba[..., 3] == 1)
    np.testing.assert_allclose(depth[clear], distance[clear], rtol=1e-5)
    # A normal that is turned to the eye by a hair's breadth may be lit from either side.
    assert (np.abs(rgba - expected)[clear].max(axis=-1) < 2e-3).mean() > 0.995


def test_colours_without_light_are_those_of_the_table() -> None:
    points = np.array([[-9.0, -9, 0], [9, -9, 0], [0, 9, 0]])
    tilted = np.tile([0.6, 0, 0.8], (3, 1))
    values = {"v": np.full(3, 0.25)}
    surface = Surface(points, np.array([[0, 1, 2]]), values, tilted)
    camera = Camera((0, 0, 5), (0, 0, 0), width=9, height=7)
    function = TransferFunction.default((0, 1))
    rgba, _ = rasterize(
        [Painted(surface, values="v", transfer_function=function, lit=False)], camera
    )
    np.testing.assert_allclose(
        rgba[..., :3], np.broadcast_to(function(0.25)[:3], (7, 9, 3)), atol=1e-6
    )


def count_hits(points: np.ndarray, triangles: Sequence[Sequence[int]], size: int) -> np.ndarray:
    """How many of the triangles, drawn one by one, each pixel belongs to; x, y are pixels.

    The eye is far from rounding: all coordinates are small whole numbers and halves.
    """
    n = 16
    hits = np.zeros((n, n), int)
    world = np.column_stack(
        (points[:, 0] * 2 / n - 1, 1 - points[:, 1] * 2 / n, np.ones(len(points)))
    )
    for corners in triangles:
        rgba, depth = np.zeros((n, n, 4), np.float32), np.full((n, n), np.inf, np.float32)
        lib.rasterize(
            points=world, triangles=np.array([corners]), normals=None, values=None,
            table=np.zeros((2, 4), np.float32), range=(0, 0), color=(1, 1, 1), lit=True,
            eye=[0, 0, 0], forward=[0, 0, 1], right=[1, 0, 0], up=[0, 1, 0], size=(n, n),
            rectangle=[0, n, 0, n], near=1e-6, threads=size, rgba=rgba, depth=depth,
        )  # fmt: skip
        hits += rgba[..., 3] > 0
    return hits


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    turned=st.booleans(),
    threads=st.integers(1, 3),
    hub=st.tuples(st.integers(1, 31), st.integers(1, 31)),
)
def test_pixels_on_edges_and_corners_belong_to_one_triangle(
    seed: int, turned: bool, threads: int, hub: tuple[int, int]
) -> None:
    """A fan that fills the picture, its corners on the centres and corners of pixels."""
    rng = np.random.default_rng(seed)
    rim = {(0, 0), (0, 16), (16, 0), (16, 16)}
    for side in range(4):
        at = rng.integers(0, 33) / 2
        rim.add(((0, at), (16, at), (at, 0), (at, 16))[side])
    center = np.array(hub) / 2
    around = sorted(rim, key=lambda p: np.arctan2(p[1] - center[1], p[0] - center[0]))
    points = np.array([tuple(center), *around], dtype=float)
    n = len(around)
    triangles = [[0, 1 + i, 1 + (i + 1) % n] for i in range(n)]
    if turned:  # the winding must not matter
        triangles = [t if i % 2 else t[::-1] for i, t in enumerate(triangles)]
    hits = count_hits(points, triangles, threads)
    np.testing.assert_array_equal(hits, 1)


def test_a_pixel_on_a_left_or_top_edge_is_inside() -> None:
    square = np.array([[2.5, 3.5], [6.5, 3.5], [6.5, 9.5], [2.5, 9.5]])
    hits = count_hits(square, [[0, 1, 2], [0, 2, 3]], 1)
    expected = np.zeros((16, 16), int)
    expected[3:9, 2:6] = 1
    np.testing.assert_array_equal(hits, expected)


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
        assert rasterize([Painted(surface)], camera)[0][..., 3].sum() <= 1


def test_a_ball_is_round_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = Camera((0.5, 0.5, 3.0), (0.5, 0.5, 0.5), fov=30, width=101, height=101)
    painted = [Painted(ball(64), values="x", transfer_function=FUNCTION)]
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
    red = Painted(ball(radius=0.2, center=(0.5, 0.5, 1.2)), color=(1, 0, 0))
    green = Painted(ball(), color=(0, 1, 0))
    for order in ([red, green], [green, red]):
        rgba, _ = rasterize(order, camera)
        assert rgba[32, 32, 0] > 0.5 > rgba[32, 32, 1]
        assert rgba[32, 18, 1] > 0.5 > rgba[32, 18, 0]


def test_the_eye_inside_sees_the_far_wall() -> None:
    camera = Camera((0.5, 0.5, 0.5), (0.9, 0.5, 0.5), fov=80, width=40, height=40)
    rgba, depth = rasterize([Painted(ball(32))], camera)
    assert (rgba[..., 3] == 1).all()
    np.testing.assert_allclose(depth, 0.4, rtol=0.02)


def test_nothing_and_what_is_not_finite() -> None:
    camera = Camera((0, 0, 3), (0, 0, 0), width=20, height=20)
    nothing = Surface(np.empty((0, 3)), np.empty((0, 3), int))
    points = np.array([[-1, -1, 0], [1, -1, 0], [0, 1, np.nan], [0, 1, np.inf], [0, 0, 9.0]])
    broken = Surface(points, np.array([[0, 1, 2], [0, 1, 3], [4, 4, 4], [0, 1, 1]]))
    rgba, depth = rasterize([Painted(nothing), Painted(broken)], camera)
    assert not rgba.any() and np.isinf(depth).all()
    gap = Surface(points[[0, 1, 4]] * [1, 1, 0], np.array([[0, 1, 2]]), {"v": np.full(3, np.nan)})
    colored = Painted(gap, color=(1, 0, 0), values="v", transfer_function=FUNCTION)
    shown = rasterize([colored], camera)[0]
    assert shown.any() and (shown[shown[..., 3] > 0][:, 0] > shown[shown[..., 3] > 0][:, 1]).all()


def test_lines_are_as_wide_as_asked() -> None:
    camera = Camera((0, 0, 5), (0, 0, 0), fov=40, width=90, height=70)
    lines = Lines(
        np.array([[-1.0, 0, 0], [0, 0, 0], [1, 0, 0], [0, -1, 0], [0, -0.5, 0]]),
        np.array([0, 0, 3, 5, 5]),
        {"speed": np.array([0.0, 0.5, 1.0, 0.0, 0.0])},
    )
    for width in (3, 8):
        rgba, _ = rasterize([Painted(lines, width=width)], camera)
        assert (rgba[:36, 30, 3] > 0).sum() + (rgba[36:, 30, 3] > 0).sum() == width
    world = Painted(lines, width=0.5, width_in_pixels=False)
    rgba, _ = rasterize([world], camera)
    pixel = 2 * np.tan(np.radians(20)) / 70 * 5
    assert (rgba[:45, 30, 3] > 0).sum() == pytest.approx(0.5 / pixel, abs=1)
    colored = Painted(lines, width=6, values="speed", transfer_function=FUNCTION)
    rgba, _ = rasterize([colored], camera)
    assert rgba[35, 61, 0] > rgba[35, 40, 0]  # yellow against blue


def test_wrong_words() -> None:
    with pytest.raises(ValueError, match=r"'y' are not of the geometry.*there are: x"):
        Painted(ball(), values="y", transfer_function=FUNCTION)
    with pytest.raises(ValueError, match="transfer_function"):
        Painted(ball(), values="x")
    with pytest.raises(ValueError, match="width: 0"):
        Painted(ball(), width=0)
    camera = Camera((0, 0, 3), (0, 0, 0), width=20, height=20)
    wrong = Surface(np.zeros((3, 3)), np.array([[0, 1, 3]]))
    with pytest.raises(ValueError, match="triangles: 3 is not one of 3 points"):
        rasterize([Painted(wrong)], camera)
