"""Where straight lines go from block to block, and out of the domain."""

from __future__ import annotations

import numpy as np

from insitu.core.block_map import BlockMap
from insitu.filters.particles.segments import across, way_out
from tests.support.flows import AnalyticBlock, cut, rotation

BOX = ((-1.0, 0.0, 2.0), (1.0, 3.0, 3.0))


def domain_without(leave: int | None = None) -> BlockMap:
    boxes = cut(BOX, (4, 3, 2))
    blocks = [AnalyticBlock(rotation, box, 0.0) for i, box in enumerate(boxes) if i != leave]
    return BlockMap.of([block.nodes for block in blocks])


def test_segments_are_cut_at_the_faces() -> None:
    domain = domain_without()
    rng = np.random.default_rng(1)
    start, end = rng.uniform(*BOX, (2, 200, 3))
    end[:20, 1] = start[:20, 1]  # along a face's direction
    start[:10, 1] = end[:10, 1] = domain.boxes[10, 0, 1]  # in the face itself
    start[:5, 2] = end[:5, 2] = domain.boxes[20, 0, 2]  # in an edge
    segments, blocks, parts = across(domain, start, end)
    lengths = np.bincount(segments, parts[:, 1] - parts[:, 0])
    np.testing.assert_allclose(lengths, 1.0, atol=1e-12)
    middle = start[segments] + parts.mean(axis=1)[:, None] * (end - start)[segments]
    np.testing.assert_array_equal(domain.owners(middle), blocks)


def test_the_way_out() -> None:
    rng = np.random.default_rng(2)
    start, move = rng.uniform(*BOX, (100, 3)), rng.normal(size=(100, 3)) * 9
    domain = domain_without()
    part = way_out(domain, start, move)
    out = start + part[:, None] * move
    on_face = np.isclose(out, BOX[0], atol=1e-12) | np.isclose(out, BOX[1], atol=1e-12)
    assert on_face.any(axis=1).all() and (domain.owners(out) >= 0).all()
    # Into a hole: the block in the middle is not there.
    holed = domain_without(8)
    low, high = (np.array(corner) for corner in cut(BOX, (4, 3, 2))[8])
    middle = (low + high) / 2
    start = np.array([[low[0] - 0.25, middle[1], middle[2]]])
    part = way_out(holed, start, middle - start)
    np.testing.assert_allclose(start + part[:, None] * (middle - start), [[low[0], *middle[1:]]],
                               atol=1e-8)  # fmt: skip
