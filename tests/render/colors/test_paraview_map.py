"""Colour maps in ParaView's JSON become control points, or are refused with what is wrong."""

import json
from typing import Any

import numpy as np
import pytest

from insitu.render.colors.paraview_map import ENTRIES, control_points
from insitu.render.colors.transfer_function import TransferFunction

COOL = {
    "Name": "cool",
    "ColorSpace": "RGB",
    "NanColor": [1, 1, 0],
    "RGBPoints": [-1, 0, 0, 0.5, 1, 0, 1, 0.5, 3, 1, 1, 0.5],
}


def read(given: Any, name: str | None = None) -> dict[str, list[float]]:
    return control_points(json.dumps(given), name)


def test_colours_and_opacities() -> None:
    points = read({**COOL, "Points": [-1, 0, 0.5, 0, 3, 0.8, 0.5, 0]})
    assert points.keys() == {"position", "r", "g", "b", "a"}
    at = np.array(points["position"])
    np.testing.assert_allclose(at, np.linspace(0, 1, ENTRIES))
    # Values -1, 1 and 3 lie at 0, 1/2 and 1.
    np.testing.assert_allclose(points["r"], np.clip(2 * at - 1, 0, 1), atol=1e-12)
    np.testing.assert_allclose(points["g"], np.clip(2 * at, 0, 1), atol=1e-12)
    np.testing.assert_allclose(points["b"], 0.5)
    np.testing.assert_allclose(points["a"], 0.8 * at, atol=1e-12)
    assert "a" not in read(COOL)


def test_a_transfer_function_of_it() -> None:
    function = TransferFunction.from_ascent({"control_points": read(COOL)}, (10.0, 20.0))
    assert not function.opacity_given
    np.testing.assert_allclose(function(np.array([10.0, 15.0, 20.0]))[:, 0], [0, 0, 1], atol=0.01)


def test_the_space_is_the_one_named() -> None:
    pair = {"RGBPoints": [0, 0, 0, 1, 1, 1, 0, 0]}
    middle = ENTRIES // 2
    green = read({**pair, "ColorSpace": "HSV"})
    assert (green["r"][middle], green["b"][middle]) == pytest.approx((0.01, 0), abs=0.02)
    magenta = read({**pair, "ColorSpace": "HSV", "HSVWrap": 1})
    assert (magenta["r"][middle], magenta["g"][middle]) == pytest.approx((1, 0), abs=0.02)
    white = read(pair)  # diverging unless another is named, as in ParaView
    assert min(white[c][middle] for c in "rgb") > 0.95


def test_opacity_as_vtk() -> None:
    model = pytest.importorskip("vtkmodules.vtkCommonDataModel")
    rng = np.random.default_rng(3)
    for sharp in (0, 0.5, 1):
        points = np.column_stack((np.sort(rng.random(5)), *rng.random((3, 5))))
        points[:, 3] *= sharp
        points[0, 0], points[-1, 0] = 0, 1
        function = model.vtkPiecewiseFunction()
        for point in points:
            function.AddPoint(*point)
        found = read({"RGBPoints": [0, 0, 0, 0, 1, 1, 1, 1], "Points": points.ravel().tolist()})
        expected = [function.GetValue(x) for x in found["position"]]
        np.testing.assert_allclose(found["a"], expected, atol=1e-9)


def test_one_of_several() -> None:
    other = {**COOL, "Name": "warm", "RGBPoints": [0, 1, 1, 1, 1, 1, 1, 1]}
    assert read([COOL, other], "warm")["r"][0] == 1
    with pytest.raises(ValueError, match="several maps; choose one by name: cool, warm"):
        read([COOL, other])
    with pytest.raises(ValueError, match="contains no map 'warn'; did you mean 'warm'"):
        read([COOL, other], "warn")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([], "contains no colour map: expected RGBPoints"),
        ({"Name": "a"}, "contains no colour map"),
        ({"RGBPoints": [1, 2, 3]}, "RGBPoints: expected numbers, four for each point"),
        ({"RGBPoints": "abc"}, "RGBPoints: expected numbers"),
        ({"RGBPoints": [0, 1, 1, 1]}, "RGBPoints: expected at least two points"),
        ({**COOL, "Points": [0, 1, 0.5, 0, 0, 1, 0.5, 0]}, "Points: expected at least two"),
        ({**COOL, "ColorSpace": "LAB"}, "ColorSpace: 'LAB' is not supported; did you mean 'Lab'"),
        (
            {**COOL, "ColorSpace": "CMYK"},
            "not supported; expected one of RGB, HSV, Lab",
        ),
    ],
)
def test_what_is_wrong_is_said(given: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read(given)
    with pytest.raises(ValueError, match="not JSON"):
        control_points("{")
