"""Every point of a domain has one owner, however the domain is cut, rounded and dealt out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI

from insitu.core.block_map import BlockMap, owner_of

Axes = tuple[np.ndarray, np.ndarray, np.ndarray]


def bisected(rng: np.random.Generator, cells: tuple[int, int, int], parts: int) -> list[Axes]:
    """A grid of uneven cells, cut in two somewhere along some axis, again and again: faces meet in
    T-junctions. Every block's coordinates are rounded in its own way, as in float32."""
    lines = [np.cumsum(rng.uniform(0.2, 2.0, n + 1)) - 3 for n in cells]
    blocks = [tuple((0, n) for n in cells)]
    while len(blocks) < parts:
        wide = [(i, a) for i, b in enumerate(blocks) for a in range(3) if b[a][1] - b[a][0] > 1]
        if not wide:
            break
        number, axis = wide[rng.integers(len(wide))]
        block = blocks.pop(number)
        first, last = block[axis]
        at = int(rng.integers(first + 1, last))
        for span in ((first, at), (at, last)):
            blocks.append(tuple(span if a == axis else block[a] for a in range(3)))
    rounded = [[n * (1 + rng.uniform(-1e-7, 1e-7)) for n in lines] for _ in blocks]
    return [
        tuple(n[a : b + 1] for n, (a, b) in zip(own, block, strict=True))
        for own, block in zip(rounded, blocks, strict=True)
    ]


def points_of(blocks: BlockMap, rng: np.random.Generator, n: int = 300) -> np.ndarray:
    """In the domain; faces, edges and corners of blocks among them."""
    low, high = blocks.bounds
    points = rng.uniform(low, high, (n, 3))
    special = rng.random((n, 3)) < 0.5
    faces = np.stack([rng.choice(blocks.boxes[..., a].ravel(), n) for a in range(3)], axis=1)
    return np.where(special, faces, points)


def reference_owner(boxes: np.ndarray, point: np.ndarray) -> int:
    """Step from the point upward a little, along as many axes as there is a block for."""
    step = 1e-9
    for up in ([1, 1, 1], [-1, 1, 1], [1, -1, 1], [-1, -1, 1],
               [1, 1, -1], [-1, 1, -1], [1, -1, -1], [-1, -1, -1]):  # fmt: skip
        moved = point + step * np.array(up)
        inside = ((moved > boxes[:, 0]) & (moved < boxes[:, 1])).all(axis=1)
        if inside.any():
            assert inside.sum() == 1
            return int(np.argmax(inside))
    raise AssertionError("no block around the point")


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), parts=st.integers(1, 14))
def test_one_owner_whatever_the_split(seed: int, parts: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = BlockMap.of(bisected(rng, (5, 4, 6), parts))
    points = points_of(blocks, rng)
    owners = blocks.owners(points)
    assert (owners >= 0).all()
    held = np.array([blocks.holds(i, points) for i in range(len(blocks.boxes))])
    assert (held.sum(axis=0) == 1).all()
    np.testing.assert_array_equal(held.argmax(axis=0), owners)
    np.testing.assert_array_equal(owners, [reference_owner(blocks.boxes, p) for p in points])
    # Where one looks first makes no difference.
    guess = rng.integers(0, len(blocks.boxes), len(points))
    np.testing.assert_array_equal(blocks.owners(points, guess), owners)
    # Nor does the order in which the blocks come.
    order = rng.permutation(len(blocks.boxes))
    shuffled = order[owner_of(points, blocks.boxes[order])]
    np.testing.assert_array_equal(shuffled, owners)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), parts=st.integers(1, 9))
def test_outside_is_nobodys(seed: int, parts: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = BlockMap.of(bisected(rng, (5, 4, 3), parts))
    low, high = blocks.bounds
    points = points_of(blocks, rng)
    axis = rng.integers(0, 3, len(points))
    up = rng.random(len(points)) < 0.5
    face = np.where(up, high[axis], low[axis])
    rows = np.arange(len(points))
    sign = np.where(up, 1, -1)
    points[rows, axis] = face + sign * 0.5 * blocks.rounding
    assert (blocks.owners(points) >= 0).all()
    points[rows, axis] = face + sign * 1e-6
    assert (blocks.owners(points) == -1).all()
    assert not any(blocks.holds(i, points).any() for i in range(len(blocks.boxes)))
    nearest = blocks.nearest(points)
    near = np.abs(points - blocks.clamp(points, nearest)).max(axis=1)
    np.testing.assert_allclose(near, 1e-6, rtol=1e-6)
    points[rows, axis] = np.nan
    assert (blocks.owners(points) == -1).all()


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("deal", ["even", "random", "first has none", "all on the last"])
def test_all_ranks_have_the_same_map(deal: str) -> None:
    comm = MPI.COMM_WORLD
    for seed in range(5):
        rng = np.random.default_rng(seed)
        everything = bisected(rng, (6, 5, 4), 11)
        ranks = {
            "even": np.arange(len(everything)) % comm.size,
            "random": rng.integers(0, comm.size, len(everything)),
            "first has none": 1 + np.arange(len(everything)) % max(comm.size - 1, 1),
            "all on the last": np.full(len(everything), comm.size - 1),
        }[deal] % comm.size
        mine = [block for block, rank in zip(everything, ranks, strict=True) if rank == comm.rank]
        blocks, alone = BlockMap.of_all_ranks(comm, mine), BlockMap.of(everything)
        np.testing.assert_array_equal(blocks.boxes, alone.boxes)
        np.testing.assert_array_equal(blocks.spacing, alone.spacing)
        points = points_of(alone, rng)
        owners = blocks.owners(points)
        np.testing.assert_array_equal(owners, alone.owners(points))
        # Each point is found in the block that its owner's rank has at that place.
        assert len(blocks.on_rank(comm.rank)) == len(mine)
        for index, own in zip(blocks.on_rank(comm.rank), mine, strict=True):
            corners = np.array([[n[0] for n in own], [n[-1] for n in own]])
            np.testing.assert_allclose(blocks.boxes[index], corners, rtol=1e-6)
        counts = comm.allgather(sum(int((owners == i).sum()) for i in blocks.on_rank(comm.rank)))
        assert sum(counts) == len(points)


def test_upper_ends_belong_to_the_last_blocks() -> None:
    """Also where the domain is periodic: its first block is not the owner of its end."""
    nodes = np.linspace(0.0, 1.0, 5)
    blocks = BlockMap.of([(nodes[a : b + 1], nodes, nodes) for a, b in ((0, 1), (1, 3), (3, 4))])
    points = np.array([[0.0, 0, 0], [0.25, 0, 1], [0.75, 1, 0], [1, 1, 1], [1, 0, 0]])
    assert blocks.owners(points).tolist() == [0, 1, 2, 2, 2]


def test_a_domain_that_is_no_box() -> None:
    """An L: at its inner corner the face of one block ends in the middle of another's."""
    unit = np.linspace(0.0, 1.0, 3)
    blocks = BlockMap.of([(unit, unit, unit), (unit + 1, unit, unit), (unit, unit + 1, unit)])
    points = np.array(
        [[1.0, 1, 0], [1, 0.5, 0], [0.5, 1, 0], [1, 1.5, 0], [1.5, 1, 0], [1.5, 1.5, 0]]
    )
    assert blocks.owners(points).tolist() == [2, 1, 2, 2, 1, -1]


def test_far_from_the_origin_the_last_bits_count() -> None:
    line = 1e6 + np.linspace(0, 1e-3, 3)
    blocks = BlockMap.of([(line, line, line)])
    end = np.nextafter(np.full((1, 3), line[-1]), np.inf)
    assert blocks.owners(end).tolist() == [0]


def test_no_block_at_all() -> None:
    blocks = BlockMap.of([])
    assert blocks.boxes.shape == (0, 2, 3) and blocks.on_rank(0) == ()
    with pytest.raises(ValueError, match="no rank has a block"):
        _ = blocks.bounds
