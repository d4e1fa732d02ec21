"""Cuts through triangles and tetrahedra: what is kept and what is not make up the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from insitu.core.geometry import Surface
from insitu.filters.geometry.surfaces import placed
from insitu.filters.geometry.tetrahedra import Cut, clip_triangles, cut_tetrahedra, inside
from tests.support.surface_measures import areas, open_edges, volume

# Few values, so that corners lie on a level, and levels on each other's corners, often.
levels = st.integers(-3, 3).map(float)
TETRAHEDRON = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])


def area(points: np.ndarray, cut: Cut) -> float:
    where, triangles = placed(points, cut)
    return float(areas(Surface(where, triangles)).sum())


@settings(max_examples=200, deadline=None)
@given(
    values=arrays(float, 6, elements=levels),
    points=arrays(float, (6, 2), elements=st.integers(-9, 9).map(float)),
    low=levels,
    extent=st.integers(1, 3),
)
def test_three_ranges_make_up_the_triangles(
    values: np.ndarray, points: np.ndarray, low: float, extent: int
) -> None:
    at = np.column_stack([points, np.zeros(6)])
    triangles = np.array([[0, 1, 2], [2, 1, 3], [3, 4, 5]])
    whole = clip_triangles(triangles, np.zeros(6), -1.0, 1.0)
    level = {tuple(t) for t in triangles[(np.ptp(values[triangles], axis=1) == 0)]}
    if level:  # a triangle that is a level belongs to no range
        return
    high = low + extent
    parts = [
        clip_triangles(triangles, values, a, b)
        for a, b in ((-np.inf, low), (low, high), (high, np.inf))
    ]
    assert sum(area(at, p) for p in parts) == pytest.approx(area(at, whole), abs=1e-9)
    # None is turned.
    for part in parts:
        where, tri = placed(at, part)
        a, b, c = where[tri].transpose(1, 0, 2)
        a0, b0, c0 = at[triangles].transpose(1, 0, 2)
        signs = np.sign(np.cross(b0 - a0, c0 - a0)[:, 2])
        if len(set(signs)) == 1:
            assert (np.cross(b - a, c - a)[:, 2] * signs[0] >= -1e-9).all()


@settings(max_examples=300, deadline=None)
@given(values=arrays(float, 4, elements=levels), level=levels, above=st.booleans())
def test_faces_and_cut_of_a_tetrahedron_are_closed(
    values: np.ndarray, level: float, above: bool
) -> None:
    low, high = (level, np.inf) if above else (-np.inf, level)
    cut = Cut.join(
        [
            clip_triangles(FACES, values, low, high),
            cut_tetrahedra(np.array([[0, 1, 2, 3]]), values, level, above),
        ]
    )
    kept = Surface(*placed(TETRAHEDRON, cut))
    assert open_edges([kept]) == 0
    enclosed = volume([kept])
    assert -1e-12 < enclosed < 1 / 6 + 1e-12
    # What is left grows with the level as a cubic that passes all corners' values.
    sign = 1 if above else -1
    share = 6 * enclosed
    corners = sign * (values - level)
    if (corners > 0).all():
        assert share == pytest.approx(1)
    elif (corners <= 0).all():
        assert share == 0
    elif (corners > 0).sum() == 1:
        (top,) = corners[corners > 0]
        expected = np.prod([top / (top - c) for c in corners[corners <= 0]])
        assert share == pytest.approx(expected)


def test_what_is_not_finite_is_outside() -> None:
    values = np.array([np.nan, np.inf, -np.inf, 1.0])
    assert (inside(values, 0.0, np.inf) > 0).tolist() == [False, True, False, True]
    assert (inside(values, -np.inf, 2.0) < 2).tolist() == [False, False, True, True]
    given = inside(values, 0.0, 2.0)
    assert ((given > 0) & (given < 2)).tolist() == [False, False, False, True]
    # An edge to it is cut where the other end is.
    cut = clip_triangles(np.array([[3, 0, 0]]), inside(np.array([np.nan, 0, 0, 1.0]), 0, 9), 0, 9)
    assert len(cut.t) == 0


def test_corners_are_welded_by_their_edge() -> None:
    triangles = np.array([[0, 1, 2], [2, 1, 3]])
    cut = clip_triangles(triangles, np.array([1.0, -1.0, 1.0, 1.0]), 0.0, np.inf)
    ends, t, welded = cut.welded()
    assert len(ends) == len(t) == 3 + 3  # three points, and a cut on three edges
    assert welded.max() == 5
    np.testing.assert_array_equal(t[ends[:, 0] != ends[:, 1]], 0.5)
    assert Cut.join([]).welded()[2].shape == (0, 3)
