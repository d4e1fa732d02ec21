"""Pipelines and filters: chains, every parameter, and how nonsense is refused with its place."""

from pathlib import Path
from typing import Any

import pytest

from insitu.pipelines.cuts import Contour, Slice, ThreeSlice
from insitu.pipelines.derive import Derive
from tests.actions.files import load, problem, problems

SHOWN = "{action: add_scenes, scenes: {s: {plots: {p: {type: pseudocolor, %s}}}}}"


def pipelines(text: str) -> str:
    return f"{{action: add_pipelines, pipelines: {text}}}"


def one(kind: str, params: str) -> str:
    return pipelines(f"{{pl: {{f: {{type: {kind}, params: {{{params}}}}}}}}}")


def plotted(text: str, plot: str, folder: Path) -> Any:
    """The pipeline that a plot of it is given."""
    fields = "{rho: , u: {components: [ux, uy, uz]}}"
    found = load(f"fields: {fields}\nactions:\n  - {SHOWN % plot}\n  - {text}", folder)
    return found.due[0].plots[0].pipeline


@pytest.mark.parametrize(
    ("kind", "params", "expected", "field"),
    [
        ("contour", "field: rho, iso_values: 0.5", Contour("rho", (0.5,)), "rho"),
        ("contour", "field: u, iso_values: [1, 2e0]", Contour("u", (1.0, 2.0)), "rho"),
        ("contour", "field: rho, levels: 5", Contour("rho", levels=5), "rho"),
        (
            "slice",
            "point: {x: 1, y: 2, z: 3}, normal: {x: 0, y: 0, z: 1}",
            Slice((0.0, 0.0, 1.0), (1.0, 2.0, 3.0)),
            "rho",
        ),
        (
            "slice",
            "topology: mesh, plane: {point: [0, 0, 0], normal: [1, 1, 0]}",
            Slice((1.0, 1.0, 0.0), (0.0, 0.0, 0.0)),
            "rho",
        ),
        (
            "slice",
            "point: {x_offset: 0, y_offset: 1, z_offset: -0.5}, normal: [1, 0, 0]",
            Slice((1.0, 0.0, 0.0), offset=(0.0, 1.0, -0.5)),
            "rho",
        ),
        ("3slice", "", ThreeSlice(), "rho"),
        ("3slice", "x_offset: 1, z_offset: -1", ThreeSlice(1.0, 0.0, -1.0), "u"),
        (
            "vector_magnitude",
            "field: u, output_name: speed",
            Derive("vector_magnitude", "u", "speed"),
            "speed",
        ),
        (
            "vector_magnitude",
            "field: u",
            Derive("vector_magnitude", "u", "u_magnitude"),
            "u_magnitude",
        ),
        (
            "vector_component",
            "field: u, component: 2, output_name: w",
            Derive("vector_component", "u", "w", 2),
            "w",
        ),
        ("gradient", "field: rho", Derive("gradient", "rho", "gradient"), "gradient"),
        (
            "vorticity",
            "field: u, output_name: w, use_cell_gradient: 'false'",
            Derive("vorticity", "u", "w"),
            "w",
        ),
        ("divergence", "field: u", Derive("divergence", "u", "divergence"), "divergence"),
        ("qcriterion", "field: u", Derive("qcriterion", "u", "qcriterion"), "qcriterion"),
    ],
)
def test_filters(kind: str, params: str, expected: object, field: str, tmp_path: Path) -> None:
    found = plotted(one(kind, params), f"field: {field}, pipeline: pl", tmp_path)
    assert found.filters == (expected,)


def test_chains_and_pipelines_of_pipelines(tmp_path: Path) -> None:
    text = pipelines("""{
        second: {pipeline: first, f2: {type: contour, params: {field: q, levels: 1}}},
        first: {f1: {type: qcriterion, params: {field: u, output_name: q}}}}""")
    found = plotted(text, "field: rho, pipeline: second", tmp_path)
    assert [f.type for f in found.filters] == ["qcriterion", "contour"]
    assert found.reads(frozenset({"rho"})) == {"rho", "u"}
    text = pipelines("""{pl: {
        a: {type: 3slice},
        b: {type: vector_magnitude, params: {field: u, output_name: speed}}}}""")
    found = plotted(text, "field: speed, pipeline: pl", tmp_path)
    assert found.reads(frozenset({"speed"})) == {"u"}


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (pipelines("{pl: {}}"), ".pipelines.pl: expected filters by name, found nothing"),
        (
            pipelines("{pl: {type: contour}}"),
            ".pl.type: a filter stands under a name of its own: f1: {type: ..., params: ...}",
        ),
        (pipelines("{pl: {f: {params: {}}}}"), ".pl.f.type: is required"),
        (pipelines("{pl: {f: {type: 3slice, params: 3}}}"), ".f.params: expected keys and values"),
        (
            one("iso_contour", ""),
            ".f.type: unknown filter 'iso_contour'; did you mean 'contour'?",
        ),
        (one("lagrangian", ""), "unknown filter 'lagrangian'; insitu does contour, slice, 3slice,"),
        (
            pipelines("{pl: {pipeline: p, f: {type: 3slice}}}"),
            ".pl.pipeline: there is no pipeline 'p'",
        ),
        (one("contour", "iso_values: 1"), ".f.params.field: is required"),
        (one("contour", "field: roh, levels: 1"), ".params.field: 'roh' is not among the fields"),
        (one("contour", "field: 3, levels: 1"), ".params.field: expected the name of a field"),
        (one("contour", "field: rho"), ".params.iso_values: give either these or levels"),
        (one("contour", "field: rho, iso_values: 1, levels: 1"), ".iso_values: give either these"),
        (one("contour", "field: rho, iso_values: a"), ".params.iso_values: 'a' is not a finite"),
        (
            one("contour", "field: rho, iso_values: []"),
            ".params.iso_values: expected 1 to 1000 num",
        ),
        (one("contour", "field: rho, levels: 0"), ".params.levels: 0 is not a number in 1..1000"),
        (
            one("contour", "field: rho, iso_value: 1"),
            ".params.iso_value: unknown key; did you mean 'iso_values'?",
        ),
        (one("slice", "point: [0, 0, 0]"), ".params.normal: is required"),
        (one("slice", "point: [0, 0], normal: [1, 0, 0]"), ".params.point: expected x, y and z"),
        (one("slice", "point: {x: 0, y: 0}, normal: [1, 0, 0]"), ".params.point.z: is required"),
        (one("slice", "point: {x: 0, w: 0}, normal: [1, 0, 0]"), ".params.point.w: unknown key"),
        (one("slice", "point: [0, 0, 0], normal: [0, 0, 0]"), ".params.normal: 0, 0, 0 is no dir"),
        (
            one("slice", "point: {x_offset: 2, y_offset: 0, z_offset: 0}, normal: [1, 0, 0]"),
            ".params.point: offsets are in -1..1",
        ),
        (
            one("slice", "plane: {point: [0, 0, 0], normal: [1, 0, 0]}, point: [0, 0, 0]"),
            ".params.plane: given together with point and normal",
        ),
        (one("slice", "sphere: {}"), ".params.sphere: unknown key; known are point, normal, plane"),
        (one("3slice", "x_offset: 1.5"), ".params.x_offset: 1.5 is not a number in -1..1"),
        (
            one("vector_magnitude", "field: u, output: a"),
            ".params.output: unknown key; did you mean",
        ),
        (one("vector_magnitude", "field: u, output_name: 3"), ".output_name: expected a name"),
        (one("vector_component", "field: u, component: 1"), ".params.output_name: is required"),
        (
            one("vector_component", "field: u, component: 3, output_name: a"),
            ".params.component: 3 is not a number in 0..2",
        ),
        (
            one("gradient", "field: u"),
            ".params.field: 'u' has 3 components, and a scalar is needed",
        ),
        (
            one("vorticity", "field: u, use_cell_gradient: 1"),
            ".params.use_cell_gradient: 1 is neither true nor false",
        ),
    ],
)
def test_a_mistake_is_named_with_its_whole_path(action: str, expected: str, tmp_path: Path) -> None:
    assert expected in problem(action, tmp_path)


def test_a_filter_that_does_not_suit_what_comes_before(tmp_path: Path) -> None:
    action = pipelines("""{pl: {
        a: {type: contour, params: {field: rho, levels: 1}},
        b: {type: slice, params: {point: [0, 0, 0], normal: [1, 0, 0]}}}}""")
    assert problem(action.replace("\n", " "), tmp_path) == (
        ".pipelines.pl.b.type: slice works on a volume, and what comes before it, contour, gives a "
        "surface; put it earlier"
    )


def test_pipelines_in_a_circle(tmp_path: Path) -> None:
    f = "f: {type: 3slice}"
    text = pipelines(f"{{a: {{pipeline: b, {f}}}, b: {{pipeline: a, {f}}}}}")
    (found,) = problems(f"fields: {{rho: }}\nactions: [{text}]", tmp_path)
    assert found.endswith("pipelines.b.pipeline: 'a' has this one for its input")
