"""The order in which boxes hide each other, against rays."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.render.compositing import visibility_order


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


@st.composite
def rectilinear(draw: st.DrawFn) -> np.ndarray:
    """Boxes (n, 2, 3) of a grid of uneven lines through the unit cube, in random order."""
    cuts = st.lists(st.floats(0.05, 0.95), max_size=3, unique_by=lambda v: round(v, 2))
    lines = [np.array([0.0, *sorted(draw(cuts)), 1.0]) for _ in range(3)]
    boxes = [
        [[x[0], y[0], z[0]], [x[1], y[1], z[1]]]
        for x, y, z in product(*(pairwise(axis) for axis in lines))
    ]
    return np.array(draw(st.permutations(boxes)))


@st.composite
def scenes(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A decomposition, and an eye: anywhere, in a box, or on faces, edges and corners of one."""
    boxes = draw(st.one_of(bisections(), rectilinear()))
    eye = np.array(draw(st.tuples(*(st.floats(-1, 2),) * 3)))
    box = boxes[draw(st.integers(0, len(boxes) - 1))]
    for axis in range(3):
        where = draw(st.sampled_from(("free", "free", "inside", "low", "high")))
        if where == "inside":
            eye[axis] = box[0, axis] + draw(st.floats(0.1, 0.9)) * (box[1, axis] - box[0, axis])
        elif where != "free":
            eye[axis] = box[int(where == "high"), axis]
    return boxes, eye


def entries(boxes: np.ndarray, eye: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Distance (n,) at which a ray enters each box; NaN where it misses."""
    with np.errstate(divide="ignore"):
        t = (boxes - eye) / direction  # (n, 2, 3)
    near, far = np.maximum(t.min(axis=1).max(axis=1), 0), t.max(axis=1).min(axis=1)
    return np.where(far - near > 1e-9, near, np.nan)


@settings(max_examples=120, deadline=None)
@given(scene=scenes(), seed=st.integers(0, 1000), grouped=st.booleans())
def test_rays_enter_boxes_in_visibility_order(
    scene: tuple[np.ndarray, np.ndarray], seed: int, grouped: bool
) -> None:
    boxes, eye = scene
    rng = np.random.default_rng(seed)
    owners = rng.integers(0, 3, len(boxes)).tolist() if grouped else None
    order = visibility_order(boxes, eye, owners)
    assert sorted(order.tolist()) == list(range(len(boxes)))
    for target in rng.random((20, 3)):  # rays that meet the domain
        if np.allclose(target, eye):
            continue
        near = entries(boxes, eye, target - eye)[order]
        near = near[~np.isnan(near)]
        assert (np.diff(near) > -1e-9).all()


def test_boxes_of_one_rank_follow_each_other_where_they_may() -> None:
    lines = np.arange(5.0)
    boxes = np.array([[[x, y, 0], [x + 1, y + 1, 1]] for y in lines for x in lines])
    owners = [int(x >= 2) + 2 * int(y >= 3) for y in lines for x in lines]  # quarters
    order = visibility_order(boxes, (-9.0, -8.0, 7.0), owners)
    held = np.array(owners)[order]
    assert np.count_nonzero(np.diff(held)) == 3  # each quarter in one go


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
    with pytest.raises(ValueError, match=r"boxes \[0, 1, 2\].*cycle"):
        visibility_order(np.concatenate((beams, far)), (9.0, 9.0, 9.0))
