"""The distance that surfaces are compared by."""

import isosurface
import numpy as np
import pytest
from isosurface import angle, chamfer, flying_edges


def ball(radius: float, n: int = 30) -> np.ndarray:
    z, y, x = np.mgrid[:n, :n, :n] - (n - 1) / 2
    return (radius - np.sqrt(x * x + y * y + z * z)).astype(np.float32)


def test_distance_of_spheres_is_the_difference_of_their_radii(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(isosurface, "POINTS", 5000)
    small, large = (flying_edges(ball(radius), 0.0) for radius in (10.0, 11.5))
    assert chamfer(small, large) == pytest.approx(1.5, rel=0.02)
    assert chamfer(large, small) == pytest.approx(chamfer(small, large))
    assert chamfer(small, small) < 1e-6


def test_a_piece_that_one_lacks_counts() -> None:
    one = flying_edges(ball(5.0, 40), 0.0)
    both = np.maximum(ball(5.0, 40), np.roll(ball(5.0, 40), 14, axis=0))
    assert chamfer(one, flying_edges(both, 0.0)) > 1


def test_normals_of_a_turned_plane_are_off_by_its_angle() -> None:
    z, _, x = np.mgrid[:20, :20, :20].astype(np.float32) - 9.3
    flat, turned = (flying_edges(z + slope * x, 0.0) for slope in (0.0, 0.1))
    assert angle(turned, flat) == pytest.approx(np.degrees(np.arctan(0.1)), rel=1e-3)
    assert angle(flat, flat) < 0.1
