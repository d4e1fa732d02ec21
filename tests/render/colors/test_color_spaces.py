"""Blending colours: the spaces give what VTK, and so ParaView, gives."""

import numpy as np
import pytest

from insitu.render.colors.color_spaces import BLENDS, hsv_wrapped

SPACES = {**BLENDS, "wrapped": hsv_wrapped}
BLUE, RED = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0])


@pytest.mark.parametrize("space", SPACES)
def test_as_vtk(space: str) -> None:
    rendering = pytest.importorskip("vtkmodules.vtkRenderingCore")
    share = np.linspace(0, 1, 33)
    rng = np.random.default_rng(7)
    for first, second in [(BLUE, RED), *rng.random((20, 2, 3))]:
        function = rendering.vtkColorTransferFunction()
        getattr(function, f"SetColorSpaceTo{'HSV' if space == 'wrapped' else space}")()
        function.SetHSVWrap(space == "wrapped")
        function.AddRGBPoint(0, *first)
        function.AddRGBPoint(1, *second)
        expected = [function.GetColor(s) for s in share]
        np.testing.assert_allclose(SPACES[space](first, second, share), expected, atol=5e-4)


def test_half_way_by_hand() -> None:
    half = np.array([0.5])
    np.testing.assert_allclose(BLENDS["RGB"](BLUE, RED, half), [[0.5, 0, 0.5]])
    # Hues 2/3 and 0: half-way is 1/3, green; by the shorter way 5/6, magenta.
    np.testing.assert_allclose(BLENDS["HSV"](BLUE, RED, half), [[0, 1, 0]], atol=1e-12)
    np.testing.assert_allclose(hsv_wrapped(BLUE, RED, half), [[1, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(BLENDS["Step"](BLUE, RED, half), [RED])
    # Msh of magnitude 137 (that of blue) without saturation: more than white.
    np.testing.assert_allclose(BLENDS["Diverging"](BLUE, RED, half), [[1, 1, 1]], atol=2e-3)
    # L*a*b* of black and white are 0 and 100: half-way is the grey of L* = 50, 0.4663 in sRGB.
    grey = BLENDS["Lab"](np.zeros(3), np.ones(3), half)
    np.testing.assert_allclose(grey, [[0.4663] * 3], atol=1e-3)
