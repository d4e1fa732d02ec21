"""Scenes and extracts of a whole run, in Ascent's words, on any number of ranks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mpi4py import MPI
from PIL import Image

import insitu
from insitu.core.errors import ConfigError
from insitu.metrics import psnr
from insitu.render.picture.image import DARK
from tests.support.moving import Moving
from tests.support.sessions import steps

COMM = MPI.COMM_WORLD
NETWORK = {"log2_hashmap_size": 11, "n_levels": 3}
DUE = [2, 4, 6, 8]
LOOK = (
    "image_width: 72, image_height: 64, annotations: 'false', "
    "camera: {azimuth: 30, elevation: 20, position: [0.5, 0.5, 2.6]}"
)

PIPELINES = """
- action: add_pipelines
  pipelines:
    shell: {f: {type: contour, params: {field: density, iso_values: [0.5, 0.9]}}}
    levels: {f: {type: contour, params: {field: density, levels: 3}}}
    plane: {f: {type: slice, params: {
      point: {x_offset: 0, y_offset: 0, z_offset: -0.1}, normal: {x: 0, y: 0, z: 1}}}}
    oblique: {f: {type: slice, params: {point: [0.5, 0.5, 0.5], normal: [1, 1, 2]}}}
    planes: {f: {type: 3slice}}
    speed: {f: {type: vector_magnitude, params: {field: velocity, output_name: speed}}}
    fast: {pipeline: speed, g: {type: contour, params: {field: speed, levels: 2}}}
    whirl: {f: {type: vorticity, params: {field: velocity}},
            g: {type: vector_magnitude, params: {field: vorticity, output_name: whirl}}}
    clipped: {f: {type: clip, params: {plane: {point: [0.5, 0, 0], normal: [1, 0, 0]}}}}
    ball: {f: {type: clip, params: {sphere: {center: [0.5, 0.5, 0.5], radius: 0.4},
           invert: "true"}}}
    dense: {f: {type: isovolume, params: {field: density, min_value: 0.5, max_value: 9}}}
    cells: {f: {type: threshold, params: {field: density, min_value: 0.5, max_value: 9}}}
    thin: {f: {type: clip_with_field, params: {field: density, clip_value: 0.6,
           invert: "true"}}, g: {type: 3slice}}
    streams: {f: {type: streamline, params: {field: velocity, num_steps: 40, step_size: 0.02,
      seeds: {type: line, start: [0.1, 0.2, 0.3], end: [0.9, 0.8, 0.7], num_seeds: 6,
              sampling_type: uniform}}}}
    paths: {f: {type: pathlines, params: {field: velocity, rendering: {tube_size: 0.02},
      seeds: {type: isosurface, field: density, iso_value: 0.9, num_seeds: 30}}}}
"""
SHOWN = {
    "shell": "density", "levels": "velocity", "plane": "density", "oblique": "density",
    "planes": "velocity", "speed": "speed", "fast": "density", "whirl": "whirl",
    "clipped": "density", "ball": "density", "dense": "density", "cells": "density",
    "thin": "density", "streams": "speed", "paths": "time",
}  # fmt: skip


def run_file(folder: Path, actions: list[Any], **changes: Any) -> dict[str, Any]:
    """Every second of 4 steps is recorded."""
    return {
        "fields": {
            "density": {"psnr": 38, "network": NETWORK},
            "velocity": {"network": NETWORK, "iterations": 60},
        },
        "window": {"steps": 3, "every": 2},
        "actions": actions,
        "output": str(folder),
        "on_error": "raise",
        **changes,
    }


def scene(name: str, *plots: str, words: str = "", render: str = LOOK) -> dict[str, Any]:
    shown = {f"p{i}": yaml.safe_load(f"{{{plot}}}") for i, plot in enumerate(plots)}
    given = yaml.safe_load(f"{{{words}}}") or {}
    renders = {"r": {"image_prefix": f"{name}_%d", **yaml.safe_load(f"{{{render}}}")}}
    return {"action": "add_scenes", "scenes": {name: {"plots": shown, "renders": renders, **given}}}


def extract(name: str, text: str) -> dict[str, Any]:
    return {"action": "add_extracts", "extracts": {name: yaml.safe_load(text)}}


def go(folder: Path, actions: list[Any], comm: MPI.Comm = COMM, **changes: Any) -> list[Any]:
    """Run it -> the reports."""
    session = insitu.open(run_file(folder, actions, **changes), comm)
    reports = steps(session, Moving(comm, steps=4))
    session.close()
    comm.barrier()
    return reports


def picture(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)) / 255.0


@pytest.mark.parallel([1, 3])
def test_colours_that_show_the_error_are_told_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plot = "type: volume, field: density"
    scenes = [
        scene("narrow", f"{plot}, min_value: 0.4, max_value: 0.5"),
        scene("wide", f"{plot}, min_value: 0, max_value: 1"),
        scene("own", plot),
    ]
    go(folder, scenes, fields={"density": {"psnr": 40}})
    said = [r.getMessage() for r in caplog.records if "is shown from" in r.getMessage()]
    if COMM.rank == 0:
        (text,) = said
        assert "scene narrow: density is shown from 0.4 to 0.5, of which its error is 1" in text
        db = int(text.split("psnr: ")[1].split()[0])
        assert 55 < db < 65  # the range is ten times what is shown
    else:
        assert not said


@pytest.mark.parallel(3)
def test_every_filter_is_shown_and_does_not_depend_on_the_ranks(folder: Path) -> None:
    pytest.importorskip("vtkmodules")
    actions = [
        *yaml.safe_load(PIPELINES),
        *(scene(n, f"type: pseudocolor, pipeline: {n}, field: {f}") for n, f in SHOWN.items()),
    ]
    reports = go(folder, actions)
    assert len(reports[3].files) == len(SHOWN)
    if COMM.rank == 0:
        go(folder / "alone", actions, MPI.COMM_SELF)
        for name in SHOWN:
            ours, alone = (picture(f / f"{name}_4.png") for f in (folder, folder / "alone"))
            shown = np.abs(ours - DARK).max(axis=-1) > 0.02
            assert 0.003 < shown.mean() < 0.9, name
            # Other blocks, other networks: edges move, and so do seeds and lines.
            assert psnr(ours, alone, 1.0) > (15 if name in ("streams", "paths") else 22), name


@pytest.mark.parallel([1, 3])
def test_geometry_in_a_volume(folder: Path) -> None:
    """What is in front veils, what is behind is hidden: the slice is seen through the volume."""
    plane, volume = (
        "type: pseudocolor, pipeline: plane, field: density",
        "type: volume, field: density",
    )
    actions = [
        *yaml.safe_load(PIPELINES),
        scene("both", plane, volume),
        scene("surface", plane),
        scene("volume", volume),
    ]
    go(folder, actions)
    if COMM.rank == 0:
        both, surface, volume = (
            picture(folder / f"{name}_4.png") for name in ("both", "surface", "volume")
        )
        covered = np.abs(surface - DARK).max(axis=-1) > 0.02
        assert 0.1 < covered.mean() < 0.6
        # Beside the slice there is the volume alone; on it both, and neither alone.
        inner = covered & np.roll(covered, 3, 0) & np.roll(covered, -3, 0)
        outer = ~(covered | np.roll(covered, 3, 1) | np.roll(covered, -3, 1))
        assert np.abs(both - volume)[outer].max() < 0.05
        assert np.abs(both - volume)[inner].max() > 0.1
        assert np.abs(both - surface)[inner].max() > 0.05


@pytest.mark.parallel([1, 3])
def test_a_part_of_a_volume(folder: Path) -> None:
    actions = [
        *yaml.safe_load(PIPELINES),
        scene("whole", "type: volume, field: density, max_value: 1, min_value: 0"),
        scene(
            "part", "type: volume, field: density, pipeline: clipped, max_value: 1, min_value: 0"
        ),
    ]
    go(folder, actions)
    if COMM.rank == 0:
        whole, part = (picture(folder / f"{name}_4.png") for name in ("whole", "part"))
        lit = [(np.abs(p - DARK).max(axis=-1) > 0.02).sum() for p in (whole, part)]
        assert 0.2 * lit[0] < lit[1] < 0.9 * lit[0]


@pytest.mark.parallel([1, 3])
def test_extracts(folder: Path) -> None:
    pytest.importorskip("vtkmodules")
    small = "image_width: 16, image_height: 16, annotations: 'false'"
    actions = [
        *yaml.safe_load(PIPELINES),
        scene("s", "type: volume, field: density", render=small),
        extract("a", "{type: relay, pipeline: speed, params: {path: a, protocol: numpy}}"),
        extract("b", "{type: relay, pipeline: shell, params: {path: b_%02d, fields: [density]}}"),
        extract("c", "{type: relay, pipeline: shell, window: 2, params: {path: c, protocol: ply}}"),
        extract("d", "{type: relay, pipeline: paths, params: {path: d}}"),
        extract("e", "{type: movie, params: {scene: s, path: e.gif}}"),
        extract(
            "f",
            f"{{type: cinema, params: {{plots: {{p: {{type: volume, field: density}}}}, {small}, "
            "phi: 2, theta: 1, db_name: f}}",
        ),
        extract("g", "{type: python, params: {source: 'files.append(str(cycle))'}}"),
    ]
    reports = go(folder, actions)
    names = [
        "s_4.png", "a_000004", "b_04.pvtp", "c_000002.ply", "c_000004.ply", "d_000004.vtp",
        "e.gif", "cinema_databases/f/info.json",
    ]  # fmt: skip
    assert [Path(f) for f in reports[3].files] == [*(folder / n for n in names), Path("4")]
    assert all((folder / name).exists() for name in names)
    if COMM.rank == 0:
        with Image.open(folder / "e.gif") as movie:
            assert movie.n_frames == 2 and movie.size == (16, 16)
        index = json.loads((folder / "cinema_databases/f/info.json").read_text())
        assert index["arguments"]["time"]["values"] == ["2", "4"]


@pytest.mark.parallel([1, 3])
def test_an_action_that_fails_leaves_the_others(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fails = "if comm.rank == comm.size - 1: raise ValueError('no')"
    actions = [
        extract("a", f"{{type: python, params: {{source: {json.dumps(fails)}}}}}"),
        scene("s", "type: volume, field: density, max_value: 1", words="window: 2"),
        scene("t", "type: volume, field: density, min_value: 99"),
    ]
    reports = go(folder, actions, on_error="warn")
    assert [len(r.files) for r in reports if r] == [1, 2]  # of s alone
    told = [text for text in caplog.messages if "skipped" in text]
    if COMM.rank == 0:
        assert len(told) == 4
        assert f"extract a: rank {COMM.size - 1}: ValueError: no" in told[1] + told[0]
        assert any("scene t: plot: min_value 99" in text for text in told)


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        # What a plot's pipeline reads, not what it is called.
        ([scene("s", "type: pseudocolor, pipeline: fast, field: speed")], {"velocity": DUE}),
        (
            [scene("s", "type: pseudocolor, pipeline: fast, field: density")],
            {"density": DUE, "velocity": DUE},
        ),
        # Lines read the past of the velocity, but not that of what their seeds are on.
        (
            [
                {
                    "action": "add_triggers",
                    "triggers": {
                        "t": {
                            "params": {
                                "condition": "cycle() == 5",
                                "max_firings": 1,
                                "actions": [
                                    scene("s", "type: pseudocolor, pipeline: paths, field: time")
                                ],
                            }
                        }
                    },
                }
            ],
            {"density": [5], "velocity": [2, 4, 5]},
        ),
        # A script may look at any field, unless it says at which.
        ([extract("e", "{type: python, params: {source: pass}}")],
         {"density": DUE, "velocity": DUE}),
        ([extract("e", "{type: python, params: {source: pass, fields: [density]}}")],
         {"density": DUE}),
    ],
)  # fmt: skip
def test_what_is_trained(
    folder: Path,
    trainings: list[tuple[int, str]],
    actions: list[Any],
    expected: dict[str, list[int]],
) -> None:
    pytest.importorskip("vtkmodules")
    config = run_file(folder, [*yaml.safe_load(PIPELINES), *actions])
    session = insitu.open(config, COMM)
    steps(session, Moving(COMM, steps=8))
    session.close()
    found: dict[str, list[int]] = {}
    for cycle, name in trainings:
        found.setdefault(name, []).append(cycle)
    assert {name: sorted(cycles) for name, cycles in found.items()} == expected


@pytest.mark.parallel([1, 3])
def test_a_field_that_is_not_what_a_filter_needs(folder: Path) -> None:
    pipeline = {"f": {"type": "vorticity", "params": {"field": "density"}}}
    actions = [
        {"action": "add_pipelines", "pipelines": {"pl": pipeline}},
        scene("s", "type: pseudocolor, pipeline: pl, field: vorticity"),
    ]
    session = insitu.open(run_file(folder, actions), COMM)
    with pytest.raises(
        ConfigError, match="scene s: field: 'density' has 1 components; expected a vector of 3"
    ):
        session.check(Moving(COMM).mesh())
    session.close()
