"""Extracts: every word is read, and nonsense refused with its place."""

from pathlib import Path

import pytest

from insitu.actions.extracts.movie import Movie
from insitu.actions.extracts.relay import Relay
from tests.support.action_files import done, extract, load, problem, problems


def test_relay(tmp_path: Path) -> None:
    found = done(extract("{type: relay, params: {path: out_%04d}}"), tmp_path)
    everything = ("rho", "speed", "u")
    assert found == Relay(name="e", path="out_%04d", protocol="vtk", fields=everything)
    text = "{type: relay, window: all, params: {path: a, protocol: hdf5, fields: [u, rho, u]}}"
    found = done(extract(text), tmp_path)
    assert found == Relay(name="e", path="a", protocol="hdf5", fields=("u", "rho"), window="all")
    assert found.reads == found.past == {"u", "rho"} and found.what == "extract"


def test_python(tmp_path: Path) -> None:
    found = done(extract("{type: python, params: {source: x = 1}}"), tmp_path)
    assert (found.source, found.reads, found.past) == ("x = 1", None, None)
    (tmp_path / "script.py").write_text("print(cycle)")
    text = "{type: python, window: 2, params: {file: script.py, fields: [rho]}}"
    found = done(extract(text), tmp_path)
    assert (found.source, found.window, found.reads) == ("print(cycle)", 2, {"rho"})
    assert found.file == str(tmp_path / "script.py")


def test_cinema(tmp_path: Path) -> None:
    words = "plots: {p: {type: volume, field: rho}}, phi: 2, theta: 1, db_name: d"
    found = done(extract(f"{{type: cinema, params: {{{words}}}}}"), tmp_path)
    (cinema,) = found.cinemas
    assert (cinema.db_name, cinema.phi, found.what) == ("d", (-180, 0), "extract")
    assert found.views == () and found.plots[0].field == "rho"


MOVIE = """
fields: {{rho: }}
actions:
  - action: add_scenes
    scenes:
      s:
        plots: {{p: {{type: volume, field: rho}}}}
        renders: {{a: {{image_prefix: a}}, b: {{image_prefix: b}}}}
  - action: add_extracts
    extracts: {{e: {{type: movie, {window}params: {{{params}}}}}}}
"""


def test_movie(tmp_path: Path) -> None:
    text = MOVIE.format(window="", params="scene: s, path: m.gif")
    scene, movie = load(text, tmp_path).due
    assert movie == Movie(name="e", path="m.gif", scene=scene, view=scene.views[0])
    assert movie.reads == movie.past == {"rho"} and movie.window == "all"
    text = MOVIE.format(window="window: 3, ", params="scene: s, render: b, fps: 2, path: m")
    _, movie = load(text, tmp_path).due
    assert (movie.window, movie.fps, movie.view.name) == (3, 2.0, "b")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ("path: m.gif", ".params.scene: is required"),
        ("scene: s", ".params.path: is required"),
        ("scene: t, path: m.gif", ".params.scene: there is no scene 't' beside it (there are s)"),
        ("scene: s, path: m.gif, render: c", ".render: s has no render 'c' (there are a, b)"),
        ("scene: s, path: m.avi", ".params.path: 'm.avi': unknown format; expected .mp4 or .gif"),
        ("scene: s, path: m.gif, fps: 0", ".params.fps: 0 is not a number in 0.1..240"),
        ("scene: s, path: m.gif, rate: 3", ".params.rate: unknown key"),
    ],
)
def test_movies_that_are_wrong(params: str, expected: str, tmp_path: Path) -> None:
    (found,) = problems(MOVIE.format(window="", params=params), tmp_path)
    assert found.startswith("run.yaml:10: ") and expected in found


@pytest.mark.parametrize("protocol", ["hdf5", "numpy", "ply"])
def test_protocols_that_do_not_suit(protocol: str, tmp_path: Path) -> None:
    """Surfaces are not volumes."""
    kind = "3slice" if protocol != "ply" else "vector_magnitude, params: {field: u}"
    text = f"""
        fields: {{u: }}
        actions:
          - {{action: add_pipelines, pipelines: {{pl: {{f: {{type: {kind}}}}}}}}}
          - {extract(f"{{type: relay, pipeline: pl, params: {{path: a, protocol: {protocol}}}}}")}
    """
    (found,) = problems(text, tmp_path)
    assert f".e.params.protocol: {protocol} cannot store a " in found


def test_in_a_trigger_with_a_pipeline_from_around_it(tmp_path: Path) -> None:
    found = load(
        """
        fields: {u: {components: [a, b, c]}}
        actions:
          - action: add_pipelines
            pipelines:
              speed: {f: {type: vector_magnitude, params: {field: u}}}
          - action: add_triggers
            triggers:
              t:
                params:
                  condition: cycle() > 1
                  actions:
                    - action: add_extracts
                      extracts:
                        save: {type: relay, pipeline: speed, params: {path: a}}
        """,
        tmp_path,
    )
    (action,) = found.triggers[0].actions
    assert action.fields == ("u", "u_magnitude") and action.reads == {"u"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", ".extracts.e.type: is required"),
        ("{type: relay}", ".extracts.e.params: is required"),
        (
            "{type: relai, params: {}}",
            ".extracts.e.type: unknown extract 'relai'; did you mean 'relay'?",
        ),
        (
            "{type: volcano, params: {}}",
            "unknown extract",
        ),
        ("{type: relay, params: {}}", ".e.params.path: is required"),
        ("{type: relay, params: {path: 3}}", ".params.path: expected a file name, found 3"),
        (
            "{type: relay, params: {path: a, protocol: blueprint/mesh/silo}}",
            ".params.protocol: 'blueprint/mesh/silo' is not supported; expected one of vtk, hdf5",
        ),
        (
            "{type: relay, params: {path: a, topologies: [t]}}",
            ".params.topologies: a run has one topology; choose fields instead",
        ),
        (
            "{type: relay, params: {path: a, num_files: 2}}",
            ".params.num_files: unknown key; expected one of path, protocol, fields, topologies",
        ),
        (
            "{type: relay, params: {path: a, fields: [roh]}}",
            ".params.fields: no field 'roh' recorded by this run; did you mean",
        ),
        ("{type: relay, params: {path: a, fields: rho}}", ".fields: expected a list of names"),
        ("{type: relay, params: {path: a}, window: no}", ".e.window: 'no' is neither a number"),
        ("{type: relay, params: {path: a}, pipeline: p}", ".e.pipeline: there is no pipeline 'p'"),
        ("{type: python, params: {}}", ".params.source: give either this, the script itself, or"),
        ("{type: python, params: {source: a, file: b}}", ".params.source: give either this"),
        ("{type: python, params: {source: 'a = ('}}", ".params.source: line 1: '(' was never"),
        ("{type: python, params: {file: no.py}}", "no.py: No such file or directory"),
        ("{type: python, params: {source: a, fields: [b]}}", ".params.fields: no field 'b'"),
        ("{type: python, params: {source: a, output: b}}", ".params.output: unknown key"),
        ("{type: cinema, params: {phi: 1}}", ".params.plots: is required"),
        (
            "{type: cinema, pipeline: p, params: {plots: {}}}",
            ".e.pipeline: the plots of a cinema extract name theirs",
        ),
        (
            "{type: cinema, params: {plots: {p: {type: volume, field: rho}}}}",
            ".params.db_name: is required",
        ),
    ],
)
def test_a_mistake_is_named_with_its_whole_path(text: str, expected: str, tmp_path: Path) -> None:
    assert expected in problem(extract(text), tmp_path)
