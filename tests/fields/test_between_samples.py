"""What is promised of a block holds between its samples too, where a network has a correction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from insitu.fields.raw_block import RawBlock
from insitu.fields.read import read_field
from insitu.mesh.partition import Partition
from insitu.metrics import psnr
from insitu.models.hash_grid.model import HashGrid
from insitu.training.job import TrainingJob
from insitu.training.options import Relative, Target, TrainingOptions
from insitu.training.select_codec import MODEL, compress_block
from tests.support.blocks import partition, rough, swirl


def kept(block: Partition, **target: Any) -> Any:
    """The block as a small network with a correction."""
    job = TrainingJob.of(
        block, HashGrid(log2_hashmap_size=8), options=TrainingOptions(n_min=60, epochs=1),
        target=Target(**target), sized_by_target=True,
    )  # fmt: skip
    field = read_field(compress_block(job, MODEL).to_bytes())
    assert not field.model_alone
    return field


def middles(block: Partition) -> np.ndarray:
    """Points in the middle between eight samples."""
    axes = [(nodes[1:] + nodes[:-1]) / 2 for nodes in block.nodes]
    if block.association == "element":
        axes = [(centres[1:] + centres[:-1]) / 2 for centres in axes]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    return np.stack([x, y, z], axis=-1).reshape(-1, 3)


@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("target", [{"psnr": 50.0}, {"max_error": Relative(rel=2e-3)}])
def test_promises_hold_between_samples(association: str, target: dict[str, Any]) -> None:
    block = partition(rough, ghosts=0, association=association, dtype=np.float64)
    field, points, extent = kept(block, **target), middles(block), np.ptp(block.owned[0])
    found, truth = field(points), RawBlock(block)(points)
    if "psnr" in target:
        assert psnr(found, truth, extent) > target["psnr"]
    else:
        assert np.abs(found - truth).max() <= 2e-3 * extent * (1 + 1e-6)


def test_points_and_grids_and_slopes_are_of_one_function() -> None:
    """Of several components, up to the faces: half a cell beyond the samples included."""
    block = partition((rough, swirl), ghosts=0, dtype=np.float64)
    field = kept(block, psnr=50.0)
    decoded = np.moveaxis(field.decode(), -1, 0)
    between = RawBlock(replace(block, components=tuple(decoded)))
    np.testing.assert_allclose(field(middles(block)), between(middles(block)), atol=1e-6)
    rng = np.random.default_rng(0)
    axes = [np.sort(np.append(rng.uniform(0, 1, n), [0, 1])) for n in (5, 4, 6)]
    z, y, x = np.meshgrid(*axes[::-1], indexing="ij")
    grid = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    np.testing.assert_allclose(field.on_grid(*axes).reshape(-1, 2), field.at(grid), atol=1e-6)
    low, high = block.bounds
    points = rng.uniform(low, high, (400, 3))
    points[:100, 0] = high[0] - 1e-3 * (high[0] - low[0])  # beyond the samples
    step = 1e-4 * (high - low)
    for axis in range(3):
        move = step * (np.arange(3) == axis)
        slope = (field(points + move) - field(points - move)) / (2 * step[axis])
        close = np.isclose(field.gradient(points)[..., axis], slope, rtol=0.05, atol=0.5)
        assert np.nanmean(close[np.isfinite(slope)]) > 0.95  # but at kinks


def test_a_network_continues_beyond_the_outermost_samples() -> None:
    """Up to a face, which neighbors have in common, and without a jump on the way."""
    block = partition(rough, ghosts=0, dtype=np.float64)
    field = kept(block, psnr=50.0)
    low, high = block.bounds
    ways = np.linspace(0.8, 1.0, 400)[:, None] * (high - low) + low
    values = field(ways)
    assert np.ptp(values[-5:]) > 0
    steps = np.abs(np.diff(values))
    assert steps.max() < 0.05 * np.ptp(block.owned[0])
