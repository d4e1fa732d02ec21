"""Planes, boxes and spheres say on which side a point is."""

import numpy as np
import pytest

from insitu.filters.geometry.shapes import Box, Plane, Sphere


def test_distances() -> None:
    points = np.array([[0.0, 0, 0], [3, 0, 0], [0, 5, 0]])
    assert Plane((1, 0, 0), (2, 0, 0)).distance(points).tolist() == [-1, 2, -1]
    assert Box((-1, -1, -1), (2, 1, 1)).distance(points).tolist() == [-1, 1, 4]
    assert Sphere((0, 0, 0), 2).distance(points).tolist() == [-2, 1, 3]


@pytest.mark.parametrize("normal", [(0, 0, 1), (0, 0, -1), (1, 0, 0), (1, 2, -3), (0, 1, 1)])
def test_bases_are_right_handed(normal: tuple) -> None:
    plane = Plane((0, 0, 0), normal)
    u, v = plane.basis()
    np.testing.assert_allclose(np.cross(u, v), plane.normal, atol=1e-15)
    assert np.linalg.norm(u) == pytest.approx(1)
    assert u[2] == 0


def test_rounding_does_not_tilt_a_plane() -> None:
    assert Plane((0, 0, 0), (1e-17, -0.0, -3)).axis == 2
    assert Plane((0, 0, 0), (1e-3, 0, 1)).axis is None


def test_shapes_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a direction"):
        Plane((0, 0, 0), (0, 0, 0))
    with pytest.raises(ValueError, match="is not below max"):
        Box((0, 0, 0), (1, 0, 1))
    with pytest.raises(ValueError, match="positive length"):
        Sphere((0, 0, 0), 0)
    with pytest.raises(ValueError, match="three finite numbers"):
        Sphere((0, np.inf, 0), 1)
