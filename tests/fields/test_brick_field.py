"""Fields in bricks, and networks with a residual: the same functions behind the same door."""

import numpy as np
import pytest

from insitu.codecs.frame import FrameError, pack, unpack
from insitu.fields.block_field import BlockField
from insitu.fields.brick_field import BrickField
from insitu.fields.distributed_field import DistributedField
from insitu.fields.model_field import ModelField
from insitu.fields.read import read_field
from insitu.models.hash_grid.model import HashGrid
from insitu.training.bricks import compress_bricks
from insitu.training.job import TrainingJob
from insitu.training.options import Relative, Target
from insitu.training.ranges import grid_sampler
from tests.support.blocks import blob, local_ranges, partition, split, swirl
from tests.support.fitting import fit

BOX = ((-1, 1), (0, 2), (3, 4))
CODECS = ("sz3", "zfp", "sperr")


def bricks(block: object, codec: str = "sz3", **target: object) -> BrickField:
    whole = local_ranges({"f": [block]})["f"]
    ends = target or {"max_error": Relative(rel=1e-4)}
    return compress_bricks(
        TrainingJob.of(block, HashGrid(), target=Target(**ends), whole=whole, cycle=7, time=0.5),
        codec,
    )


def corrected(block: object, rel: float = 1e-4) -> ModelField:
    field = fit(block, max_error=Relative(rel=rel), n_min=50, epochs=1)
    assert field.residual is not None
    return field


def make(kind: str, block: object) -> BlockField:
    return corrected(block) if kind == "inr" else bricks(block, kind)


@pytest.mark.parametrize("kind", ["inr", *CODECS])
@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_the_block(kind: str, association: str, dtype: type) -> None:
    block = partition([blob, swirl], box=BOX, association=association, dtype=dtype)
    field = make(kind, block)
    again = read_field(field.to_bytes())
    assert type(again) is type(field) and again.codec == kind
    assert again.to_bytes() == field.to_bytes() and again.metrics == field.metrics
    decoded = again.decode()
    assert decoded.dtype == dtype and decoded.shape == (*block.shape, 2)
    for c, raw in enumerate(block.owned):
        bound = 1e-4 * np.ptp(raw)
        assert np.abs(decoded[..., c].astype(float) - raw).max() <= bound
        assert field.metrics.max_error <= 1e-4 * max(np.ptp(raw) for raw in block.owned)
    # At the samples themselves it is what decoding gives; between them it is trilinear, too.
    lines = [
        (nodes if association == "vertex" else (nodes[1:] + nodes[:-1]) / 2)
        for nodes in block.nodes
    ]
    z, y, x = np.meshgrid(*reversed(lines), indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    np.testing.assert_allclose(again(points), decoded.reshape(-1, 2), atol=2e-5)
    assert np.isnan(again(np.array([[9.0, 9.0, 9.0]]))).all()


@pytest.mark.parametrize("kind", ["inr", "sz3"])
def test_gradient_is_the_derivative(kind: str) -> None:
    field = make(kind, partition(blob, box=BOX, dtype=np.float64))
    rng = np.random.default_rng(0)
    points = rng.uniform([-0.9, 0.1, 3.05], [0.9, 1.9, 3.95], (200, 3))

    for axis in range(3):
        shift = np.eye(3)[axis] * 1e-5
        slope = (field(points + shift) - field(points - shift)) / 2e-5
        close = np.abs(field.gradient(points)[:, axis] - slope) < 1e-4 + 1e-3 * np.abs(slope)
        assert close.mean() > 0.98  # elsewhere a cell ends within the step


def test_between_samples_bricks_are_what_the_raw_block_is() -> None:
    """Ghosts included: up to the faces, and the same from both sides of one."""
    left, right = split(blob, (12, 16, 40), (1, 1, 2), dtype=np.float64)
    unit = np.random.default_rng(0).uniform(size=(300, 3)).astype(np.float32)
    field = bricks(left)
    raw = grid_sampler(left).sample(unit)
    np.testing.assert_allclose(field._values(unit.astype(float)), raw, atol=2e-4)
    low, high = field.bounds
    np.testing.assert_allclose(field(low + unit * (high - low)), raw[:, 0], atol=2e-4)
    face = np.column_stack([np.full(50, 0.5), *np.random.default_rng(1).uniform(size=(2, 50))])
    np.testing.assert_allclose(field(face), bricks(right)(face), atol=4e-4)


@pytest.mark.parametrize("association", ["element", "vertex"])
def test_a_corrected_network_looks_as_it_reads(association: str) -> None:
    """On grids, as the renderer reads it, and at points: the same function, up to the faces."""
    block = partition([blob, swirl], association=association)
    field = corrected(block)
    axes = [field._unit_samples(n) for n in block.shape]
    seen = field.on_grid(*axes[::-1])
    np.testing.assert_allclose(seen, field.decode(), atol=1e-5)
    for axis in range(3):
        for side in (0.0, 1.0):
            face = [np.array([side]) if a == axis else u for a, u in enumerate(axes)]
            z, y, x = np.meshgrid(*face, indexing="ij")
            points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
            expected = field(points)  # the unit cube is the box here
            found = field.on_grid(*face[::-1]).reshape(-1, 2)
            np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("kind", ["inr", "sz3"])
def test_other_resolutions(kind: str) -> None:
    field = make(kind, partition(blob))
    finer = field.decode((32, 36, 40))
    assert finer.shape == (32, 36, 40)
    z, y, x = (
        a.ravel()
        for a in np.meshgrid(*[(np.arange(n) + 0.5) / n for n in finer.shape], indexing="ij")
    )
    np.testing.assert_allclose(field(np.stack([x, y, z], axis=1)), finer.ravel(), atol=1e-5)


@pytest.mark.parametrize("kind", ["inr", "sz3"])
def test_a_grid_is_its_points(kind: str) -> None:
    field = make(kind, partition([blob, swirl], box=((0, 1), (0, 1), (0, 1))))
    xs, ys, zs = np.array([0.0, 0.4, 1.0]), np.linspace(0, 1, 5), np.array([0.25])
    values = field.on_grid(xs, ys, zs)
    assert values.shape == (1, 5, 3, 2) and values.dtype == field.dtype
    z, y, x = np.meshgrid(zs, ys, xs, indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    np.testing.assert_allclose(field(points), values.reshape(-1, 2), atol=1e-6)
    assert field.on_grid(xs, ys, zs[:0]).shape == (0, 5, 3, 2)


@pytest.mark.parametrize("association", ["element", "vertex"])
def test_a_grid_across_bricks_and_holes_is_its_points(association: str) -> None:
    block = partition([blob, swirl], (50, 60, 70), association=association)
    block.components[0][20:23, 30:34, 35], block.components[1][9, 9, 9] = np.nan, np.inf
    field = bricks(block)
    random = np.random.default_rng(0)
    xs, ys = np.sort(random.random(40)), np.linspace(0, 1, 61)
    for zs in (np.linspace(0, 1, 51), np.array([0.3, 0.41, 0.42]), np.array([1.0])):
        z, y, x = (a.ravel() for a in np.meshgrid(zs, ys, xs, indexing="ij"))
        points = np.stack([x, y, z], axis=1)
        values = field.on_grid(xs, ys, zs).reshape(-1, 2)
        # World coordinates of the points are not exactly as far along the cells.
        np.testing.assert_allclose(field(points), values, atol=1e-5)
    assert np.isnan(field.on_grid(xs, ys, np.linspace(0, 1, 51))).any()


@pytest.mark.parametrize("kind", ["inr", "sz3"])
def test_no_points_have_no_values(kind: str) -> None:
    field = make(kind, partition([blob, swirl]))
    assert field(np.zeros((0, 3))).shape == (0, 2)
    assert field.gradient(np.zeros((0, 3))).shape == (0, 2, 3)


@pytest.mark.parametrize("kind", ["inr", *CODECS])
def test_holes_come_back(kind: str) -> None:
    block = partition(blob)
    values = block.components[0]
    values[5:8, 6:8, 7], values[9, 9, 9], values[2, 2, 2] = np.nan, np.inf, -np.inf
    field = make(kind, block)
    assert (field.metrics.nan_count, field.metrics.inf_count) == (6, 2)
    decoded, raw = read_field(field.to_bytes()).decode(), block.owned[0]
    finite = np.isfinite(raw)
    np.testing.assert_array_equal(decoded[~finite], raw[~finite])
    assert np.abs(decoded[finite] - raw[finite]).max() <= 1e-4 * np.ptp(raw[finite])


def test_blocks_of_any_kind_are_one_field() -> None:
    blocks = split(blob, (16, 16, 32), (1, 1, 3))
    fields = [bricks(blocks[0], "zfp"), corrected(blocks[1]), fit(blocks[2])]
    summary = DistributedField.join(fields).summary
    assert summary.n_blocks == 3 and summary.nbytes == sum(f.nbytes for f in fields)
    assert summary.metrics.max_error == max(f.metrics.max_error for f in fields)


@pytest.mark.parametrize(
    "edit", [{"codec": "gzip"}, {"ghost_layers": [[0, 2], [0, 0], [0, 0]]}, {"cells": [4, 4, 4]},
             {"range": [[0, 1]] * 3}, {"dtype": "float16"}, {"kind": "neural_field"},
             {"cells": [2**24] * 3, "nodes": [[0, 1, 2**24 + 1]] * 3}],
)  # fmt: skip
def test_headers_of_bricks_are_read_with_distrust(edit: dict) -> None:
    header, payloads = unpack(bricks(partition(blob)).to_bytes())
    with pytest.raises(FrameError):
        read_field(pack({**header, **edit}, payloads))
    with pytest.raises(FrameError):
        read_field(pack(header, payloads[:-1]))


def test_headers_of_residuals_are_read_with_distrust() -> None:
    header, payloads = unpack(corrected(partition(blob)).to_bytes())
    for broken in (payloads[:-1], [*payloads, b""], [*payloads[:-1], payloads[-1][:-1]]):
        with pytest.raises(FrameError):
            read_field(pack(header, broken))
    with pytest.raises(FrameError):
        read_field(pack({**header, "residual": 7}, payloads))
