"""Extracts of Ascent that draw one plot, and those that insitu does not have."""

from pathlib import Path
from typing import Any

import pytest

from insitu.actions import parse
from insitu.config import FieldConfig, RunConfig
from insitu.core.errors import ConfigError
from insitu.filters.surface_filters import Contour, ThreeSlice
from insitu.render.picture.scene import Scene


def extract(kind: str, **params: Any) -> Scene:
    contour = {"type": "contour", "params": {"field": "rho", "levels": 3}}
    on = {"pipeline": "p"} if kind == "dray_pseudocolor" else {}
    listed = (
        {"action": "add_pipelines", "pipelines": {"p": {"f": contour}}},
        {"action": "add_extracts", "extracts": {"e": {"type": kind, "params": params, **on}}},
    )
    (found,) = parse(RunConfig(fields={"rho": FieldConfig()}, actions=listed)).due
    assert isinstance(found, Scene) and found.what == "extract"
    return found


def test_volumes() -> None:
    found = extract("volume", field="rho", min_value=0.2, filename="v_%d")
    (plot,) = found.plots
    assert (plot.type, plot.min_value, plot.max_value) == ("volume", 0.2, None)
    assert found.views[0].file_stem(3) == "v_3"
    camera = {"azimuth": -30, "elevation": 35}
    found = extract("dray_volume", field="rho", samples=50, image_prefix="d_%d", camera=camera)
    assert found.plots[0].samples == 50 and found.views[0].camera.azimuth == -30


def test_surfaces_with_their_mesh() -> None:
    mesh = {"draw_mesh": "true", "line_color": [0, 1, 0, 1]}
    found = extract("dray_pseudocolor", field="rho", log_scale="false", image_prefix="a", **mesh)
    surface, lines = found.plots
    assert (surface.type, lines.type, lines.color_bar) == ("pseudocolor", "mesh", False)
    assert isinstance(surface.pipeline.filters[0], Contour)
    assert lines.color_table.rgb == ((0.0, 0.0, 1.0, 0.0), (1.0, 0.0, 1.0, 0.0))
    (plot,) = extract("dray_3slice", field="rho", y_offset=0.5, image_prefix="b").plots
    assert plot.pipeline.filters == (ThreeSlice(0.0, 0.5, 0.0),)


@pytest.mark.parametrize(
    ("kind", "params", "problem"),
    [
        ("xray", {"absorption": "rho"}, "params.filename: is required"),
        ("xray", {"absorption": "r", "filename": "a"}, "params.absorption: no field 'r'"),
        (
            "xray",
            {
                "absorption": "rho",
                "filename": "a",
                "image_params": {"min_value": 0, "max_value": 1, "log_scale": "true"},
            },
            "params.image_params.min_value: a logarithmic scale begins above 0",
        ),
        ("flatten", {"path": "a", "protocol": "yaml"}, "params.protocol: 'yaml' is not one of csv"),
        (
            "dray_volume",
            {"field": "rho", "image_prefix": "a", "log_scale": True},
            "params.log_scale: true is not supported; use a pipeline with log10",
        ),
        ("volume", {"field": "rho"}, "params.filename: is required"),
        (
            "volume",
            {"field": "rho", "filename": "a", "precision": "half"},
            "params.precision: 'half' is not one of single, double",
        ),
        (
            "dray_pseudocolor",
            {"field": "rho", "image_prefix": "a", "line_thickness": -1},
            "params.line_thickness: -1 is not positive",
        ),
        (
            "dray_pseudocolor",
            {"field": "rho", "image_prefix": "a", "line_color": [0, 1, 0, 0.5]},
            "params.line_color: an opacity of 0.5 is not supported",
        ),
        (
            "dray_volume",
            {"field": "rho", "image_prefix": "a", "camera": {"near_plane": 3, "far_plane": 1}},
            "near_plane: 3 to 1 shows nothing",
        ),
        ("volume", {"field": "rhoo", "filename": "a"}, "no field 'rhoo'"),
    ],
)
def test_what_there_is_not(kind: str, params: dict, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        extract(kind, **params)
    assert problem in str(caught.value)
