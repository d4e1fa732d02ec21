"""Axes: ticks where the values are, and nothing over anything else."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.render.camera import Camera, CameraSettings
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.picture import annotations, axes

BOUNDS = (np.array([-1.0, 0.0, 2.0]), np.array([3.0, 2.0, 12.0]))
FUNCTION = TransferFunction.default((0.0, 1.0))


def overlap(a: annotations.Area, b: annotations.Area) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@settings(max_examples=60, deadline=None)
@given(
    azimuth=st.floats(-180, 180),
    elevation=st.floats(-89, 89),
    zoom=st.floats(0.5, 8),
    size=st.tuples(st.integers(240, 1200), st.integers(240, 1200)),
)
def test_nothing_overlaps_or_leaves_the_picture(
    azimuth: float, elevation: float, zoom: float, size: tuple[int, int]
) -> None:
    camera = CameraSettings(azimuth=azimuth, elevation=elevation, zoom=zoom).camera(BOUNDS, *size)
    screen = annotations.arrange(size, "A title", "cycle 5", [("density", FUNCTION)])
    found = axes.arrange(size, camera, BOUNDS, "m", screen.areas)
    areas = [text.area for text in found.texts] + screen.areas
    for a, b in combinations(areas, 2):
        assert not overlap(a, b)
    for left, top, right, bottom in areas:
        assert left >= 0 and top >= 0 and right <= size[0] and bottom <= size[1]


def test_numbers_and_names_stand_at_their_edges() -> None:
    size, bounds = (768, 768), (np.zeros(3), np.array([4.0, 3.0, 5.0]))
    camera = Camera.default(bounds, *size)
    found = axes.arrange(size, camera, bounds, "m")
    words = {text.text for text in found.texts}
    assert {"x (m)", "y (m)", "z (m)", "x", "y", "z"} <= words  # of the axes, of the triad
    edges = axes.outlines(camera, bounds)
    assert sorted(edge.axis for edge in edges) == [0, 1, 2]
    ticks = [stroke for stroke in found.strokes if stroke.color is None]
    assert len(ticks) >= 6
    for stroke in ticks:  # each begins on an edge of the box
        at = np.array(stroke.start)
        off = []
        for edge in edges:
            along = edge.end - edge.start
            share = np.clip((at - edge.start) @ along / (along @ along), 0, 1)
            off.append(np.linalg.norm(at - edge.start - share * along))
        assert min(off) < 1e-6


def test_a_plane_from_in_front_has_two_axes_and_no_triad() -> None:
    camera = Camera.facing(BOUNDS, (0, 0, 1), 600, 600)
    found = axes.arrange((600, 600), camera, BOUNDS)
    assert all(stroke.color is None for stroke in found.strokes)
    words = [text.text for text in found.texts]
    assert "x" in words and "y" in words and "z" not in words
    at = {text.text: text.at for text in found.texts}
    assert at["-1"][0] < at["3"][0]  # x to the right
    numbers = [text for text in found.texts if text.at[0] < at["-1"][0]]  # of y
    heights = {text.text: text.at[1] for text in numbers}
    assert heights["0"] > heights["1"] > heights["2"]  # y upwards


@pytest.mark.parametrize("size", [(239, 600), (600, 100)])
def test_small_pictures_have_none(size: tuple[int, int]) -> None:
    assert axes.arrange(size, Camera.default(BOUNDS, *size), BOUNDS) == axes.Axes()


def test_from_inside_there_is_no_outline() -> None:
    inside = Camera((1.0, 1.0, 7.0), (2.0, 1.0, 7.0), width=400, height=400)
    assert axes.outlines(inside, BOUNDS) == []
