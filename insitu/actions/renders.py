"""The renders of a scene: single pictures, and Cinema databases of many views.

In: what a scene says of them. Out: Views and Cinemas, or InvalidAction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol

import numpy as np
import pydantic
from pydantic import Field

from insitu.actions.base import REFERENCE, ActionModel, Check, not_together
from insitu.actions.errors import InvalidAction, shown
from insitu.actions.errors import numbers as read_numbers
from insitu.actions.errors import text as read_text
from insitu.actions.reader import ActionParser
from insitu.actions.values import (
    color,
    count,
    flag,
    interval,
    number,
    numbers,
    one_of,
    positive,
    refused,
    text,
    xyz,
)
from insitu.core.yaml_tree import KeyPath
from insitu.render.camera import PROJECTIONS, CameraSettings, Projection
from insitu.render.picture.cinema import FOLDER, Cinema
from insitu.render.picture.image import DARK
from insitu.render.picture.view import DEFAULT_SIZE, View
from insitu.store.manifest import Units

Vector = tuple[float, float, float]

_LARGEST = 16384  # pixels of a side
_MOST_ANGLES = 3600


class CameraParams(ActionModel):
    """Where a picture is taken from. Without it the whole domain is in view, from a side and an
    elevation that suit its shape and contents. What is given changes Ascent's own starting pose:
    looking along -z at the centre of the domain from one diagonal away, y up."""

    position: Annotated[Vector | None, xyz()] = Field(
        None, description="Position of the camera, world coordinates."
    )
    look_at: Annotated[Vector | None, xyz()] = Field(
        None, description="Point that the camera looks at; default: the domain's centre."
    )
    up: Annotated[Vector, xyz()] = Field(
        (0.0, 1.0, 0.0), description="Direction that points up in the picture."
    )
    fov: Annotated[float, number(unit="degrees")] = Field(
        60.0, description="Vertical field of view, above 0 and below 180."
    )
    zoom: Annotated[float, positive()] = Field(
        1.0, description="Magnification; 2 doubles all sizes."
    )
    azimuth: Annotated[float, number(unit="degrees")] = Field(
        0.0, description="Rotates the camera about `up`."
    )
    elevation: Annotated[float, number(unit="degrees")] = Field(
        0.0, description="Then rotates it towards `up`."
    )
    xpan: Annotated[float, number()] = Field(
        0.0, description="Then moves the picture to the right: 1, by half its width."
    )
    ypan: Annotated[float, number()] = Field(0.0, description="And upwards: 1, by half its height.")
    projection: Annotated[Projection, one_of(PROJECTIONS)] = Field(
        "perspective",
        description="`parallel`: without perspective, as for maps (insitu extension). Without a "
        "camera, so are plots of slices through one plane or parallel ones, seen from in front.",
    )
    near_plane: Annotated[float | None, number(0)] = Field(
        None, description="Distance in front of which nothing is shown, world length."
    )
    far_plane: Annotated[float | None, number(0)] = Field(
        None, description="Distance behind which nothing is shown, world length."
    )

    @pydantic.model_validator(mode="after")
    def _possible(self) -> CameraParams:
        self.settings()
        return self

    def settings(self) -> CameraSettings | None:
        """None where nothing is given. Raises ValueError where it is no camera."""
        given = {key: getattr(self, key) for key in self.model_fields_set}
        return CameraSettings(**given) if given else None


class CinemaCamera(ActionModel):
    """The camera of a Cinema database, whose positions are those of the database."""

    zoom: Annotated[float, positive()] = Field(1.0, description="Magnification.")


def _read_bounds(given: Any) -> tuple[float, ...]:
    bounds = read_numbers(given, "")
    pairs = zip(*[iter(bounds)] * 2, strict=True) if len(bounds) == 6 else ()
    if len(bounds) != 6 or not all(low <= high for low, high in pairs):
        raise ValueError(
            "expected x0, x1, y0, y1, z0, z1, each first not above the second, found "
            f"{shown(given)}"
        )
    return bounds


_BOUNDS = Check(
    _read_bounds,
    {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 6,
        "maxItems": 6,
        "title": "`[x0, x1, y0, y1, z0, z1]`",
    },
)
_PIXELS = count(_LARGEST, unit="pixels")


class LookParams(ActionModel):
    """Size, background and annotations of a picture."""

    image_width: Annotated[int, _PIXELS] = Field(DEFAULT_SIZE, description="Width.")
    image_height: Annotated[int, _PIXELS] = Field(DEFAULT_SIZE, description="Height.")
    bg_color: Annotated[Vector, color()] = Field(
        DARK, description="Background colour, components in 0..1; default: dark grey."
    )
    fg_color: Annotated[Vector | None, color()] = Field(
        None, description="Colour of text and of the domain's edges; default: what stands out."
    )
    render_bg: Annotated[bool, flag()] = Field(
        True, description="`false`: the background is transparent."
    )
    annotations: Annotated[bool, flag()] = Field(True, description="`false`: no annotations.")
    world_annotations: Annotated[bool, flag()] = Field(
        True, description="Draw the edges of the domain with ticks, and the directions of x, y, z."
    )
    screen_annotations: Annotated[bool, flag()] = Field(
        True, description="Write title, cycle and time, and draw colour bars."
    )
    dataset_bounds: Annotated[tuple[float, ...] | None, _BOUNDS] = Field(
        None,
        description="Box whose edges are drawn, and that is in view with the domain; default: the "
        "domain.",
    )
    title: Annotated[str, text()] = Field(
        "", description="Text at the top left; default: none (insitu extension)."
    )

    def look(self, units: Units) -> dict[str, Any]:
        """What is given, as View has it."""
        given = {key: getattr(self, key) for key in self.model_fields_set & set(_LOOK)}
        given |= {"time_unit": units.time, "length_unit": units.length}
        if not given.pop("annotations", True):
            given |= {"world_annotations": False, "screen_annotations": False}
        return given


_LOOK = tuple(LookParams.model_fields)


def _prefix(given: Any) -> str:
    """The beginning of a file name; its only % is of a pattern for the cycle, as in %04d."""
    if not isinstance(given, str) or not given or given.endswith("/"):
        raise ValueError(f"expected the beginning of a file name, found {shown(given)}")
    if "%" in re.sub(r"%0?\d*d", "", given, count=1):
        raise ValueError(f"{given!r}: the only pattern is one like %04d, for the cycle")
    return given


def _name(given: Any) -> str:
    if not isinstance(given, str) or not given or given.endswith("/"):
        raise ValueError(f"expected a file name without its ending, found {shown(given)}")
    return given


_FILE = {"type": "string", "pattern": "[^/]$"}
ImagePrefix = Annotated[str | None, Check(_prefix, _FILE)]
ImageName = Annotated[str | None, Check(_name, _FILE)]


class _PictureKeys(ActionModel):
    """The keys of a render that is a picture."""

    type: Annotated[None, refused("{given} is not supported; expected cinema")] = None
    image_prefix: ImagePrefix = Field(
        None,
        description="File name without extension, in `output`; a pattern such as `%04d` is "
        "replaced by the cycle, which is otherwise appended.",
    )
    image_name: ImageName = Field(
        None, description="Instead: file name without extension, the same at every step."
    )
    camera: CameraParams | None = Field(None, description="Camera; see below.")


class Names(Protocol):
    """What has names for pictures: a render, or a scene for renders that have none."""

    @property
    def image_prefix(self) -> str | None: ...

    @property
    def image_name(self) -> str | None: ...


class PictureParams(LookParams, _PictureKeys):
    """A single picture."""

    model_config = not_together("image_prefix", "image_name")

    def view(self, name: str, path: KeyPath, names: Mapping[str, Any], units: Units) -> View:
        """The render `name`. names: as `output_names` gives them, its own or its scene's."""
        if not names:
            raise InvalidAction((*path, "image_prefix"), "is required, or image_name")
        camera = self.camera.settings() if self.camera else None
        return View(name=name, camera=camera, **self.look(units), **names)


def own_prefix(name: str, path: KeyPath) -> str:
    """The name of the scene at `path` as a prefix. Raises InvalidAction where it cannot be one."""
    try:
        return _prefix(name)
    except ValueError as error:
        raise InvalidAction((*path, "image_prefix"), str(error)) from None


def output_names(reader: ActionParser, given: Names, path: KeyPath) -> dict[str, Any]:
    """The file name of pictures, if there is one: image_prefix or image_name."""
    if given.image_prefix is not None and given.image_name is not None:
        raise InvalidAction((*path, "image_name"), "given together with image_prefix; choose one")
    if given.image_prefix is not None:
        return {"image_prefix": reader.output(given.image_prefix, (*path, "image_prefix"))}
    if given.image_name is not None:
        return {"image_name": reader.output(given.image_name, (*path, "image_name"))}
    return {}


def _folder_name(given: Any) -> str:
    name = read_text(given, (), "the name of a folder")
    if "/" in name or name in (".", ".."):
        raise ValueError(f"{name!r} is not a folder name without separators")
    return name


_Number = Annotated[int | None, count(_MOST_ANGLES)]
_Angles = Annotated[tuple[float, ...] | None, numbers(_MOST_ANGLES)]
_Ends = Annotated[
    tuple[float, float] | None, interval("expected two angles, the first below the second")
]
_Step = Annotated[float | None, number(unit="degrees")]
_Parts = Annotated[int | None, count(_MOST_ANGLES, 2)]


class DatabaseParams(ActionModel):
    """A Cinema database: where it goes and from which angles it is seen."""

    db_name: Annotated[str, Check(_folder_name, {"type": "string", "pattern": "^[^/]+$"})] = Field(
        description="Name of its folder, in `cinema_databases` in `output`."
    )
    camera: CinemaCamera | None = Field(None, description="Only `{zoom}`.")
    phi: _Number = Field(
        None, description="Number of angles about z, evenly spaced from -180 degrees."
    )
    phi_angles: _Angles = Field(None, description="Instead: the angles, degrees.")
    phi_range: _Ends = Field(
        None, description="Instead, with `dphi` or `phi_num_angles`: first and last angle, degrees."
    )
    dphi: _Step = Field(None, description="Angle between neighbours.")
    phi_num_angles: _Parts = Field(None, description="Number of angles.")
    theta: _Number = Field(
        None, description="Number of angles about x, evenly spaced from 0 to 180 degrees."
    )
    theta_angles: _Angles = Field(None, description="As `phi_angles`.")
    theta_range: _Ends = Field(None, description="As `phi_range`.")
    dtheta: _Step = Field(None, description="As `dphi`.")
    theta_num_angles: _Parts = Field(None, description="As `phi_num_angles`.")

    @pydantic.model_validator(mode="after")
    def _both_given(self) -> DatabaseParams:
        self.angles("phi")
        self.angles("theta")
        return self

    def angles(self, angle: Literal["phi", "theta"]) -> tuple[float, ...]:
        """Degrees: so many from the first on over the whole span; given one by one; or within a
        range, by the distance between two or by their number."""
        keys = (angle, f"{angle}_angles", f"{angle}_range", f"d{angle}", f"{angle}_num_angles")
        n, each, ends, apart, parts = (getattr(self, key) for key in keys)
        if n is not None:
            first, span = (-180.0, 360.0) if angle == "phi" else (0.0, 180.0)
            return tuple((first + span / n * np.arange(n)).tolist())
        if each is not None:
            return tuple(each)
        if ends is None or (apart is None and parts is None):
            whole, one_by_one, within, distance, number_of = keys
            text = f"is required, or {one_by_one}, or {within} with {distance} or {number_of}"
            raise InvalidAction((whole,), text)
        low, high = ends
        if parts is not None:
            return tuple(np.linspace(low, high, parts).tolist())
        least = (high - low) / _MOST_ANGLES
        if apart < least:
            raise InvalidAction(
                (keys[3],), f"{apart:g} is not a number of at least {least:g} degrees"
            )
        n = int((high - low + 1e-6) // apart) + 1
        return tuple((low + apart * np.arange(n)).tolist())

    def cinema(self, reader: ActionParser, path: KeyPath, look: Mapping[str, Any]) -> Cinema:
        """look: as `LookParams.look`."""
        reader.output(f"{FOLDER}/{self.db_name}", (*path, "db_name"))
        return Cinema(
            db_name=self.db_name,
            phi=self.angles("phi"),
            theta=self.angles("theta"),
            zoom=self.camera.zoom if self.camera else 1.0,
            view=View(**look),
        )


class _CinemaType(ActionModel):
    type: Annotated[str, one_of(("cinema",))] = Field(
        description="`cinema`: a database instead of one picture."
    )


class CinemaParams(LookParams, DatabaseParams, _CinemaType):
    """A database of pictures of many views."""


def _read_render(given: Any) -> PictureParams | CinemaParams:
    cinema = isinstance(given, Mapping) and given.get("type") == "cinema"
    return (CinemaParams if cinema else PictureParams).model_validate(given)


Render = Annotated[PictureParams | CinemaParams, Check(_read_render, {REFERENCE: "Render"})]
