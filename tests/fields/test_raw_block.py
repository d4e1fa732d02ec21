"""Raw blocks as functions: what the engine's sampler says, on points and on grids."""

import numpy as np
import pytest

from insitu.fields.raw_block import RawBlock
from tests.support.blocks import blob, partition, swirl

CELLS = (9, 8, 7)


@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("ghosts", [0, 1])
def test_values_are_the_sampler_s(association: str, ghosts: int) -> None:
    box = ((0, 2), (1, 2), (-1, 3))
    part = partition([blob, swirl], CELLS, box, association=association, ghosts=ghosts)
    block = RawBlock(part, cycle=3, time=0.5)
    unit = np.random.default_rng(0).random((200, 3))
    lo, hi = block.bounds
    expected = block.sampler().sample(unit.astype(np.float32))
    np.testing.assert_allclose(block(lo + unit * (hi - lo)), expected, atol=1e-5)
    assert np.isnan(block([[9.0, 1.5, 0.0]])).all()
    axes = [np.sort(unit[:n, a]) for a, n in enumerate((5, 6, 4))]
    grid = block.on_grid(*axes)
    assert grid.shape == (4, 6, 5, 2)
    points = np.stack(np.meshgrid(*axes[::-1], indexing="ij")[::-1], axis=-1).reshape(-1, 3)
    expected = block(lo + points * (hi - lo)).reshape(grid.shape)
    np.testing.assert_allclose(grid, expected, atol=1e-6)


def test_gradients_are_those_of_the_cell() -> None:
    block = RawBlock(partition(lambda x, y, z: 2 * x - 3 * y + z, CELLS, dtype=np.float64))
    points = np.random.default_rng(1).random((50, 3))
    np.testing.assert_allclose(block.gradient(points), np.tile([2, -3, 1], (50, 1)), atol=1e-9)


def test_what_it_says_of_itself() -> None:
    part = partition([blob, swirl], CELLS)
    block = RawBlock(part)
    assert (block.name, block.association, block.cells) == ("density", "element", CELLS)
    owned = np.stack(part.owned).reshape(2, -1)
    np.testing.assert_array_equal(block.range, np.stack([owned.min(1), owned.max(1)], axis=1))


def test_a_hole_reaches_no_further_than_its_cells() -> None:
    part = partition(blob, CELLS, ghosts=0)
    part.components[0][4, 4, 3] = np.nan
    centres = [(np.arange(n) + 0.5) / n for n in CELLS[::-1]]
    grid = RawBlock(part).on_grid(*centres)[..., 0]
    np.testing.assert_array_equal(grid, part.components[0])
