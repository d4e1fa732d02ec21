"""Who owns a point, and where straight lines go from block to block and out of the domain."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from insitu.extract.layout import Layout
from tests.extract.flows import COMM, AnalyticBlock, cut, rotation, spread

BOX = ((-1.0, 0.0, 2.0), (1.0, 3.0, 3.0))


def layout(comm: MPI.Comm, how: str = "even", leave: int | None = None) -> Layout:
    boxes = cut(BOX, (4, 3, 2))
    ranks = spread(len(boxes), how, comm.size)
    blocks = [
        AnalyticBlock(rotation, box, 0.0)
        for i, (box, rank) in enumerate(zip(boxes, ranks, strict=True))
        if rank == comm.rank and i != leave
    ]
    return Layout.gather(comm, blocks)


@pytest.mark.parallel([1, 2, 3])
@pytest.mark.parametrize("how", ["even", "empty", "mixed"])
def test_the_same_table_for_all(how: str) -> None:
    mine, alone = layout(COMM, how), layout(MPI.COMM_SELF)
    np.testing.assert_array_equal(mine.lows, alone.lows)
    np.testing.assert_array_equal(mine.highs, alone.highs)
    np.testing.assert_array_equal(mine.spacing, alone.spacing)
    counts = COMM.allgather(int((mine.ranks == COMM.rank).sum()))
    assert sum(counts) == 24 and (counts[-1] == 0) == (how == "empty" and COMM.size > 1)


@pytest.mark.parallel([1, 2])
def test_no_block_at_all() -> None:
    with pytest.raises(ValueError, match="no rank has a block"):
        Layout.gather(COMM, [])


@pytest.mark.parallel(1)
def test_every_point_has_one_owner() -> None:
    domain = layout(COMM)
    rng = np.random.default_rng(0)
    points = np.concatenate(
        [rng.uniform(*BOX, (500, 3)), domain.lows, domain.highs, (domain.lows + domain.highs) / 2]
    )
    owners = domain.owners(points)
    assert ((points >= domain.lows[owners]) & (points <= domain.highs[owners])).all()
    for guess in (0, 11, 23):
        np.testing.assert_array_equal(domain.owners(points, np.full(len(points), guess)), owners)
    # On a common face, the block above.
    low = domain.owners(domain.lows)
    np.testing.assert_array_equal(low, np.arange(24))
    assert domain.contains(points).all()
    assert not domain.contains(np.array([[1.001, 1, 2.5], [0, 1, np.nan], [0, -1e-6, 2.5]])).any()
    assert domain.contains(np.array([[1 + 1e-10, 1, 2.5]])).all()
    # Outside, the nearest.
    np.testing.assert_array_equal(domain.owners(np.array([[9.0, 9.0, 9.0]])), [23])


@pytest.mark.parallel(1)
def test_segments_are_cut_at_the_faces() -> None:
    domain = layout(COMM)
    rng = np.random.default_rng(1)
    start, end = rng.uniform(*BOX, (2, 200, 3))
    end[:20, 1] = start[:20, 1]  # along a face's direction
    segments, blocks, parts = domain.across(start, end)
    lengths = np.bincount(segments, parts[:, 1] - parts[:, 0])
    np.testing.assert_allclose(lengths, 1.0, atol=1e-12)
    middle = start[segments] + parts.mean(axis=1)[:, None] * (end - start)[segments]
    np.testing.assert_array_equal(domain.owners(middle), blocks)


@pytest.mark.parallel(1)
def test_the_way_out() -> None:
    rng = np.random.default_rng(2)
    start, move = rng.uniform(*BOX, (100, 3)), rng.normal(size=(100, 3)) * 9
    domain = layout(COMM)
    part = domain.way_out(start, move)
    out = start + part[:, None] * move
    on_face = np.isclose(out, BOX[0], atol=1e-12) | np.isclose(out, BOX[1], atol=1e-12)
    assert on_face.any(axis=1).all() and domain.contains(out).all()
    # Into a hole: the block in the middle is not there.
    holed = layout(COMM, leave=8)
    low, high = (np.array(corner) for corner in cut(BOX, (4, 3, 2))[8])
    middle = (low + high) / 2
    start = np.array([[low[0] - 0.25, middle[1], middle[2]]])
    part = holed.way_out(start, middle - start)
    np.testing.assert_allclose(start + part[:, None] * (middle - start), [[low[0], *middle[1:]]],
                               atol=1e-8)  # fmt: skip
