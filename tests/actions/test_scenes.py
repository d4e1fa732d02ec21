"""Scenes, plots and colour tables: every word is read, and nonsense refused with its place."""

import json
from pathlib import Path

import pytest

from insitu.render.color_map import ColorTable
from insitu.render.picture.plots import Plot
from tests.support.action_files import done, load, plot, problem, problems, scene

COOL = {"Name": "cool", "ColorSpace": "RGB", "RGBPoints": [0, 0, 0, 1, 2, 1, 0, 0]}


def test_several_plots_and_a_window(tmp_path: Path) -> None:
    text = """{window: 4, plots: {
        a: {type: volume, field: rho, topology: mesh},
        b: {type: pseudocolor, field: u, min_value: 1, max_value: 3}}}"""
    found = done(scene(text), tmp_path)
    assert found.window == 4 and found.what == "scene"
    assert found.plots == (
        Plot(field="rho"),
        Plot(field="u", type="pseudocolor", min_value=1.0, max_value=3.0),
    )
    assert found.reads == {"rho", "u"} == found.past
    assert done(scene("{plots: {a: {type: volume, field: rho}}}"), tmp_path).past == set()


@pytest.mark.parametrize(
    "words",
    [
        "{file: map.json}",
        "{name: map.json}",
        "map.json",
        "{file: maps.json, name: cool, reverse: 'false'}",
    ],
)
def test_maps_of_paraview(words: str, tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text(json.dumps(COOL))
    (tmp_path / "maps.json").write_text(json.dumps([COOL, {**COOL, "Name": "warm"}]))
    (found,) = done(plot(f"field: rho, color_table: {words}"), tmp_path).plots
    points = found.color_table.rgb
    assert (points[0], points[-1]) == ((0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 0.0, 0.0))


def test_a_colour_table_by_its_name_alone_and_without_a_bar(tmp_path: Path) -> None:
    (found,) = done(plot("field: rho, color_table: Jet"), tmp_path).plots
    assert found.color_table == ColorTable("Jet") and found.color_bar
    table = "{name: Jet, annotation: 'false'}"
    (found,) = done(plot(f"field: rho, color_table: {table}"), tmp_path).plots
    assert found.color_table == ColorTable("Jet") and not found.color_bar


def test_scales_samples_and_units(tmp_path: Path) -> None:
    (found,) = done(plot("field: rho, log_scale: true, jitter: true"), tmp_path).plots
    assert found.log_scale and found.jitter and found.label == ""
    head = "fields: {rho: {unit: kg/m3}}\nrecord: {path: r, length_unit: m, time_unit: s}"
    text = """{plots: {a: {type: volume, field: rho}}, renders: {
        r: {image_prefix: a, camera: {projection: parallel}}}}"""
    (found,) = load(f"{head}\nactions:\n  - {scene(text)}", tmp_path).due
    (view,) = found.views
    assert found.plots[0].label == "rho (kg/m3)"
    assert (view.length_unit, view.time_unit) == ("m", "s")
    assert view.camera is not None and view.camera.projection == "parallel"


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (scene("{}"), ".scenes.s.plots: is required"),
        (scene("{plots: {}}"), ".s.plots: expected plots by name, found nothing"),
        (scene("{plots: [1]}"), ".s.plots: expected plots by name, found a list of 1"),
        (
            scene("{plots: {p: {type: spheres, field: rho}}}"),
            ".plots.p.type: a plot of type 'spheres' is not supported; there are volume",
        ),
        (
            scene("{plots: {p: {type: pseudocolour, field: rho}}}"),
            "'pseudocolour' is not supported; did you mean 'pseudocolor'?",
        ),
        (
            scene("{plots: {p: {type: volume, field: rho}, q: {type: volume, field: speed}}}"),
            ".plots.q: a scene can have only one volume plot, as in Ascent",
        ),
        (
            plot("field: roh"),
            ".plots.p.field: no field 'roh' recorded by this run; did you mean 'rho'?",
        ),
        (plot("field: zzz"), "recorded by this run (there are rho, speed, u)"),
        (plot("field: [a]"), ".plots.p.field: expected the name of a field, found a list of 1"),
        (plot("field: rho, sample: 3"), ".plots.p.sample: unknown key; did you mean 'samples'?"),
        (plot("field: rho, samples: 2.5"), ".plots.p.samples: 2.5 is not a whole number"),
        (plot("field: rho, shading: dim"), ".plots.p.shading: 'dim' is neither true nor false"),
        (plot("field: rho, min_value: low"), ".plots.p.min_value: 'low' is not a finite number"),
        (
            plot("field: rho, min_value: 3, max_value: 2"),
            ".plots.p.min_value: 3 is not below max_value, 2",
        ),
        (
            plot("field: rho, log_scale: true, min_value: 0"),
            ".plots.p.min_value: 0 is not positive, as log_scale requires",
        ),
        (
            scene(
                "{plots: {p: {type: volume, field: rho}}, renders: {r: {image_prefix: a, "
                "camera: {projection: flat}}}}"
            ),
            ".r.camera.projection: ",
        ),
        (
            plot("field: rho, pipeline: pl"),
            ".p.pipeline: there is no pipeline 'pl' (there are none",
        ),
        (plot("field: rho, color_table: {nam: a}"), ".plots.p.color_table.nam: unknown"),
        (plot("field: rho, color_table: Jte"), ".color_table.name: 'Jte' is unknown; did you mean"),
        (plot("field: rho, color_table: 3"), ".plots.p.color_table: expected a mapping, got 3"),
        (plot("field: rho, color_table: {file: a.json}"), ".color_table.file: "),
        (plot("field: rho, color_table: {file: bad.json}"), "contains no colour map"),
        (plot("field: rho, color_table: bad.json"), ".plots.p.color_table: "),
        (
            plot("field: rho, color_table: {file: bad.json, control_points: []}"),
            ".color_table.control_points: given together with a file of colours",
        ),
        (
            plot(
                "field: rho, color_table: {control_points: [{type: alpha, position: 2, alpha: 1}]}"
            ),
            ".p.color_table.control_points[0].position: 2 is not a number in 0..1",
        ),
        (
            plot("field: rho, color_table: {control_points: [{type: gray}]}"),
            ".p.color_table.control_points[0]: expected type: rgb or type: alpha, got",
        ),
        (plot("field: rho, color_table: {reverse: 2}"), ".color_table.reverse: 2 is not true or"),
        (
            plot("field: rho, color_table: {annotation: maybe}"),
            ".color_table.annotation: 'maybe' is neither true nor false",
        ),
        (
            scene("{plots: {p: {type: volume, field: rho}}, window: 0}"),
            ".scenes.s.window: 0 is neither a number of steps nor all",
        ),
        (
            scene("{plots: {p: {type: volume, field: rho}}, render: {}}"),
            ".scenes.s.render: unknown key; did you mean 'renders'?",
        ),
    ],
)
def test_a_mistake_is_named_with_its_whole_path(action: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    assert expected in problem(action, tmp_path)


PIPELINE = "{action: add_pipelines, pipelines: {pl: {f: {type: contour, field: rho}}}}"


def test_a_pipeline_that_was_refused_is_told_of_once(tmp_path: Path) -> None:
    text = f"fields: {{rho: }}\nactions:\n  - {plot('field: rho, pipeline: pl')}\n  - {PIPELINE}"
    (found,) = problems(text, tmp_path)
    assert found == (
        "run.yaml:4: actions[1].pipelines.pl.f.field: unknown key; expected one of type, params"
    )


def test_a_volume_plot_needs_a_volume(tmp_path: Path) -> None:
    contour = "{f: {type: contour, params: {field: rho, iso_values: 1}}}"
    text = f"""
        fields: {{rho: }}
        actions:
          - {{action: add_pipelines, pipelines: {{pl: {contour}}}}}
          - {plot("field: rho, pipeline: pl")}
    """
    (found,) = problems(text, tmp_path)
    assert found.endswith(
        ".plots.p.type: a volume plot needs a volume, but contour produces a surface; "
        "use pseudocolor"
    )
    surface = load(text.replace("type: volume", "type: pseudocolor"), tmp_path)
    assert surface.due[0].plots[0].pipeline.name == "pl"
