"""Blocks are shared out whole, evenly, and in their order."""

import numpy as np
import pytest

from insitu.store.ownership import owners


@pytest.mark.parametrize("n_ranks", range(1, 12))
@pytest.mark.parametrize("n_blocks", [1, 4, 6, 32])
def test_every_rank_has_blocks_as_long_as_there_are_enough(n_blocks: int, n_ranks: int) -> None:
    found = owners([8] * n_blocks, n_ranks)
    counts = np.bincount(found, minlength=n_ranks)
    assert len(counts) == n_ranks and (np.diff(found) >= 0).all()
    assert counts.max() <= -(-n_blocks // n_ranks) + 1
    assert counts.min() > 0 or counts.max() == 1


def test_shares_are_of_cells_not_of_blocks() -> None:
    assert owners([3, 1, 1, 1], 2).tolist() == [0, 1, 1, 1]
    assert owners([1, 1, 1, 3], 2).tolist() == [0, 0, 0, 1]
    assert owners([100, 1, 1], 3).tolist() == [0, 1, 2]


def test_nothing_to_share() -> None:
    assert owners([], 3).size == 0
