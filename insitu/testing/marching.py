"""Tests of bricks and of the ray marcher.

In: an engine that can render. Out: whether its images agree with the reference, and with known
images of simple media.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from insitu.core.arrays import Floats
from insitu.engines.base import Bricks, Engine
from insitu.engines.lattice import lattice
from insitu.engines.options import MarchOptions
from insitu.models.base import Model
from insitu.render.camera import Camera, triple
from insitu.testing import cases
from insitu.testing.cases import Singles
from insitu.testing.suite import EngineSuite

CELLS = (10, 12, 14)  # nz, ny, nx
CACHE = 2**22

Nodes = tuple[Floats, Floats, Floats]


def volume(shape: tuple[int, ...] = CELLS) -> Singles:
    """A smooth scalar in -0.2..1 with structure in all directions, (nz, ny, nx)."""
    z, y, x = np.meshgrid(*((np.arange(n) + 0.5) / n for n in shape), indexing="ij")
    ring = np.exp(-((np.hypot(x - 0.5, z - 0.5) - 0.3) ** 2 + (y - 0.4) ** 2) / 0.05)
    return (0.8 * ring + 0.2 * np.sin(7 * x) * np.cos(5 * y + 3 * z) ** 2).astype(np.float32)


def nodes_of(cells: tuple[int, int, int] = CELLS, stretch: float = 0.0) -> Nodes:
    """x, y, z; the spacing varies by the fraction `stretch`."""
    axes = [np.linspace(0, 1, n + 1) for n in cells[::-1]]
    x, y, z = (
        (1 + 0.1 * a) * (u + stretch * np.sin(np.pi * u) / np.pi) - 0.3 for a, u in enumerate(axes)
    )
    return x, y, z


def corners_of(nodes: Nodes) -> tuple[Floats, Floats]:
    return np.array([n[0] for n in nodes]), np.array([n[-1] for n in nodes])


def options_of(camera: Camera, nodes: Nodes, **changes: Any) -> MarchOptions:
    """Options for the whole image, with colors that depend on the value."""
    rows = np.linspace(0, 1, 64)
    table = np.stack((rows, 1 - rows, 0.5 + 0 * rows, 0.3 * rows), axis=1).astype(np.float32)
    lo, hi = corners_of(nodes)
    plain = MarchOptions(
        view=camera.view((0, camera.height, 0, camera.width)),
        domain=(triple(lo), triple(hi)),
        table=table,
        range=(0.0, 1.0),
        step=0.053,
        component=0,
        opaque=1.0,
    )
    return replace(plain, **changes)


def sampler_bricks(engine: Engine, arrays: tuple[Singles, ...], vertex: bool = False) -> Bricks:
    nz, ny, nx = (n - vertex for n in arrays[0].shape)
    sampler = engine.sampler(arrays, cases.NO_GHOSTS, (nz, ny, nx), vertex)
    return engine.bricks_of_sampler(sampler, engine.brick_cache(CACHE))


def default_camera(nodes: Nodes, width: int = 41, height: int = 35) -> Camera:
    return Camera.default(corners_of(nodes), width, height)


class MarchingTests(EngineSuite):
    def same_picture(
        self, arrays: tuple[Singles, ...], nodes: Nodes, options: MarchOptions
    ) -> Singles:
        """The engine's image, after checking that it agrees with the reference."""
        vertex = arrays[0].shape[0] == len(nodes[2])
        got, expected = (
            engine.march(sampler_bricks(engine, arrays, vertex), nodes, options)
            for engine in (self.engine, self.reference)
        )
        assert got.dtype == np.float32
        assert expected[..., 3].max() > 0.1
        np.testing.assert_allclose(got, expected, atol=5e-5)
        return got

    @pytest.mark.parametrize("vertex", [False, True])
    @pytest.mark.parametrize("stretch", [0.0, 0.4])
    @pytest.mark.parametrize("place", ["outside", "inside", "grazing"])
    def test_march(self, vertex: bool, stretch: float, place: str) -> None:
        nodes = nodes_of(stretch=stretch)
        shape = tuple(n + vertex for n in CELLS)
        camera = {
            "outside": default_camera(nodes),
            "inside": Camera((0.1, 0.2, 0.3), (0.9, 0.3, 0.1), fov=70, width=41, height=35),
            "grazing": Camera((-3.0, 0.1, 0.21), (0.0, 0.1, 0.21), width=41, height=35),
        }[place]
        self.same_picture((volume(shape),), nodes, options_of(camera, nodes))

    @pytest.mark.parametrize("component", [0, 2, -1])
    def test_components_and_magnitudes(self, component: int) -> None:
        nodes, x = nodes_of(), volume()
        options = options_of(default_camera(nodes), nodes, component=component)
        self.same_picture((x, -x[::-1], x[:, ::-1]), nodes, options)

    @pytest.mark.parametrize("vertex", [False, True])
    @pytest.mark.parametrize("stretch", [0.0, 0.4])
    def test_shading(self, vertex: bool, stretch: float) -> None:
        nodes = nodes_of(stretch=stretch)
        arrays = (volume(tuple(n + vertex for n in CELLS)),)
        options = options_of(default_camera(nodes), nodes)
        plain = self.same_picture(arrays, nodes, options)
        shaded = self.same_picture(arrays, nodes, replace(options, flat=0.5))
        assert np.abs(plain - shaded).max() > 0.05

    def test_jitter(self) -> None:
        nodes = nodes_of()
        options = options_of(default_camera(nodes), nodes)
        frames = [
            self.same_picture((volume(),), nodes, replace(options, jitter=frame))
            for frame in (-1, 0, 1)
        ]
        assert not np.array_equal(frames[0], frames[1])
        assert not np.array_equal(frames[1], frames[2])

    def test_rays_end_at_a_surface(self) -> None:
        nodes = nodes_of()
        camera = default_camera(nodes)
        depth = np.full((camera.height, camera.width), np.inf, np.float32)
        middle = float(np.linalg.norm(np.subtract(camera.position, camera.look_at)))
        depth[10:22, 12:30] = middle + np.linspace(-0.3, 0.3, 18, dtype=np.float32)
        color = np.array([0.2, 0.5, 0.1, 0.6], np.float32)
        rgba = np.where(np.isfinite(depth)[..., None], color, np.float32(0))
        options = options_of(camera, nodes)
        with_surface = replace(options, surface=(rgba, depth))
        plain = self.same_picture((volume(),), nodes, options)
        ended = self.same_picture((volume(),), nodes, with_surface)
        assert np.abs(plain - ended)[10:22, 12:30].max() > 0.1
        wrong = replace(options, surface=(rgba[:5], depth[:5]))
        with pytest.raises(ValueError, match="surface"):
            self.engine.march(sampler_bricks(self.engine, (volume(),)), nodes, wrong)

    def test_rays_end_where_nothing_shows_through(self) -> None:
        nodes = nodes_of()
        table = np.tile(np.array([0.2, 0.6, 1.0, 0.25], np.float32), (2, 1))
        options = options_of(default_camera(nodes), nodes, table=table)
        exact = self.same_picture((volume(),), nodes, options)
        early = self.same_picture((volume(),), nodes, replace(options, opaque=0.8))
        assert 0 < np.abs(exact - early).max() <= 0.2

    def test_a_part_of_the_image(self) -> None:
        nodes = nodes_of()
        camera = default_camera(nodes)
        options = options_of(camera, nodes)
        bricks = sampler_bricks(self.engine, (volume(),))
        whole = self.engine.march(bricks, nodes, options)
        part = self.engine.march(bricks, nodes, replace(options, view=camera.view((7, 20, 9, 31))))
        np.testing.assert_allclose(part, whole[7:20, 9:31], atol=1e-6)
        nothing = replace(options, view=camera.view((5, 5, 0, 0)))
        assert self.engine.march(bricks, nodes, nothing).shape == (0, 0, 4)

    def test_a_constant_medium_is_as_opaque_as_it_is_thick(self) -> None:
        nodes = (np.linspace(0, 1, 5),) * 3
        camera = Camera((0.5, 0.5, 9.0), (0.5, 0.5, 0.0), fov=2.0, width=9, height=9)
        bricks = sampler_bricks(self.engine, (np.full((4, 4, 4), 0.5, np.float32),))
        for step in (0.0125, 0.004):
            alpha = 1 - (1 - 0.3) ** (step / 0.4)
            table = np.tile(np.array([0.2, 0.6, 1.0, alpha], np.float32), (2, 1))
            options = options_of(camera, nodes, table=table, step=step)
            total = 1 - (1 - 0.3) ** (1 / 0.4)
            np.testing.assert_allclose(
                self.engine.march(bricks, nodes, options)[4, 4],
                total * np.array([0.2, 0.6, 1.0, 1.0]),
                rtol=1e-4,
            )

    def test_two_blocks_take_exactly_the_samples_of_one(self) -> None:
        """With opacities small enough to be additive."""
        nodes = nodes_of()
        thin = np.tile(np.array([1, 1, 1, 1e-6], np.float32), (2, 1))
        options = options_of(default_camera(nodes), nodes, table=thin, opaque=2.0)
        ones = np.ones(CELLS, np.float32)
        whole = self.engine.march(sampler_bricks(self.engine, (ones,)), nodes, options)
        x, y, z = nodes
        parts = []
        for low, high in ((0, 6), (6, 14)):
            bricks = sampler_bricks(self.engine, (ones[:, :, low:high],))
            parts.append(self.engine.march(bricks, (x[low : high + 1], y, z), options))
        np.testing.assert_array_equal(
            np.rint(1e6 * sum(part[..., 3].astype(float) for part in parts)),
            np.rint(1e6 * whole[..., 3].astype(float)),
        )

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_values_that_are_not_finite_are_transparent(self, bad: float) -> None:
        nodes, holes = nodes_of(), volume()
        holes[:, :, 7:] = bad
        options = options_of(default_camera(nodes), nodes)
        picture = self.same_picture((holes,), nodes, options)
        whole = self.engine.march(sampler_bricks(self.engine, (volume(),)), nodes, options)
        assert 0 < picture[..., 3].sum() < whole[..., 3].sum()

    def test_ghost_layers_continue_a_block_beyond_its_faces(self) -> None:
        nodes, values = nodes_of(), volume()
        x, y, z = nodes
        options = options_of(default_camera(nodes), nodes)
        pictures = []
        for engine in (self.engine, self.reference):
            sampler = engine.sampler(
                (values[:, :, :8],), ((0, 0), (0, 0), (0, 1)), (*CELLS[:2], 7), False
            )
            bricks = engine.bricks_of_sampler(sampler, engine.brick_cache(CACHE))
            pictures.append(engine.march(bricks, (x[:8], y, z), options))
        np.testing.assert_allclose(pictures[0], pictures[1], atol=5e-5)

    @pytest.mark.parametrize("vertex", [False, True])
    @pytest.mark.parametrize("component", [0, -1])
    def test_bricks_of_a_model(self, model: Model, vertex: bool, component: int) -> None:
        """Equal to the bricks of its values, read through Python."""
        nodes, params = nodes_of(), cases.parameters(model)
        n = model.n_outputs
        origin, extent = np.linspace(0.1, 0.3, n), np.linspace(0.4, 0.8, n)
        options = options_of(default_camera(nodes), nodes, component=component)

        def read(low: list[int], high: list[int], component: int) -> Floats:
            axes = [lattice(n, vertex)[a:b] for n, a, b in zip(CELLS[::-1], low, high, strict=True)]
            z, y, x = np.meshgrid(*axes[::-1], indexing="ij")
            points = np.stack((x, y, z), axis=-1).reshape(-1, 3).astype(np.float32)
            values = origin + extent * model.evaluate(params.astype(np.float64), points)
            one = np.linalg.norm(values, axis=1) if component < 0 else values[:, component]
            return np.asarray(one.reshape(x.shape), np.float32)

        engine, cache = self.engine, self.engine.brick_cache(CACHE)
        bricks = engine.bricks_of_model(model, params, origin, extent, CELLS, vertex, cache)
        assert bricks.components == n and bricks.total == 1
        through_python = engine.bricks_of_function(read, n, CELLS, vertex, cache)
        got = engine.march(bricks, nodes, options)
        assert got[..., 3].max() > 0.1
        np.testing.assert_allclose(got, engine.march(through_python, nodes, options), atol=5e-4)
        expected = self.reference.march(
            self.reference.bricks_of_function(
                read, n, CELLS, vertex, self.reference.brick_cache(CACHE)
            ),
            nodes,
            options,
        )
        np.testing.assert_allclose(got, expected, atol=5e-4)

    def test_bricks_of_a_constant(self) -> None:
        nodes, nothing = nodes_of(), np.zeros(0, np.float32)
        options = options_of(default_camera(nodes), nodes, component=-1)
        origin = np.array([0.3, 0.4])
        pictures = []
        for engine in (self.engine, self.reference):
            bricks = engine.bricks_of_model(
                None, nothing, origin, np.zeros(2), CELLS, False, engine.brick_cache(CACHE)
            )
            assert bricks.components == 2
            pictures.append(engine.march(bricks, nodes, options))
        assert pictures[0][..., 3].max() > 0.5
        np.testing.assert_allclose(pictures[0], pictures[1], atol=5e-5)

    def test_bricks_are_decoded_once_within_their_cache(self) -> None:
        cells = (30, 40, 50)  # 1 x 2 x 2 bricks
        nodes = nodes_of(cells)
        sampler = self.engine.sampler((volume(cells),), cases.NO_GHOSTS, cells, False)
        cache = self.engine.brick_cache(2**24)
        bricks = self.engine.bricks_of_sampler(sampler, cache)
        assert bricks.total == 4
        options = options_of(default_camera(nodes), nodes, step=0.2)
        first = self.engine.march(bricks, nodes, options)
        assert cache.decoded == 4
        np.testing.assert_array_equal(self.engine.march(bricks, nodes, options), first)
        assert cache.decoded == 4
        assert 0 < cache.used <= cache.peak <= cache.limit == 2**24
        del bricks
        assert cache.used == 0
        tight = self.engine.brick_cache(cache.peak // 3)
        bricks = self.engine.bricks_of_sampler(sampler, tight)
        np.testing.assert_array_equal(self.engine.march(bricks, nodes, options), first)
        assert 0 < tight.used <= tight.peak <= tight.limit
        with pytest.raises(ValueError, match="hold no brick"):
            bricks = self.engine.bricks_of_sampler(sampler, self.engine.brick_cache(1000))
            self.engine.march(bricks, nodes, options)

    def test_an_error_of_the_function_is_the_caller_s(self) -> None:
        nodes = nodes_of()
        options = options_of(default_camera(nodes), nodes)

        def broken(low: list[int], high: list[int], component: int) -> Floats:
            raise RuntimeError("no values today")

        def wrong(low: list[int], high: list[int], component: int) -> Floats:
            return np.zeros((1, 2, 3))

        for read, error, message in (
            (broken, RuntimeError, "no values today"),
            (wrong, ValueError, "another shape"),
        ):
            bricks = self.engine.bricks_of_function(
                read, 1, CELLS, False, self.engine.brick_cache(CACHE)
            )
            with pytest.raises(error, match=message):
                self.engine.march(bricks, nodes, options)

    def test_wrong_views_are_refused(self) -> None:
        nodes = nodes_of()
        camera = default_camera(nodes)
        bricks = sampler_bricks(self.engine, (volume(),))
        good = options_of(camera, nodes)
        x, y, z = nodes
        for change, message in (
            ({"step": 1e-6}, "65000 samples"),
            ({"step": 0.0}, "step"),
            ({"component": 1}, "component"),
            ({"component": -2}, "component"),
            ({"range": (1.0, 0.0)}, "range"),
            ({"table": np.zeros((1, 4), np.float32)}, "table"),
            ({"view": replace(good.view, rectangle=(0, 99, 0, 9))}, "rectangle"),
        ):
            with pytest.raises(ValueError, match=message):
                self.engine.march(bricks, nodes, replace(good, **change))
        with pytest.raises(ValueError, match="nodes must increase"):
            self.engine.march(bricks, (x, y[::-1].copy(), z), good)
        with pytest.raises(ValueError, match="expected nodes of shape"):
            self.engine.march(bricks, (x[:-1], y, z), good)
