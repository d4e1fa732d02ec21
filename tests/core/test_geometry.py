"""Surfaces and lines refuse arrays that do not fit together."""

import numpy as np
import pytest

from insitu.core.geometry import Lines, Surface

pytestmark = pytest.mark.parallel(1)

POINTS = np.zeros((3, 3))


def test_nothing_is_a_surface_and_lines():
    assert len(Surface(np.zeros((0, 3)), np.zeros((0, 3), int)).points) == 0
    assert Lines(np.zeros((0, 3)), np.zeros(1, int)).n_lines == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((3, 2)), np.zeros((1, 3), int)), "points: shape"),
        ((POINTS, np.zeros((1, 4), int)), "triangles: shape"),
        ((POINTS, np.zeros((1, 3), int), {"p": np.zeros(2)}), "values of p: 2, expected 3"),
        ((POINTS, np.zeros((1, 3), int), {}, np.zeros((2, 3))), "normals: shape"),
    ],
)
def test_a_surface_that_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        Surface(*arguments)


@pytest.mark.parametrize("offsets", [[], [0], [0, 2], [1, 3]])
def test_lines_that_do_not_fit(offsets):
    with pytest.raises(ValueError, match="offsets"):
        Lines(POINTS, np.array(offsets, int))
