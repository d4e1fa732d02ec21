"""The lines of a grid from those of its blocks, whoever rounded them."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.core.grid_lines import GridLines, join_close


def cut(rng: np.random.Generator, n: int, parts: int, dtype: type) -> list[np.ndarray]:
    """A line of n uneven cells in pieces, each rounded in its own way."""
    line = np.cumsum(rng.uniform(0.1, 3, n + 1)) - 7
    cuts = [0, *sorted(rng.choice(np.arange(1, n), parts - 1, replace=False)), n]
    pieces = [line[a : b + 1] for a, b in pairwise(cuts)]
    return [
        (piece * (1 + rng.uniform(-1e-7, 1e-7))).astype(dtype).astype(np.float64)
        for piece in pieces
    ]


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    parts=st.integers(1, 5),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_each_line_once(seed: int, parts: int, dtype: type) -> None:
    rng = np.random.default_rng(seed)
    pieces = cut(rng, 9, parts, dtype)
    other = np.linspace(0, 1, 4)
    blocks = [(piece, other, other) for piece in pieces]
    grid = GridLines.of(blocks)
    x, y, z = grid.lines
    assert len(x) == 10 and y.tolist() == z.tolist() == other.tolist()
    first = 0
    for block in blocks:
        along, ys, zs = grid.numbers(block)
        assert along.tolist() == list(range(first, first + len(block[0])))
        assert ys.tolist() == zs.tolist() == [0, 1, 2, 3]
        np.testing.assert_allclose(x[along], block[0], rtol=1e-6, atol=1e-6)
        first += len(block[0]) - 1
    # In any order, one by one or together, the same bits.
    order = rng.permutation(len(blocks))
    each = reduce(GridLines.merge, [GridLines.of([blocks[i]]) for i in order])
    assert each.lines[0].tobytes() == x.tobytes()
    none = GridLines.of([])
    assert none.merge(grid).lines[0].tobytes() == grid.merge(none).lines[0].tobytes() == x.tobytes()
    assert all(len(line) == 0 for line in none.lines)


def test_what_lies_between_shows_in_the_numbers() -> None:
    coarse, fine = np.linspace(0.0, 1.0, 3), np.linspace(0.0, 1.0, 5)
    grid = GridLines.of([(coarse, coarse, coarse), (coarse + 1, fine, coarse)])
    assert grid.numbers((coarse, coarse, coarse))[1].tolist() == [0, 2, 4]


def test_close_ones_become_the_least() -> None:
    lines, numbers = join_close(np.array([0.0, 1e-5, 1.0, 1 + 1e-5, 2.0]), 1e-3)
    assert lines.tolist() == [0, 1, 2] and numbers.tolist() == [0, 0, 1, 1, 2]
