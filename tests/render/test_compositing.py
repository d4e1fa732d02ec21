"""Visibility order of boxes, and the picture of many ranks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI

from insitu.parallel import RemoteError
from insitu.render.camera import Camera
from insitu.render.compositing import composite, visibility_order
from insitu.render.march import Block, Layer
from insitu.render.volume import global_bounds, render_volume

from .volumes import CELLS, blocks_of, nodes_of, psnr, transfer_function, volume


@st.composite
def bisections(draw: st.DrawFn) -> np.ndarray:
    """Boxes (n, 2, 3) of a random k-d split of the unit cube, in random order."""
    boxes = [np.array([[0.0] * 3, [1.0] * 3])]
    for _ in range(draw(st.integers(0, 14))):
        box = boxes.pop(draw(st.integers(0, len(boxes) - 1)))
        axis = draw(st.integers(0, 2))
        cut = box[0, axis] + draw(st.floats(0.2, 0.8)) * (box[1, axis] - box[0, axis])
        lower, upper = box.copy(), box.copy()
        lower[1, axis] = upper[0, axis] = cut
        boxes += [lower, upper]
    return np.array(draw(st.permutations(boxes)))


def entries(boxes: np.ndarray, eye: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Distance (n,) at which a ray enters each box; NaN where it misses."""
    with np.errstate(divide="ignore"):
        t = (boxes - eye) / direction  # (n, 2, 3)
    near, far = np.maximum(t.min(axis=1).max(axis=1), 0), t.max(axis=1).min(axis=1)
    return np.where(far - near > 1e-9, near, np.nan)


@settings(max_examples=150, deadline=None)
@given(boxes=bisections(), eye=st.tuples(*(st.floats(-1, 2),) * 3), seed=st.integers(0, 1000))
def test_rays_enter_boxes_in_visibility_order(boxes: np.ndarray, eye: tuple, seed: int) -> None:
    order = visibility_order(boxes, eye)
    assert sorted(order.tolist()) == list(range(len(boxes)))
    rng = np.random.default_rng(seed)
    for target in rng.random((20, 3)):  # rays that meet the domain
        near = entries(boxes, np.array(eye), target - eye)[order]
        near = near[~np.isnan(near)]
        assert (np.diff(near) > -1e-9).all()


def test_order_bears_faces_that_round_differently() -> None:
    boxes = np.array([[[0, 0, 0], [1 + 1e-8, 1, 1]], [[1 - 1e-8, 0, 0], [2, 1, 1]]])
    assert visibility_order(boxes, (5, 0.5, 0.5)).tolist() == [1, 0]
    assert visibility_order(boxes, (-5, 0.5, 0.5)).tolist() == [0, 1]


def test_no_boxes_and_one() -> None:
    assert visibility_order(np.empty((0, 2, 3)), (0, 0, 0)).tolist() == []
    assert visibility_order([[[0, 0, 0], [1, 1, 1]]], (0, 0, 0)).tolist() == [0]


def test_overlap_is_refused_by_name() -> None:
    boxes = [[[0, 0, 0], [1, 1, 1]], [[3, 0, 0], [4, 1, 1]], [[0.5, 0, 0], [2, 1, 1]]]
    with pytest.raises(ValueError, match="boxes 0 and 2 overlap"):
        visibility_order(boxes, (9, 9, 9))


def test_a_circle_is_refused_by_name() -> None:
    beams = np.array(
        [[[0, 1, 2], [3, 2, 3]], [[1, 2, 0], [2, 3, 3]], [[2, 0, 1], [3, 3, 2]]], dtype=float
    )  # each hides part of the next, seen from the corner
    far = [[[20, 20, 20], [21, 21, 21]]]
    with pytest.raises(ValueError, match=r"boxes \[0, 1, 2\].*circle"):
        visibility_order(np.concatenate((beams, far)), (9.0, 9.0, 9.0))


# How the blocks of a split go to the ranks: evenly, all to the last rank, or in turn from behind.
def share(blocks: list, rank: int, size: int, how: str) -> list:
    if how == "one each":
        return [b for i, b in enumerate(blocks) if i * size // len(blocks) == rank]
    if how == "all to the last":
        return blocks if rank == size - 1 else []
    return blocks[::-1][rank::size]


@pytest.mark.parallel([1, 2, 3, 4])
@pytest.mark.parametrize("how", ["one each", "all to the last", "in turn"])
@pytest.mark.parametrize("inside", [False, True])
def test_picture_does_not_depend_on_the_ranks(how: str, inside: bool) -> None:
    comm = MPI.COMM_WORLD
    values, nodes = volume(), nodes_of(CELLS, 0.2)
    whole = blocks_of(values, nodes, 1)
    camera = (
        Camera((0.25, 0.1, 0.4), (0.9, 0.3, 0.1), fov=75, width=160, height=121)
        if inside
        else Camera.default(whole[0].bounds, 160, 121)
    )
    function = transfer_function(reference=0.05)
    parts = comm.size if how == "one each" else 5
    mine = share(blocks_of(values, nodes, parts), comm.rank, comm.size, how)
    spacing = whole[0].spacing
    image = render_volume(comm, mine, camera, function, spacing=spacing)
    if comm.rank > 0:
        assert image is None
        return
    expected = render_volume(MPI.COMM_SELF, whole, camera, function, spacing=spacing)
    assert image.shape == (121, 160, 4) and image.dtype == np.float32
    assert expected[..., 3].max() > 0.9
    assert np.abs(image - expected).max() < 1 / 255
    assert psnr(image, expected) > 60


@pytest.mark.parallel([1, 3])
def test_images_with_fewer_rows_than_ranks() -> None:
    comm = MPI.COMM_WORLD
    blocks = blocks_of(volume(), nodes_of(CELLS), comm.size)
    bounds = global_bounds(comm, blocks[comm.rank : comm.rank + 1])
    np.testing.assert_array_equal(bounds[1], [n[-1] for n in nodes_of(CELLS)])
    camera = Camera.default(bounds, 7, 2)
    image = render_volume(comm, blocks[comm.rank : comm.rank + 1], camera, transfer_function())
    assert image is None if comm.rank else image.shape == (2, 7, 4)


@pytest.mark.parallel([2])
def test_layers_that_are_clear_or_out_of_view_are_no_trouble() -> None:
    comm = MPI.COMM_WORLD
    lo, hi = np.full(3, float(comm.rank)), np.full(3, comm.rank + 1.0)
    layers = [
        Layer(np.zeros((0, 0, 4), np.float32), (0, 0, 0, 0), (lo, hi)),
        Layer(np.zeros((4, 4, 4), np.float32), (0, 4, 0, 4), (lo + 5, hi + 5)),
    ]
    image = composite(comm, layers, (9.0, 0.0, 0.0), 8, 8)
    assert comm.rank or not image.any()


@pytest.mark.parallel([1, 3])
def test_a_failing_rank_fails_all() -> None:
    comm = MPI.COMM_WORLD
    block = blocks_of(volume(), nodes_of(CELLS), comm.size)[comm.rank]
    camera = Camera.default(block.bounds, 8, 8)
    bad = Block(block.field, None) if comm.rank == comm.size - 1 else block
    with pytest.raises(RemoteError, match=f"rank {comm.size - 1}"):
        render_volume(comm, [bad], camera, transfer_function())
    with pytest.raises(RemoteError, match="samples_per_voxel"):
        render_volume(comm, [block], camera, transfer_function(), samples_per_voxel=0)


@pytest.mark.parallel([1, 2])
def test_errors_that_all_ranks_see() -> None:
    comm = MPI.COMM_WORLD
    block = blocks_of(volume(), nodes_of(CELLS), 1)[0]
    camera = Camera.default(block.bounds, 8, 8)
    with pytest.raises(ValueError, match="no rank has a block"):
        render_volume(comm, [], camera, transfer_function())
    with pytest.raises(ValueError, match="overlap"):
        render_volume(comm, [block, block], camera, transfer_function())
    with pytest.raises(ValueError, match="did you mean 'direct-send'"):
        composite(comm, [], (0.0, 0.0, 0.0), 8, 8, algorithm="direct_send")
