"""Tests of the rasterizer.

In: an engine that can render. Out: whether a pixel shows what a ray through its center hits, and
belongs to exactly one of two triangles that share an edge.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from insitu.core.arrays import Floats
from insitu.engines.base import Engine
from insitu.engines.options import RasterOptions, View
from insitu.render.camera import Camera
from insitu.testing.cases import Singles
from insitu.testing.suite import EngineSuite

COLOR = (0.72, 0.7, 0.74)


def table() -> Singles:
    rows = np.linspace(0, 1, 32)
    return np.stack((rows, 1 - rows, rows**2, np.ones(32)), axis=1).astype(np.float32)


def options_of(view: View, **changes: Any) -> RasterOptions:
    plain = RasterOptions(
        view=view, table=table(), range=(0.0, 1.0), color=COLOR, lit=True, near=1e-6
    )
    return replace(plain, **changes)


def draw(
    engine: Engine,
    points: Floats,
    triangles: Any,
    options: RasterOptions,
    normals: Floats | None = None,
    values: Floats | None = None,
) -> tuple[Singles, Singles]:
    """RGBA and depth, drawn into an empty image."""
    y0, y1, x0, x1 = options.view.rectangle
    rgba = np.zeros((y1 - y0, x1 - x0, 4), np.float32)
    depth = np.full((y1 - y0, x1 - x0), np.inf, np.float32)
    corners = np.asarray(triangles, np.int64).reshape(-1, 3)
    engine.rasterize(points, corners, normals, values, options, rgba, depth)
    return rgba, depth


def cast(
    camera: Camera, points: Floats, triangles: Any, normals: Floats | None, values: Floats | None
) -> tuple[Floats, Floats, Any]:
    """Every ray against every triangle (Moeller and Trumbore, 1997) -> RGBA, depth, and the pixels
    whose result does not depend on rounding."""
    eye, rays = camera.rays()
    right, up, _ = camera.basis()
    rgba, depth = np.zeros((*rays.shape[:2], 4)), np.full(rays.shape[:2], np.inf)
    clear = np.ones(rays.shape[:2], bool)
    for corners in triangles:
        p = points[corners]
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
        if normals is not None:
            n = share @ normals[corners]
        n /= np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-12)
        n *= np.where((n * rays).sum(-1, keepdims=True) > 0, -1, 1)
        light = -rays - 0.35 * right + 0.5 * up
        light /= np.linalg.norm(light, axis=-1, keepdims=True)
        half = light - rays
        half /= np.linalg.norm(half, axis=-1, keepdims=True)
        lit = np.maximum((n * light).sum(-1), 0)
        shine = np.maximum((n * half).sum(-1), 0) ** 32 * (lit > 0)
        color: Floats = np.array(COLOR)
        if values is not None:
            rows = np.clip(np.nan_to_num(share) @ values[corners], 0, 1) * 31
            color = np.stack(
                [np.interp(rows, np.arange(32), table()[:, i]) for i in range(3)], axis=-1
            )
        shaded = np.minimum((0.28 + 0.72 * lit)[..., None] * color + 0.22 * shine[..., None], 1)
        rgba[hit] = np.concatenate((shaded, np.ones_like(shaded[..., :1])), axis=-1)[hit]
        depth[hit] = t[hit]
    return rgba, depth, clear


class RasterizingTests(EngineSuite):
    @pytest.mark.parametrize("smooth", [False, True])
    @pytest.mark.parametrize("colored", [False, True])
    @pytest.mark.parametrize("inside", [False, True])
    def test_pixels_are_those_of_rays(self, smooth: bool, colored: bool, inside: bool) -> None:
        """Also with the eye between the triangles, some of which extend behind it."""
        for seed in range(6):
            rng = np.random.default_rng(seed)
            n = 2 * seed
            points = rng.uniform(-1, 1, (3 * n, 3))
            triangles = np.arange(3 * n).reshape(-1, 3)
            normals = rng.normal(size=points.shape)
            normals /= np.linalg.norm(normals, axis=1, keepdims=True)
            told = normals if smooth else None
            values = rng.uniform(-0.2, 1.2, len(points)) if colored else None
            x, y, z = rng.uniform(-0.5, 0.5, 3) if inside else (2.0, 1.5, 2.5)
            camera = Camera((x, y, z), (0.05, -0.1, 0.02), fov=50, width=31, height=23)
            options = options_of(camera.view((0, 23, 0, 31)))
            rgba, depth = draw(self.engine, points, triangles, options, told, values)
            expected, distance, clear = cast(camera, points, triangles, told, values)
            assert clear.mean() > 0.9
            np.testing.assert_array_equal(np.isfinite(depth), rgba[..., 3] == 1)
            np.testing.assert_allclose(depth[clear], distance[clear], rtol=1e-5)
            # A normal nearly perpendicular to the ray may be lit from either side.
            assert (np.abs(rgba - expected)[clear].max(axis=-1) < 2e-3).mean() > 0.995

    def test_what_is_not_lit_has_the_colours_of_the_table(self) -> None:
        points = np.array([[-9.0, -9, 0], [9, -9, 0], [0, 9, 0]])
        tilted = np.tile([0.6, 0, 0.8], (3, 1))
        camera = Camera((0, 0, 5), (0, 0, 0), width=9, height=7)
        options = options_of(camera.view((0, 7, 0, 9)), lit=False)
        rgba, _ = draw(self.engine, points, [[0, 1, 2]], options, tilted, np.full(3, 8 / 31))
        expected = np.broadcast_to(table()[8, :3], (7, 9, 3))
        np.testing.assert_allclose(rgba[..., :3], expected, atol=1e-6)

    def count_hits(self, points: Floats, triangles: Any) -> Floats:
        """Number of triangles, drawn one by one, that cover each pixel; x, y are in pixels. All
        coordinates are small integers and halves, so there is no rounding."""
        n = 16
        view = View(
            eye=(0, 0, 0), forward=(0, 0, 1), right=(1, 0, 0), up=(0, 1, 0),
            size=(n, n), rectangle=(0, n, 0, n),
        )  # fmt: skip
        world = np.column_stack(
            (points[:, 0] * 2 / n - 1, 1 - points[:, 1] * 2 / n, np.ones(len(points)))
        )
        alphas = [draw(self.engine, world, [t], options_of(view))[0][..., 3] for t in triangles]
        return np.sum(alphas, axis=0)

    @pytest.mark.parametrize("turned", [False, True])
    @pytest.mark.parametrize("seed", range(20))
    def test_pixels_on_edges_belong_to_one_triangle(self, seed: int, turned: bool) -> None:
        """A fan that fills the image, with corners at centers and corners of pixels."""
        rng = np.random.default_rng(seed)
        rim = {(0.0, 0.0), (0.0, 16.0), (16.0, 0.0), (16.0, 16.0)}
        for side in range(4):
            at = float(rng.integers(0, 33) / 2)
            rim.add(((0.0, at), (16.0, at), (at, 0.0), (at, 16.0))[side])
        hub = rng.integers(1, 32, 2) / 2
        around = sorted(rim, key=lambda p: float(np.arctan2(p[1] - hub[1], p[0] - hub[0])))
        n = len(around)
        triangles = [[0, 1 + i, 1 + (i + 1) % n] for i in range(n)]
        if turned:  # the winding must not matter
            triangles = [t if i % 2 else t[::-1] for i, t in enumerate(triangles)]
        hits = self.count_hits(np.array([tuple(hub), *around]), triangles)
        np.testing.assert_array_equal(hits, 1)

    def test_a_pixel_on_a_left_or_top_edge_is_inside(self) -> None:
        square = np.array([[2.5, 3.5], [6.5, 3.5], [6.5, 9.5], [2.5, 9.5]])
        expected = np.zeros((16, 16))
        expected[3:9, 2:6] = 1
        hits = self.count_hits(square, [[0, 1, 2], [0, 2, 3]])
        np.testing.assert_array_equal(hits, expected)

    def test_what_is_nearer_hides_what_is_there(self) -> None:
        camera = Camera((0, 0, 5), (0, 0, 0), fov=40, width=12, height=10)
        view = camera.view((0, 10, 0, 12))
        square = np.array([[-9.0, -9, 0], [9, -9, 0], [9, 9, 0], [-9, 9, 0]])
        triangles = np.array([[0, 1, 2], [0, 2, 3]])
        rgba, depth = draw(self.engine, square, triangles, options_of(view, color=(1, 0, 0)))
        first = rgba.copy()
        nearer = np.array([0.0, 0.0, 1.0])
        behind, before = square - nearer, square + nearer
        green = options_of(view, color=(0, 1, 0))
        self.engine.rasterize(behind, triangles, None, None, green, rgba, depth)
        np.testing.assert_array_equal(rgba, first)
        self.engine.rasterize(before, triangles, None, None, green, rgba, depth)
        assert (rgba[..., 1] > rgba[..., 0]).all()
        assert depth.min() == pytest.approx(4.0, rel=0.02)

    def test_a_part_of_the_image(self) -> None:
        rng = np.random.default_rng(4)
        points, triangles = rng.uniform(-1, 1, (30, 3)), np.arange(30).reshape(-1, 3)
        camera = Camera((0, 0, 3), (0, 0, 0), fov=40, width=40, height=36)
        whole = draw(self.engine, points, triangles, options_of(camera.view((0, 36, 0, 40))))
        part = draw(self.engine, points, triangles, options_of(camera.view((5, 30, 11, 37))))
        for one, other in zip(part, whole, strict=True):
            np.testing.assert_array_equal(one, other[5:30, 11:37])

    def test_nothing_and_what_is_not_finite(self) -> None:
        camera = Camera((0, 0, 3), (0, 0, 0), width=20, height=20)
        options = options_of(camera.view((0, 20, 0, 20)))
        points = np.array([[-1, -1, 0], [1, -1, 0], [0, 1, np.nan], [0, 1, np.inf], [0, 0, 9.0]])
        for triangles in ([], [[0, 1, 2], [0, 1, 3], [4, 4, 4], [0, 1, 1]]):
            rgba, depth = draw(self.engine, points, triangles, options)
            assert not rgba.any() and np.isinf(depth).all()
        gap = points[[0, 1, 4]] * [1, 1, 0]
        shown, _ = draw(
            self.engine, gap, [[0, 1, 2]], replace(options, color=(1, 0, 0)),
            values=np.full(3, np.nan),
        )  # fmt: skip
        assert shown.any() and (shown[shown[..., 3] > 0][:, 0] > 0.25).all()

    def test_wrong_arrays_are_refused(self) -> None:
        camera = Camera((0, 0, 3), (0, 0, 0), width=20, height=20)
        options = options_of(camera.view((0, 20, 0, 20)))
        points = np.zeros((3, 3))
        with pytest.raises(ValueError, match="triangles: 3 is not one of 3 points"):
            draw(self.engine, points, [[0, 1, 3]], options)
        with pytest.raises(ValueError, match="values"):
            draw(self.engine, points, [[0, 1, 2]], options, values=np.zeros(4))
        with pytest.raises(ValueError, match="near"):
            draw(self.engine, points, [[0, 1, 2]], replace(options, near=0.0))
        with pytest.raises(ValueError, match="rectangle"):
            outside = replace(options.view, rectangle=(0, 21, 0, 20))
            draw(self.engine, points, [[0, 1, 2]], replace(options, view=outside))
