"""The benchmark of ensembles: blocks cover the volume, and what is trained beside them is cut off.

In: a small volume. Out: nothing but pass or fail.
"""

from __future__ import annotations

import ensembles
import numpy as np
import pytest

from insitu.io.array_source import ArrayVolume
from insitu.io.chunk_grid import ChunkGrid
from insitu.metrics import psnr
from insitu.training.options import Target, TrainingOptions

X = np.linspace(0, 3, 12, dtype=np.float32)
VALUES = np.sin(X[:, None, None] + X[:, None]) * np.cos(2 * X)


@pytest.mark.parametrize("ghosts", [0, 1, 3])
def test_blocks(ghosts: int) -> None:
    volume, grid = ArrayVolume(VALUES), ChunkGrid.into(VALUES.shape, "element", (2, 2, 2))
    for number in range(8):
        part, mine = ensembles.block(volume, grid, number, ghosts)
        np.testing.assert_array_equal(part.owned[0][mine], VALUES[grid.box(number)])
        assert part.cells == (6 + max(ghosts - 1, 0),) * 3


def test_an_ensemble_is_put_together() -> None:
    options = TrainingOptions(n_min=200)
    decoded, nbytes, grid = ensembles.trained(VALUES, 2, 2, Target(), options)
    assert psnr(decoded, VALUES) > 14 and nbytes > 0 and len(grid) == 8
