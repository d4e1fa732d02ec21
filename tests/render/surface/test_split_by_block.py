"""Geometry divided among blocks: nothing is lost, and each part lies in its box."""

import numpy as np
import pytest

from insitu.core.geometry import Lines, Surface
from insitu.render.surface.split_by_block import split_by_block

BOXES = [(np.array([x, 0.0, 0.0]), np.array([x + 1, 1.0, 1.0])) for x in (0.0, 1.0, 2.0)]


def surface() -> Surface:
    """Two triangles in the first box, one in the third, with an edge on the face of the first."""
    points = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2.2, 0, 0], [2.9, 0, 0], [2.5, 1, 0]]
    triangles = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6]])
    array = np.array(points, np.float64)
    return Surface(array, triangles, {"x": array[:, 0]}, np.tile([0.0, 0, 1], (7, 1)))


def test_surfaces() -> None:
    parts = split_by_block(surface(), BOXES)
    assert [len(part.triangles) for part in parts] == [2, 0, 1]
    assert [len(part.points) for part in parts] == [4, 0, 3]
    for part, (low, high) in zip(parts, BOXES, strict=True):
        assert (part.points >= low).all() and (part.points <= high).all()
        np.testing.assert_array_equal(part.values["x"], part.points[:, 0])
        assert part.normals is not None and part.normals.shape == part.points.shape
    assert split_by_block(surface(), BOXES[:1])[0].triangles.shape == (3, 3)


def test_lines() -> None:
    points = np.array(
        [[0.1, 0, 0], [0.9, 0, 0], [1.1, 0, 0], [1.5, 0, 0], [2.0, 0, 0], [2.5, 0, 0]]
    )
    lines = Lines(points, np.array([0, 2, 5, 5, 6]), {"t": np.arange(6.0)})
    parts = split_by_block(lines, BOXES)
    assert [part.n_lines for part in parts] == [2, 1, 1]  # the line without points is anywhere
    assert [part.values["t"].tolist() for part in parts] == [[0, 1], [2, 3, 4], [5]]
    assert parts[1].offsets.tolist() == [0, 3]


def test_geometry_needs_a_box() -> None:
    with pytest.raises(ValueError, match="a rank without blocks"):
        split_by_block(surface(), [])
