"""Pictures of networks by the emulated GPU, evaluated at every sample of a ray: those of the CPU,
which decodes the networks at the samples of their blocks, to 40 dB and more."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from insitu.engines import Engine, engine, registry, using
from insitu.engines.cuda.device import Memory
from insitu.engines.cuda.engine import CudaEngine
from insitu.engines.options import MarchOptions
from insitu.fields.model_field import ModelField
from insitu.metrics import psnr
from insitu.models.dense_grid.model import DenseGrid
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid
from insitu.render.camera import Camera
from insitu.render.volume.march import RenderBlock, march
from insitu.testing.marching import default_camera, nodes_of, options_of
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.train import train
from tests.support.blocks import blob, partition
from tests.support.cuda.emulated import EmulatedDevice
from tests.support.volumes import transfer_function

DEVICE = EmulatedDevice()
ENGINE = CudaEngine(DEVICE)
CELLS = (20, 22, 24)
FUNCTIONS = (
    lambda x, y, z: np.sin(4 * x + y) * np.cos(3 * z),
    lambda x, y, z: 0.5 + np.exp(-8 * ((x - 0.5) ** 2 + (y - 0.4) ** 2 + (z - 0.6) ** 2)),
)
MODELS = (HashGrid(log2_hashmap_size=10), DenseGrid(resolution=(7, 5, 2), n_outputs=2))


@cache
def fitted(which: int, association: str = "element") -> ModelField:
    """Trained on the CPU: one component with a hash grid, two with a dense grid."""
    block = partition(FUNCTIONS[: which + 1], CELLS, association=association, ghosts=0)
    options, target = TrainingOptions(n_min=400), Target(iterations=400)
    job = TrainingJob.of(block, MODELS[which], engine=engine("cpu"), options=options, target=target)
    return train(job)


def picture(by: Engine, field: ModelField, options: MarchOptions, nodes: Any = None) -> np.ndarray:
    origin, extent = field.zero, np.ptp(field.range, axis=1)
    cache = registry.drawing().brick_cache(2**22)
    bricks = by.bricks_of_model(
        field.model, field.params, origin, extent, field.cells,
        field.association == "vertex", cache,
    )  # fmt: skip
    return by.march(bricks, field.nodes if nodes is None else nodes, options)


def compared(field: ModelField, options: MarchOptions, nodes: Any = None) -> float:
    """PSNR of the two pictures, in dB."""
    expected = picture(engine("cpu"), field, options, nodes)
    assert expected[..., 3].max() > 0.3
    return float(psnr(picture(ENGINE, field, options, nodes), expected, 1.0))


def options_for(field: ModelField, size: tuple[int, int] = (36, 28), **changes: Any) -> Any:
    camera = default_camera(field.nodes, *size)
    low, high = (float(v) for v in field.range[0])
    return options_of(camera, field.nodes, **{"range": (low, high), **changes})


@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("flat", [None, 0.5])
def test_pictures_are_those_of_the_cpu(association: str, flat: float | None) -> None:
    field = fitted(0, association)
    assert compared(field, options_for(field, flat=flat)) > 40


@pytest.mark.parametrize("component", [0, 1, -1])
def test_components_and_magnitudes(component: int) -> None:
    field = fitted(1)
    limits = (0.0, 1.7) if component else (-1.0, 1.0)
    assert compared(field, options_for(field, component=component, range=limits)) > 40


@pytest.mark.parametrize("changes", [{"jitter": 3}, {"opaque": 0.4}, {"step": 0.2}])
def test_options(changes: dict[str, Any]) -> None:
    field = fitted(0)
    assert compared(field, options_for(field, **changes)) > 40


def test_uneven_spacing_and_an_eye_inside() -> None:
    field, nodes = fitted(0), nodes_of(CELLS, stretch=0.4)
    camera = Camera((0.1, 0.2, 0.3), (0.9, 0.3, 0.1), fov=70, width=30, height=24)
    low, high = (float(v) for v in field.range[0])
    options = options_of(camera, nodes, range=(low, high))
    assert compared(field, options, nodes) > 40
    assert compared(field, replace(options, flat=0.5), nodes) > 40


def test_rays_end_at_a_surface() -> None:
    field = fitted(0)
    options = options_for(field)
    shape = (options.view.size[1], options.view.size[0])
    depth = np.full(shape, np.inf, np.float32)
    depth[8:20, 10:26] = 2.0
    rgba = np.where(np.isfinite(depth)[..., None], np.float32([0.2, 0.5, 0.1, 0.6]), np.float32(0))
    options = replace(options, surface=(rgba, depth))
    assert compared(field, options) > 40


def test_a_part_of_the_picture_is_the_same() -> None:
    field = fitted(0)
    options = options_for(field)
    whole = picture(ENGINE, field, options)
    part = replace(options, view=replace(options.view, rectangle=(5, 19, 7, 30)))
    np.testing.assert_array_equal(picture(ENGINE, field, part), whole[5:19, 7:30])
    nothing = replace(options, view=replace(options.view, rectangle=(3, 3, 2, 9)))
    assert picture(ENGINE, field, nothing).shape == (0, 7, 4)


def test_every_sample_belongs_to_one_of_two_blocks() -> None:
    """Without absorption, the opacities of the halves of a domain add up to that of the whole."""
    field = fitted(0)
    table = np.full((2, 4), 1e-4, np.float32)
    options = options_for(field, table=table)
    x, y, z = field.nodes
    whole = picture(ENGINE, field, options)[..., 3]
    # The same model in each half: only how many samples each has is compared.
    middle = 11
    halves = [
        _stretched(field, (x[:middle], y, z), options),
        _stretched(field, (x[middle - 1 :], y, z), options),
    ]
    np.testing.assert_allclose(sum(halves), whole, atol=1e-5)


def _stretched(field: ModelField, nodes: Any, options: MarchOptions) -> np.ndarray:
    """Opacity of a block with other grid lines."""
    cells = tuple(len(axis) - 1 for axis in reversed(nodes))
    cache = registry.drawing().brick_cache(2**22)
    bricks = ENGINE.bricks_of_model(
        field.model, field.params, field.zero, np.ptp(field.range, axis=1), cells, False, cache
    )
    return ENGINE.march(bricks, nodes, options)[..., 3]


class Limited(EmulatedDevice):
    """Adds up all memory that is ever allocated."""

    total = 0

    def allocate(self, nbytes: int) -> Memory:
        self.total += nbytes
        return super().allocate(nbytes)


def test_no_block_is_decoded() -> None:
    """All memory that a picture takes is less than a fifth of the block's."""
    field, device, cells = fitted(0), Limited(), (96, 96, 96)
    nodes = nodes_of(cells)
    options = options_of(default_camera(nodes, 24, 18), nodes)
    bricks = CudaEngine(device).bricks_of_model(
        field.model, field.params, field.zero, np.ones(1), cells, False,
        registry.drawing().brick_cache(2**20),
    )  # fmt: skip
    assert CudaEngine(device).march(bricks, nodes, options)[..., 3].max() > 0
    assert bricks.total == 0
    assert device.total < 4 * np.prod(cells) / 5


# ---- as a session draws


def drawn(field: Any) -> np.ndarray:
    block = RenderBlock.of(field)
    camera = Camera.default(block.bounds, 24, 18)
    layer = march(block, camera, transfer_function(), bounds=block.bounds, step=0.05)
    return layer.rgba


def test_blocks_are_marched_by_the_engine_that_can() -> None:
    """Networks by the GPU, all others by the CPU."""
    field = fitted(0)
    sparse = train(
        TrainingJob.of(partition(blob, CELLS, ghosts=0), SparseGrid(), target=Target(psnr=40.0))
    )
    before = len(DEVICE.downloads)
    with using(ENGINE):
        pictures = [drawn(field), drawn(sparse)]
        assert DEVICE.downloads[before:] == [pictures[0].nbytes]
    with using(engine("cpu")):
        for found, one in zip(pictures, (field, sparse), strict=True):
            assert psnr(found, drawn(one), 1.0) > 40


def test_what_is_not_its_own_is_refused() -> None:
    field = fitted(0)
    cpu = engine("cpu")
    cache = cpu.brick_cache(2**20)
    bricks = cpu.bricks_of_model(
        field.model, field.params, field.zero, np.ones(1), field.cells, False, cache
    )
    with pytest.raises(TypeError, match="not of the engine cuda"):
        ENGINE.march(bricks, field.nodes, options_for(field))
    with pytest.raises(ValueError, match="through networks only"):
        ENGINE.bricks_of_model(None, field.params, field.zero, np.ones(1), CELLS, False, cache)
    with pytest.raises(ValueError, match="step: must be positive"):
        picture(ENGINE, field, options_for(field, step=0.0))
    assert not ENGINE.marches(SparseGrid(shape=(4, 4, 4)))
