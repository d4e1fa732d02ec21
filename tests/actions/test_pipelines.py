"""Pipelines and filters: chains, every parameter, and how nonsense is refused with its place."""

import math
from pathlib import Path
from typing import Any

import pytest

from insitu.filters.clip_filters import Clip, ValueRange
from insitu.filters.derived import Derive
from insitu.filters.geometry.shapes import Box, Plane, Sphere
from insitu.filters.particle_filters import Pathlines, Streamline
from insitu.filters.seeds import Box as SeedBox
from insitu.filters.seeds import Line, OnIsosurface, Points
from insitu.filters.surface_filters import Contour, Slice, ThreeSlice
from insitu.filters.unchanged import Unchanged, UnchangedSurface
from insitu.filters.uniform_grid import UniformGrid
from tests.support.action_files import load, problem, problems

POINT = "{type: point, location: [1, 2, 3]}"
PLACE = Points(((1.0, 2.0, 3.0),))
RENDERING = "{tube_size: 0.5, tube_value: 2, output_field: a, enable_tubes: 'true'}"
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
        (
            "clip",
            "sphere: {center: {x: 0, y: 0, z: 1}, radius: 2}, invert: 'true', topology: mesh",
            Clip(Sphere((0.0, 0.0, 1.0), 2.0), True),
            "rho",
        ),
        (
            "clip",
            "box: {min: [0, 0, 0], max: {x: 1, y: 2, z: 3}}",
            Clip(Box((0.0, 0.0, 0.0), (1.0, 2.0, 3.0))),
            "u",
        ),
        (
            "clip",
            "plane: {point: [0, 0, 0], normal: [0, 0, 2]}",
            Clip(Plane((0.0, 0.0, 0.0), (0.0, 0.0, 1.0))),
            "rho",
        ),
        (
            "clip_with_field",
            "field: rho, clip_value: 0.5",
            ValueRange("clip_with_field", "rho", 0.5, math.inf),
            "rho",
        ),
        (
            "clip_with_field",
            "field: rho, clip_value: 0.5, invert: 'true'",
            ValueRange("clip_with_field", "rho", -math.inf, 0.5),
            "rho",
        ),
        (
            "isovolume",
            "field: rho, min_value: 1, max_value: 2",
            ValueRange("isovolume", "rho", 1.0, 2.0),
            "u",
        ),
        (
            "threshold",
            "field: rho, min_value: 1, max_value: 1, invert: 'true', topology: mesh",
            ValueRange("threshold", "rho", 1.0, 1.0, True),
            "rho",
        ),
        (
            "streamline",
            f"field: u, seeds: {POINT}, num_steps: 9, step_size: 0.1, rendering: {RENDERING}",
            Streamline(
                "u", PLACE, step_size=0.1, num_steps=9, tube_size=0.5, output="a", tube_value=2.0
            ),
            "a",
        ),
        (
            "streamline",
            f"field: u, seeds: {POINT}, num_steps: 9, step_size: 0.1",
            Streamline("u", PLACE, step_size=0.1, num_steps=9, output="u_streamlines"),
            "speed",
        ),
        ("pathlines", f"field: u, seeds: {POINT}", Pathlines("u", PLACE), "time"),
        (
            "pathlines",
            f"field: u, seeds: {POINT}, direction: forward, window: 3, method: rk45, "
            "tolerance: 1e-3, max_length: 2, num_steps: 5, step_size: 1",
            Pathlines(
                "u",
                PLACE,
                "rk45",
                1.0,
                5,
                direction="forward",
                window=3,
                tolerance=1e-3,
                max_length=2.0,
            ),
            "speed",
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
    ("seeds", "expected"),
    [
        ("{type: point, location: [1, 2, 3]}", PLACE),
        (
            "{type: point_list, location: [1, 2, 3, 4, 5, 6]}",
            Points(((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))),
        ),
        (
            "{type: line, start: [0, 0, 0], end: [1, 1, 1], num_seeds: 4, sampling_type: uniform}",
            Line((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 4),
        ),
        (
            "{type: line, start: [0, 0, 0], end: [1, 1, 1], num_seeds: 4, sampling_type: random}",
            Line((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 4, True),
        ),
        (
            "{type: box, sampling_space: interior, sampling_type: random, num_seeds: 7}",
            SeedBox(random=7),
        ),
        (
            "{type: box, sampling_space: boundary, sampling_type: uniform, num_seeds_x: 1, "
            "num_seeds_y: 2, num_seeds_z: 3, extents_x: [0, 1], extents_y: [0, 2], "
            "extents_z: [0, 3]}",
            SeedBox((1, 2, 3), 0, ((0.0, 1.0), (0.0, 2.0), (0.0, 3.0)), True),
        ),
        (
            "{type: isosurface, field: rho, iso_value: 0.5, num_seeds: 9}",
            OnIsosurface("rho", 0.5, 9),
        ),
    ],
)
def test_seeds(seeds: str, expected: object, tmp_path: Path) -> None:
    action = one("pathlines", f"field: u, seeds: {seeds}")
    (found,) = plotted(action, "field: time, pipeline: pl", tmp_path).filters
    assert found.seeds == expected
    wanted = {"u", "rho"} if isinstance(expected, OnIsosurface) else {"u"}
    assert found.reads(frozenset({"time"})) == wanted
    assert found.past == {"u": "all"}


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (one("clip", ""), ".params: expected one of sphere, box, plane, found 0 of them"),
        (
            one("clip", "sphere: {}, box: {}"),
            ".params: expected one of sphere, box, plane, found",
        ),
        (one("clip", "cylinder: {}"), ".cylinder: unknown key; expected one of sphere, box, plane"),
        (one("clip", "sphere: {center: [0, 0, 0]}"), ".params.sphere.radius: is required"),
        (
            one("clip", "sphere: {center: [0, 0, 0], radius: 0}"),
            ".radius: 0 is not positive",
        ),
        (one("clip", "box: {min: [0, 0, 0], max: [1, 0, 1]}"), ".params.box.min: (0.0, 0.0, 0.0)"),
        (one("clip", "plane: {point: 1, normal: [0, 0, 1]}"), ".plane.point: expected x, y and z"),
        (one("clip", "plane: {point: [0, 0, 0], normal: [0, 0, 0]}"), ".plane.normal: 0, 0, 0 is"),
        (one("clip", "invert: maybe"), ".params.invert: 'maybe' is neither true nor false"),
        (one("clip_with_field", "field: rho"), ".params.clip_value: is required"),
        (one("clip_with_field", "field: u, clip_value: 1"), ".params.field: 'u' has 3 components"),
        (one("isovolume", "field: rho, min_value: 1"), ".params.max_value: is required"),
        (
            one("isovolume", "field: rho, min_value: 1, max_value: 1"),
            ".params.min_value: 1 is not below max_value, 1",
        ),
        (one("iso_volume", ""), ".f.type: unknown filter 'iso_volume'; did you mean 'isovolume'?"),
        (one("threshold", "field: rho, min_value: 2, max_value: 1"), ".min_value: 2 is not below"),
        (
            one("threshold", "sphere: {}"),
            ".params.sphere: unknown key; expected one of field",
        ),
        (one("streamline", f"field: u, seeds: {POINT}"), ".params.num_steps: is required"),
        (
            one("streamline", f"field: u, seeds: {POINT}, num_steps: 1, step_size: 0"),
            ".params.step_size: 0 is not positive",
        ),
        (
            one("streamline", "field: u, num_seeds: 3"),
            ".params.num_seeds: unknown key; did",
        ),
        (
            one("pathlines", f"field: u, seeds: {POINT}, direction: back"),
            ".params.direction: 'back' is not one of backward, forward; did you mean 'backward'?",
        ),
        (
            one("pathlines", f"field: u, seeds: {POINT}, method: euler"),
            ".method: 'euler' is not",
        ),
        (
            one("pathlines", f"field: u, seeds: {POINT}, window: 99"),
            ".params.window: the window keeps 20; set window.steps to 99",
        ),
        (one("pathlines", f"field: rho2, seeds: {POINT}"), ".params.field: no field 'rho2'"),
        (
            one("pathlines", "field: u, seeds: 3"),
            ".params.seeds: expected keys and values",
        ),
        (
            one("pathlines", "field: u, seeds: {}"),
            ".seeds.type: is required: one of point, ",
        ),
        (
            one("pathlines", "field: u, seeds: {type: dot}"),
            ".seeds.type: 'dot' is not one of",
        ),
        (one("pathlines", "field: u, seeds: {type: point}"), ".params.seeds.location: is required"),
        (
            one("pathlines", "field: u, seeds: {type: point_list, location: [1, 2]}"),
            ".params.seeds.location: 2 numbers; expected x, y and z of each point",
        ),
        (
            one("pathlines", "field: u, seeds: {type: box, sampling_space: inside}"),
            ".params.seeds.sampling_type: is required: uniform or random",
        ),
        (
            one(
                "pathlines",
                "field: u, seeds: {type: box, sampling_space: inside, sampling_type: random, "
                "num_seeds: 1}",
            ),
            ".params.seeds.sampling_space: 'inside' is not one of interior, boundary",
        ),
        (
            one(
                "pathlines",
                "field: u, seeds: {type: box, sampling_space: interior, sampling_type: random, "
                "num_seeds: 1, x_extents: [0, 1]}",
            ),
            ".params.seeds.x_extents: unknown key; did you mean 'extents_",
        ),
        (
            one(
                "pathlines",
                "field: u, seeds: {type: isosurface, field: zz, iso_value: 1, num_seeds: 1}",
            ),
            ".params.seeds.field: no field 'zz' recorded by this run",
        ),
        (
            one("pathlines", f"field: u, seeds: {POINT}, rendering: {{tubes: 1}}"),
            ".params.rendering.tubes: unknown key",
        ),
    ],
)
def test_mistakes_in_regions_and_lines(action: str, expected: str, tmp_path: Path) -> None:
    assert expected in problem(action, tmp_path)


@pytest.mark.parametrize(
    ("filters", "plot", "expected"),
    [
        (
            "a: {type: vorticity, params: {field: u}}, "
            f"b: {{type: pathlines, params: {{field: vorticity, seeds: {POINT}}}}}",
            "field: time",
            "b.params.field: 'vorticity' is computed by a filter; pathlines needs a recorded field",
        ),
        (
            "a: {type: clip, params: {box: {min: [0, 0, 0], max: [1, 1, 1]}}}, "
            f"b: {{type: pathlines, params: {{field: u, seeds: {POINT}}}}}",
            "field: time",
            "b.type: pathlines needs complete fields; put it before clip",
        ),
        (
            "a: {type: isovolume, params: {field: rho, min_value: 0, max_value: 1}}, "
            "b: {type: clip, params: {box: {min: [0, 0, 0], max: [1, 1, 1]}}}",
            "field: rho",
            "plots.p.type: pseudocolor after isovolume and clip is not supported; use",
        ),
    ],
)
def test_chains_that_cannot_be(filters: str, plot: str, expected: str, tmp_path: Path) -> None:
    fields = "{rho: , u: {components: [ux, uy, uz]}}"
    text = f"""
        fields: {fields}
        actions:
          - {pipelines(f"{{pl: {{{filters}}}}}")}
          - {SHOWN % f"{plot}, pipeline: pl"}
    """
    (found,) = problems(text, tmp_path)
    assert expected in found


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
        (one("lagrangian", ""), "insitu has no filter 'lagrangian'; use pathlines"),
        (
            pipelines("{pl: {pipeline: p, f: {type: 3slice}}}"),
            ".pl.pipeline: there is no pipeline 'p'",
        ),
        (one("contour", "iso_values: 1"), ".f.params.field: is required"),
        (one("contour", "field: roh, levels: 1"), ".params.field: no field 'roh'"),
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
        (
            one("slice", "point: [0, 0, 0], normal: [0, 0, 0]"),
            ".params.normal: 0, 0, 0 is not a",
        ),
        (
            one("slice", "point: {x_offset: 2, y_offset: 0, z_offset: 0}, normal: [1, 0, 0]"),
            ".params.point: offsets are in -1..1",
        ),
        (
            one("slice", "plane: {point: [0, 0, 0], normal: [1, 0, 0]}, point: [0, 0, 0]"),
            ".params.plane: given together with point and normal",
        ),
        (
            one("slice", "sphere: {}"),
            ".params.sphere: unknown key; expected one of point",
        ),
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
            ".params.field: 'u' has 3 components; expected a scalar",
        ),
        (
            one("vorticity", "field: u, use_cell_gradient: 1"),
            ".params.use_cell_gradient: 1 is neither true nor false",
        ),
        (one("scale", "x_scale: 1, y_scale: 0, z_scale: 1"), ".params.y_scale: 0 makes the mesh"),
        (one("scale", "x_scale: 1"), ".params.y_scale: is required"),
        (one("transform", "translate: {}"), ".params.translate: expected x, y or z"),
        (one("transform", ""), ".params: expected one of scale, translate, rotate, matrix"),
        (one("transform", "matrix: [1, 2]"), ".params.matrix: expected 16 numbers, found 2"),
        (
            one("transform", "rotate: {angle: 30, axis: {z: 1}}"),
            ".type: transform moves volumes along the axes only",
        ),
        (one("dray_reflect", "point: [0, 0, 0]"), ".params.normal: is required"),
        (one("auto_slice", "field: rhoo"), ".params.field: no field 'rhoo'"),
        (one("histsampling", "field: rho, sample_rate: 0"), ".sample_rate: 0 keeps nothing"),
        (one("uniform_grid", "field: rhoo"), ".params.field: no field 'rhoo'"),
        (one("ghost_stripper", "field: g, min_value: 1, max_value: 2"), ".min_value: 1 is not"),
        (one("triangulate", ""), ".f.type: triangulate needs a surface"),
        (one("triangulate", "min_value: 0"), ".params.min_value: unknown key"),
        (
            one(
                "streamline",
                f"field: u, seeds: {POINT}, num_steps: 9, step_size: 0.1, "
                "rendering: {tube_sides: 2}",
            ),
            ".params.rendering.tube_sides: 2 is not a number in 3..64",
        ),
    ],
)
def test_a_mistake_is_named_with_its_whole_path(action: str, expected: str, tmp_path: Path) -> None:
    assert expected in problem(action, tmp_path)


def test_filters_that_have_nothing_to_do(tmp_path: Path) -> None:
    text = pipelines("""{pl: {
        a: {type: noop, params: {field: rho}},
        b: {type: ghost_stripper, params: {field: ascent_ghosts, min_value: 0, max_value: 0}},
        c: {type: contour, params: {field: rho, levels: 1}},
        d: {type: triangulate},
        e: {type: clean_grid}}}""")
    found = plotted(text.replace("\n", " "), "field: rho, pipeline: pl", tmp_path)
    kept = [Unchanged("noop"), Unchanged("ghost_stripper"), Contour("rho", levels=1)]
    assert list(found.filters) == [*kept, UnchangedSurface("triangulate"), Unchanged("clean_grid")]


def test_without_tubes_lines_have_no_radius(tmp_path: Path) -> None:
    params = f"field: u, seeds: {POINT}, num_steps: 9, step_size: 0.1, rendering: "
    given = one("streamline", params + RENDERING.replace("true", "false"))
    (found,) = plotted(given, "field: a, pipeline: pl", tmp_path).filters
    assert found.tube_size is None


def test_a_uniform_grid_of_one_field(tmp_path: Path) -> None:
    grid = one("uniform_grid", "field: rho, dims: {i: 3, j: 3, k: 3}")
    (found,) = plotted(grid, "field: rho, pipeline: pl", tmp_path).filters
    assert found == UniformGrid((3, 3, 3), field="rho")
    (refused,) = problems(
        f"fields: {{rho: , p: }}\nactions:\n  - {SHOWN % 'field: p, pipeline: pl'}\n  - {grid}",
        tmp_path,
    )
    assert "no field 'p'" in refused


def test_a_filter_that_does_not_suit_what_comes_before(tmp_path: Path) -> None:
    action = pipelines("""{pl: {
        a: {type: contour, params: {field: rho, levels: 1}},
        b: {type: slice, params: {point: [0, 0, 0], normal: [1, 0, 0]}}}}""")
    assert problem(action.replace("\n", " "), tmp_path) == (
        ".pipelines.pl.b.type: slice needs a volume, but contour before it produces a surface; "
        "put it earlier"
    )


def test_pipelines_in_a_circle(tmp_path: Path) -> None:
    f = "f: {type: 3slice}"
    text = pipelines(f"{{a: {{pipeline: b, {f}}}, b: {{pipeline: a, {f}}}}}")
    (found,) = problems(f"fields: {{rho: }}\nactions: [{text}]", tmp_path)
    assert found.endswith("pipelines.b.pipeline: 'a' has this pipeline as its input")
