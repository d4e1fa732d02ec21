"""Bricks: which are decoded, what they hold, and that they stay within their cache."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.engines.lattice import lattice
from insitu.fields.raw_block import RawBlock
from insitu.fields.sampled_block import SampledBlock
from insitu.metrics import psnr
from insitu.models.hash_grid.model import HashGrid
from insitu.render.camera import Camera
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.volume import bricks
from insitu.render.volume.march import RenderBlock, march
from insitu.training.bricks import compress_bricks
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange
from insitu.training.train import train
from tests.support.blocks import blob, local_ranges, partition, swirl
from tests.support.volumes import nodes_of, raw_block, transfer_function, volume

CELLS = (40, 70, 90)  # 2 x 2 x 3 bricks


@pytest.fixture(autouse=True)
def own_cache() -> Iterator[None]:
    """A cache that no other test has filled."""
    with bricks.BrickCache(bricks.DEFAULT_CACHE_NBYTES).in_use():
        yield


def trained(functions: object, **options: object) -> SampledBlock:
    part = partition(functions, (40, 36, 44), **options)
    whole = GlobalRange(part.n_voxels, local_ranges({"f": [part]})["f"].range)
    return train(
        TrainingJob.of(
            part,
            HashGrid(log2_hashmap_size=12),
            options=TrainingOptions(n_min=300),
            target=Target(),
            whole=whole,
        )
    )


@dataclass
class Derived:
    """Some field of another's, known by its `on_grid` alone; `finer`: on so many cells for one."""

    of: SampledBlock
    finer: int = 1

    @property
    def cells(self) -> tuple[int, int, int]:
        return tuple(n * self.finer for n in self.of.cells)

    @property
    def nodes(self) -> tuple:
        return tuple(
            np.interp(
                np.linspace(0, 1, (n.size - 1) * self.finer + 1), np.linspace(0, 1, n.size), n
            )
            for n in self.of.nodes
        )

    @property
    def association(self) -> str:
        return self.of.association

    @property
    def n_components(self) -> int:
        return self.of.n_components

    def on_grid(self, xs: np.ndarray, ys: np.ndarray, zs: np.ndarray) -> np.ndarray:
        return self.of.on_grid(xs, ys, zs)


def ramp(alphas: list[tuple[float, float]], domain: tuple[float, float]) -> TransferFunction:
    points = [{"type": "alpha", "position": p, "alpha": a} for p, a in alphas]
    return TransferFunction.from_ascent({"control_points": points}, domain)


def picture(field: SampledBlock, function: TransferFunction, **options: object) -> np.ndarray:
    block = RenderBlock.of(field)
    camera = Camera.default(block.bounds, 120, 110)
    options = {"bounds": block.bounds, "step": 1 / 44, **options}
    return march(block, camera, function, **options).rgba


@pytest.mark.parametrize("association", ["element", "vertex"])
def test_a_network_looks_as_if_evaluated_at_every_sample(association: str) -> None:
    """Against a lattice four times as fine, which is as good as that."""
    field = trained(blob, association=association)
    function = ramp([(0, 0), (0.4, 0), (1, 0.9)], tuple(field.range[0]))
    seen = picture(field, function)
    assert seen[..., 3].max() > 0.5
    assert psnr(seen, picture(Derived(field, 4), function), 1.0) > 45


@pytest.mark.parametrize("component", [None, 0, 2])
def test_networks_are_decoded_by_the_engine_as_by_on_grid(component: int | None) -> None:
    field = trained([blob, swirl, blob])
    options = {"bounds": RenderBlock.of(field).bounds, "step": 0.03}
    function = transfer_function()
    camera = Camera.default(options["bounds"], 60, 60)
    seen = march(RenderBlock.of(field), camera, function, component=component, **options).rgba
    derived = Derived(field)
    through_python = march(
        RenderBlock.of(derived), camera, function, component=component, **options
    )
    np.testing.assert_allclose(seen, through_python.rgba, atol=1e-5)


@pytest.mark.parametrize("codec", ["inr", "sz3"])
@pytest.mark.parametrize("association", ["element", "vertex"])
def test_bricks_of_every_kind_of_block(
    codec: str, association: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Residuals and compressed bricks, with a hole, as the NumPy engine draws them."""
    part = partition(blob, (20, 18, 22), association=association)
    holes = part.components[0].copy()
    holes[5:9, 4:12, 6:10] = np.nan
    part = replace(part, components=(holes,))
    whole = GlobalRange(part.n_voxels, local_ranges({"f": [part]})["f"].range)
    target = Target(max_error=1e-3)
    field: SampledBlock
    if codec == "sz3":
        field = compress_bricks(TrainingJob.of(part, HashGrid(), target=target, whole=whole), codec)
    else:
        options = TrainingOptions(n_min=50, epochs=1)
        field = train(
            TrainingJob.of(
                part, HashGrid(log2_hashmap_size=8), options=options, target=target, whole=whole
            )
        )
        assert field.residual is not None
    block = RenderBlock.of(field)
    camera = Camera.default(block.bounds, 50, 50)
    options = {"bounds": block.bounds, "step": 0.04, "opaque": 1.0}
    rgba = march(block, camera, transfer_function(), **options).rgba
    monkeypatch.setenv("INSITU_ENGINE", "numpy")
    expected = march(RenderBlock.of(field), camera, transfer_function(), **options).rgba
    np.testing.assert_allclose(rgba, expected, atol=1e-4)
    axes = (lattice(n, association == "vertex") for n in field.cells[::-1])
    assert np.isnan(field.on_grid(*axes)).any()


def test_bricks_take_no_more_than_their_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {
        shading: picture(raw(), transfer_function(), shading=shading) for shading in (False, True)
    }
    one = 37**3 * 4
    for threads in (1, 3):
        monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
        for limit in (one * 5 // 4, 3 * one, 64 * 2**20):
            for shading in (False, True):
                own, field = bricks.BrickCache(limit), raw()
                for _ in range(2):
                    with own.in_use():
                        seen = picture(field, transfer_function(), shading=shading)
                    np.testing.assert_array_equal(seen, expected[shading])
                cache = own.native
                assert 0 < cache.used <= cache.peak <= limit
                # Twelve bricks: each once, and once more for the second picture.
                assert cache.decoded == (12 if limit > 12 * one else 24)


def raw() -> RawBlock:
    return raw_block(volume(CELLS), nodes_of(CELLS)).field


def test_a_cache_that_holds_no_brick_is_refused() -> None:
    with (
        bricks.BrickCache(1000).in_use(),
        pytest.raises(ValueError, match="hold no brick"),
    ):
        picture(raw(), transfer_function())
    with pytest.raises(ValueError, match="positive"):
        bricks.BrickCache(0)


def test_what_does_not_show_is_decoded_once_to_know_it() -> None:
    field, own = raw(), bricks.BrickCache(37**3 * 5)  # a brick and no more
    thin = ramp([(0, 0), (0.75, 0), (0.76, 0.5), (0.77, 0), (1, 0)], (0.0, 1.0))
    cache = own.native
    with own.in_use():
        first = picture(field, thin)
        assert cache.decoded == 12
        np.testing.assert_array_equal(picture(field, thin), first)
        assert 12 < cache.decoded < 20  # the bricks around the ring of that value
        seen = cache.decoded
        nothing = picture(field, ramp([(0, 0), (1, 0)], (0.0, 1.0)))
        assert cache.decoded == seen
    assert not nothing.any()


def test_a_cache_leaves_those_of_others_alone() -> None:
    """Each holds bricks of its own, of the same field too, and neither drops the other's."""
    field, caches = raw(), [bricks.BrickCache(64 * 2**20) for _ in range(2)]
    for _ in range(2):
        for cache in caches:
            with cache.in_use():
                picture(field, transfer_function())
    assert [cache.native.decoded for cache in caches] == [12, 12]  # each brick once
    assert bricks.brick_cache().native.decoded == 0


def test_hidden_bricks_are_not_decoded() -> None:
    values = np.ones(CELLS, np.float32)
    solid = ramp([(0, 0.99), (1, 0.99)], (0.0, 1.0))
    solid = TransferFunction(solid.domain, solid.table, reference=0.01)
    field = raw_block(values, nodes_of(CELLS)).field
    block = RenderBlock.of(field)
    camera = Camera((0.2, 0.25, -9.0), (0.2, 0.25, 0.3), fov=2, width=64, height=64)
    march(block, camera, solid, bounds=block.bounds, step=0.01)
    assert 0 < bricks.brick_cache().native.decoded <= 6  # of two layers, the front one


@settings(max_examples=30, deadline=None)
@given(low=st.floats(0, 1), width=st.floats(0.001, 0.3), seed=st.integers(0, 99))
def test_skipping_changes_nothing(low: float, width: float, seed: int) -> None:
    """A second function that shows everything a hair decodes and samples all bricks."""
    rng = np.random.default_rng(seed)
    values = volume((20, 40, 41)) + 0.05 * rng.standard_normal((20, 40, 41)).astype(np.float32)
    field = raw_block(values, nodes_of(values.shape)).field
    rows = np.linspace(0, 1, 1024)
    shown = (rows >= low) & (rows <= low + width)
    table = np.column_stack([rows, 1 - rows, 0.5 * np.ones(1024), np.where(shown, 0.4, 0.0)])
    thin = TransferFunction((0.0, 1.0), table, reference=0.03)
    table[:, 3] += 1e-12
    hair = TransferFunction((0.0, 1.0), np.minimum(table, 1), reference=0.03)
    np.testing.assert_allclose(picture(field, thin), picture(field, hair), atol=1e-6)


def test_bricks_do_not_keep_their_block() -> None:
    for make in (raw, lambda: Derived(raw())):
        field = make()
        picture(field, transfer_function())
        gone = weakref.ref(field)
        del field
        gc.collect()
        assert gone() is None
    assert not bricks.brick_cache()._known


def test_an_error_in_a_block_is_the_caller_s() -> None:
    class Broken(Derived):
        def on_grid(self, *axes: np.ndarray) -> np.ndarray:
            raise RuntimeError("no values today")

    with pytest.raises(RuntimeError, match="no values today"):
        picture(Broken(raw()), transfer_function())


def test_a_single_bright_point_is_found_wherever_it_is() -> None:
    nodes = (np.linspace(0, 1, 41),) * 3
    camera = Camera.default((np.zeros(3), np.ones(3)), 96, 96)
    only = ramp([(0, 0), (0.05, 0), (0.1, 1), (1, 1)], (0.0, 1.0))
    for place in np.random.default_rng(5).integers(0, 40, (12, 3)):
        spike = np.zeros((40, 40, 40), np.float32)
        spike[tuple(place)] = 1.0
        block = raw_block(spike, nodes)
        for _ in range(2):  # ranges unknown, then known
            layer = march(block, camera, only, bounds=block.bounds, step=0.01)
            assert layer.rgba[..., 3].max() > 0.01
