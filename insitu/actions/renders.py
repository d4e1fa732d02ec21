"""Reading the renders of a scene: pictures from one side, and Cinema databases from all around.

In: what a scene says of them. Out: Views and Cinemas, or Refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from insitu.actions.reader import Reader
from insitu.actions.refusal import Refused, color, count, flag, inside, keys, named, numbers, shown
from insitu.actions.refusal import text as a_text
from insitu.render.camera import Camera
from insitu.render.cinema import FOLDER, Cinema
from insitu.render.view import View
from insitu.render.words import check_keys, number
from insitu.yaml_tree import KeyPath

_UNIT_BOUNDS = (np.zeros(3), np.ones(3))
_LARGEST = 16384  # pixels of a side
_MOST_ANGLES = 3600

SIZES = ("image_width", "image_height")
_FLAGS = ("render_bg", "annotations", "world_annotations", "screen_annotations")
LOOK = (*SIZES, "bg_color", *_FLAGS, "dataset_bounds", "title")
_ANGLES = {
    angle: (angle, f"{angle}_angles", f"{angle}_range", f"d{angle}", f"{angle}_num_angles")
    for angle in ("phi", "theta")
}
CINEMA = ("db_name", "camera", *_ANGLES["phi"], *_ANGLES["theta"])


def read_renders(
    reader: Reader, scene: Mapping[str, Any], path: KeyPath, name: str
) -> tuple[tuple[View, ...], tuple[Cinema, ...]]:
    """The renders of a scene, by default one; the scene's own name of pictures serves a render
    that has none."""
    if "renders" not in scene:
        names = _names(reader, scene, path) or _names(reader, {"image_prefix": name}, path)
        return (View(**names),), ()
    views, cinemas = [], []
    renders, path = scene["renders"], (*path, "renders")
    for key, render in named(renders, path, "renders").items():
        place = (*path, key)
        if isinstance(render, Mapping) and render.get("type") == "cinema":
            keys(render, place, ("type", *CINEMA, *LOOK))
            cinemas.append(read_cinema(reader, render, place))
        else:
            keys(render, place, ("type", "image_prefix", "image_name", "camera", *LOOK))
            if "type" in render:
                raise Refused((*place, "type"), f"{render['type']!r} is not done; there is cinema")
            views.append(_view(reader, render, place, scene, str(key)))
    return tuple(views), tuple(cinemas)


def _view(
    reader: Reader, render: Mapping[str, Any], path: KeyPath, scene: Mapping[str, Any], name: str
) -> View:
    camera = read_camera(render, path)
    look = read_look(render, path)
    names = _names(reader, render, path) or _names(reader, scene, path)
    if not names:
        raise Refused((*path, "image_prefix"), "is required, or image_name")
    return View(name=name, camera=camera, **look, **names)


def read_camera(render: Mapping[str, Any], path: KeyPath) -> Mapping[str, Any] | None:
    with inside(path):
        Camera.from_ascent(render.get("camera"), _UNIT_BOUNDS)
    return render.get("camera")


def read_look(render: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
    """Size, background and annotations, as View has them."""
    look: dict[str, Any] = {}
    with inside(path):
        for key in SIZES:
            if key in render:
                look[key] = count(render[key], key, _LARGEST)
        if "bg_color" in render:
            look["bg_color"] = color(render["bg_color"], "bg_color")
        flags = {key: flag(render[key], key) for key in _FLAGS if key in render}
        if not flags.pop("annotations", True):
            flags |= {"world_annotations": False, "screen_annotations": False}
        look |= flags
        if "dataset_bounds" in render:
            look["dataset_bounds"] = _bounds(render["dataset_bounds"])
    if "title" in render:
        look["title"] = a_text(render["title"], (*path, "title"))
    return look


def _bounds(given: Any) -> tuple[float, ...]:
    bounds = numbers(given, "dataset_bounds")
    if len(bounds) != 6 or not all(
        low < high for low, high in zip(*[iter(bounds)] * 2, strict=True)
    ):
        raise ValueError(
            f"dataset_bounds: expected x0, x1, y0, y1, z0, z1, each first below the second, "
            f"found {shown(given)}"
        )
    return bounds


def _names(reader: Reader, given: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
    """The name of the pictures, if one is given."""
    if "image_prefix" in given and "image_name" in given:
        raise Refused((*path, "image_name"), "given together with image_prefix; choose one")
    for key in ("image_prefix", "image_name"):
        if key in given:
            read = _prefix if key == "image_prefix" else _name
            return {key: read(reader, given[key], (*path, key))}
    return {}


def _name(reader: Reader, given: Any, path: KeyPath) -> str:
    if not isinstance(given, str) or not given or given.endswith("/"):
        raise Refused(path, f"expected a file name without its ending, found {shown(given)}")
    return reader.output(given, path)


def _prefix(reader: Reader, given: Any, path: KeyPath) -> str:
    """A prefix of picture files: its only % is of a pattern for the cycle, as in %04d."""
    if not isinstance(given, str) or not given or given.endswith("/"):
        raise Refused(path, f"expected the beginning of a file name, found {shown(given)}")
    if "%" in re.sub(r"%0?\d*d", "", given, count=1):
        raise Refused(path, f"{given!r}: the only pattern is one like %04d, for the cycle")
    return reader.output(given, path)


def read_cinema(reader: Reader, render: Mapping[str, Any], path: KeyPath) -> Cinema:
    """A Cinema database; the eye is Cinema's affair, but for `camera: {zoom: ...}`."""
    if "db_name" not in render:
        raise Refused((*path, "db_name"), "is required")
    name = a_text(render["db_name"], (*path, "db_name"), "the name of a folder")
    if "/" in name or name in (".", ".."):
        raise Refused((*path, "db_name"), f"{name!r} is not the name of a folder alone")
    reader.output(f"{FOLDER}/{name}", (*path, "db_name"))
    camera = render.get("camera")
    with inside(path):
        if camera is not None:
            check_keys(camera, ("zoom",), "camera")
        zoom = number((camera or {}).get("zoom", 1.0), "camera/zoom")
        if zoom <= 0:
            raise ValueError(f"camera/zoom: {zoom} is not positive")
        phi = _angles(render, "phi", -180.0, 360.0)
        theta = _angles(render, "theta", 0.0, 180.0)
    view = View(**read_look(render, path))
    return Cinema(db_name=name, phi=phi, theta=theta, zoom=zoom, view=view)


def _angles(render: Mapping[str, Any], angle: str, first: float, span: float) -> tuple[float, ...]:
    """Degrees: so many from `first` on over `span`; given one by one; or within a range, by the
    distance between two or by their number."""
    whole, each, within, apart, parts = _ANGLES[angle]
    if whole in render:
        n = count(render[whole], whole, _MOST_ANGLES)
        return tuple((first + span / n * np.arange(n)).tolist())
    if each in render:
        return numbers(render[each], each, _MOST_ANGLES)
    if within not in render or (apart not in render and parts not in render):
        raise ValueError(f"{angle}: is required, or {each}, or {within} with {apart} or {parts}")
    ends = numbers(render[within], within)
    if len(ends) != 2 or not ends[0] < ends[1]:
        raise ValueError(f"{within}: expected two angles, the first below the second")
    if parts in render:
        n = count(render[parts], parts, _MOST_ANGLES, 2)
        return tuple(np.linspace(*ends, n).tolist())
    step = number(render[apart], apart, (ends[1] - ends[0]) / _MOST_ANGLES)
    n = int((ends[1] - ends[0] + 1e-6) // step) + 1
    return tuple((ends[0] + step * np.arange(n)).tolist())
