"""Blocks are shared out whole, evenly, near each other, and alike for all fields on them."""

from itertools import product

import numpy as np
import pytest

from insitu.store.ownership import owners


def boxes(nx: int, ny: int, nz: int) -> np.ndarray:
    """(n, 2, 3): the unit cube cut evenly, x fastest."""
    lows = np.array([(x / nx, y / ny, z / nz) for z, y, x in product(*map(range, (nz, ny, nx)))])
    return np.stack([lows, lows + np.array([1 / nx, 1 / ny, 1 / nz])], axis=1)


@pytest.mark.parametrize("n_ranks", range(1, 12))
@pytest.mark.parametrize("shape", [(1, 1, 1), (4, 1, 1), (3, 2, 1), (4, 4, 2)])
def test_every_rank_has_blocks_as_long_as_there_are_enough(
    shape: tuple[int, int, int], n_ranks: int
) -> None:
    found = owners(boxes(*shape), [8] * int(np.prod(shape)), n_ranks)
    counts = np.bincount(found, minlength=n_ranks)
    assert len(counts) == n_ranks
    assert counts.max() - counts.min() <= (1 if n_ranks & (n_ranks - 1) == 0 else 2)
    assert counts.min() > 0 or counts.max() == 1


def test_blocks_of_a_rank_are_neighbours() -> None:
    """8 x 8 x 8 blocks on 8 ranks: each has an octant."""
    cut = boxes(8, 8, 8)
    found = owners(cut, [1] * 512, 8)
    for rank in range(8):
        mine = cut[found == rank]
        assert len(mine) == 64
        np.testing.assert_allclose(mine[:, 1].max(axis=0) - mine[:, 0].min(axis=0), 0.5)


def test_shares_are_of_cells_not_of_blocks() -> None:
    found = owners(boxes(4, 1, 1), [3, 1, 1, 1], 2)
    assert found.tolist() == [0, 1, 1, 1]


def test_the_order_of_the_blocks_does_not_matter() -> None:
    cut, cells = boxes(5, 3, 2), list(range(1, 31))
    found = owners(cut, cells, 4)
    shuffled = np.random.default_rng(0).permutation(30)
    again = owners(cut[shuffled], [cells[i] for i in shuffled], 4)
    np.testing.assert_array_equal(again, found[shuffled])


def test_nothing_to_share() -> None:
    assert owners(np.empty((0, 2, 3)), [], 3).size == 0
