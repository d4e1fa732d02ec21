"""Renders: every word is read, and nonsense refused with its place."""

from pathlib import Path

import pytest

from insitu.render.camera import CameraSettings
from insitu.render.picture.cinema import Cinema
from insitu.render.picture.view import View
from tests.support.action_files import done, problem, render, scene

PLOTS = "plots: {p: {type: volume, field: rho}}"


def test_every_word(tmp_path: Path) -> None:
    text = """{image_name: exact, image_width: 320, image_height: 200, render_bg: "false",
        camera: {position: [1, 2, 3], fov: 40}, bg_color: [0, 0, 0, 1], title: The blast,
        world_annotations: "false", screen_annotations: "true", annotations: "true",
        dataset_bounds: [0, 1, 0, 2, 0, 3]}"""
    (view,) = done(render(text), tmp_path).views
    assert view == View(
        name="r",
        image_name="exact",
        image_width=320,
        image_height=200,
        camera=CameraSettings(position=(1.0, 2.0, 3.0), fov=40),
        bg_color=(0.0, 0.0, 0.0),
        render_bg=False,
        world_annotations=False,
        screen_annotations=True,
        dataset_bounds=(0.0, 1.0, 0.0, 2.0, 0.0, 3.0),
        title="The blast",
    )


def test_names_of_pictures(tmp_path: Path) -> None:
    names = {
        f"{{{PLOTS}}}": View(image_prefix="s"),
        f"{{{PLOTS}, image_prefix: a}}": View(image_prefix="a"),
        f"{{{PLOTS}, image_name: a}}": View(image_name="a"),
        # The scene's serves a render that has none.
        f"{{{PLOTS}, image_prefix: a, renders: {{r: {{}}}}}}": View(name="r", image_prefix="a"),
        f"{{{PLOTS}, image_prefix: a, renders: {{r: {{image_name: b}}}}}}": View(
            name="r", image_name="b"
        ),
    }
    for text, view in names.items():
        assert done(scene(text), tmp_path).views == (view,)


@pytest.mark.parametrize(
    ("words", "phi", "theta"),
    [
        ("phi: 4, theta: 2", (-180, -90, 0, 90), (0, 90)),
        ("phi_angles: [10, 20], theta_angles: 5", (10, 20), (5,)),
        (
            "phi_range: [0, 90], dphi: 45, theta_range: [0, 30], theta_num_angles: 3",
            (0, 45, 90),
            (0, 15, 30),
        ),
    ],
)
def test_cinema(words: str, phi: tuple, theta: tuple, tmp_path: Path) -> None:
    text = f"{{type: cinema, db_name: blast, {words}, camera: {{zoom: 2}}, image_width: 64}}"
    found = done(render(text), tmp_path)
    view = View(image_width=64)
    assert found.views == ()
    assert found.cinemas == (Cinema(db_name="blast", phi=phi, theta=theta, zoom=2.0, view=view),)


CINEMA = "type: cinema, db_name: d"


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (
            render("{image_prefix: a, image_width: 0}"),
            ".r.image_width: 0 is not a number in 1..16384",
        ),
        (render("{}"), ".renders.r.image_prefix: is required, or image_name"),
        (render("{image_prefix: a, image_name: b}"), ".r.image_name: given together with"),
        (render("{image_prefix: a, camera: {zom: 2}}"), ".renders.r.camera.zom: unknown"),
        (render("{image_prefix: a, bg_color: [1, 2]}"), ".renders.r.bg_color: expected red, green"),
        (render("{image_prefix: a, bg_color: [1, 2, 0]}"), ".r.bg_color: 2 is not a number"),
        (render("{image_prefix: a, annotations: no}"), ".renders.r.annotations: 'no' is neither"),
        (render("{image_prefix: a, render_bg: 2}"), ".renders.r.render_bg: 2 is neither"),
        (render("{image_prefix: a, title: []}"), ".renders.r.title: expected a text, found a list"),
        (
            render("{image_prefix: a, dataset_bounds: [0, 1, 0, 1, 2, 1]}"),
            ".r.dataset_bounds: expected x0, x1, y0, y1, z0, z1, each first not above the second",
        ),
        (
            render("{image_prefix: a, shading: enabled}"),
            ".r.shading: unknown key; expected one of type, image_prefix, image_name, camera",
        ),
        (render("{image_prefix: a, type: auto_camera}"), ".r.type: 'auto_camera' is not supported"),
        (render("{image_prefix: a%s}"), ".renders.r.image_prefix: 'a%s': the only pattern is"),
        (render("{image_prefix: a/}"), ".renders.r.image_prefix: expected the beginning of a file"),
        (render("{image_name: 7}"), ".renders.r.image_name: expected a file name without"),
        (
            render(f"{{{CINEMA}, theta: 2}}"),
            ".r.phi: is required, or phi_angles, or phi_range with",
        ),
        (render(f"{{{CINEMA}, phi: 0, theta: 2}}"), ".r.phi: 0 is not a number in 1..3600"),
        (render(f"{{{CINEMA}, phi_range: [2, 1], dphi: 1}}"), ".r.phi_range: expected two angles"),
        (render(f"{{{CINEMA}, phi_range: [0, 1], dphi: 0}}"), ".r.dphi: 0 is not a number"),
        (render("{type: cinema, phi: 1, theta: 1}"), ".renders.r.db_name: is required"),
        (render("{type: cinema, db_name: a/b}"), ".r.db_name: 'a/b' is not a folder name"),
        (
            render(f"{{{CINEMA}, phi: 1, theta: 1, camera: {{fov: 2}}}}"),
            ".r.camera.fov: unknown key; expected one of zoom",
        ),
        (
            render(f"{{{CINEMA}, phi: 1, theta: 1, camera: {{zoom: 0}}}}"),
            ".r.camera.zoom: 0 is not positive",
        ),
        (
            scene(f"{{{PLOTS}, renders: {{a: {{image_prefix: x}}, b: {{image_name: x}}}}}}"),
            ".renders.b.image_name: 'x' would overwrite what actions[0].scenes.s.renders.a"
            ".image_prefix writes",
        ),
    ],
)
def test_a_mistake_is_named_with_its_whole_path(action: str, expected: str, tmp_path: Path) -> None:
    assert expected in problem(action, tmp_path)
