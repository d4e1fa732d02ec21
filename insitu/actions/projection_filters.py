"""The filters that project what a camera sees onto pixels: project_2d, dray_project_2d.

In: the params of a filter, in Ascent's words. Out: the filter, or InvalidAction.
"""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import pydantic
from pydantic import Field

from insitu.actions.base import ActionModel, not_together
from insitu.actions.errors import InvalidAction
from insitu.actions.filters import FilterParams, Topology
from insitu.actions.renders import CameraParams
from insitu.actions.values import count, direction, names, positive, xyz
from insitu.filters.pipeline import Filter
from insitu.render.camera import CameraSettings
from insitu.render.picture.projection import Project2D

Vector = tuple[float, float, float]

_LARGEST = 16384
_AHEAD = 1e-6
"""Of the plane's height: what is in the plane itself is not seen."""


class ProjectParams(FilterParams):
    """Projects the values that a camera sees onto the pixels of a picture."""

    numbers_by_expressions: ClassVar[bool] = False

    image_width: Annotated[int, count(_LARGEST, unit="pixels")] = Field(512, description="Width.")
    image_height: Annotated[int, count(_LARGEST, unit="pixels")] = Field(512, description="Height.")
    fields: Annotated[tuple[str, ...] | None, names()] = Field(
        None, description="Fields to project; default: all. Of vectors, the magnitude."
    )
    camera: CameraParams | None = Field(None, description="Camera, as of a render.")
    topology: Topology = Field("", description="Accepted and ignored: a run has one mesh.")

    def make(self, kind: str, steps: int) -> Filter:
        settings = self.camera.settings() if self.camera else None
        return self._seen(kind, settings or CameraSettings())

    def _seen(self, kind: str, camera: CameraSettings) -> Filter:
        return Project2D((self.image_width, self.image_height), self.fields or (), camera, kind)


class DetectorParams(ActionModel):
    """A plane of pixels that looks along its normal, without perspective."""

    center: Annotated[Vector, xyz()] = Field(description="Its middle, world coordinates.")
    normal: Annotated[Vector, direction()] = Field(description="The direction of the view.")
    up: Annotated[Vector, direction()] = Field((0.0, 1.0, 0.0), description="Up in the picture.")
    width: Annotated[float, positive("world length")] = Field(description="Its width.")
    height: Annotated[float, positive("world length")] = Field(description="Its height.")

    def camera(self) -> CameraSettings:
        length = math.sqrt(sum(n * n for n in self.normal))
        x, y, z = (
            c + self.height * n / length for c, n in zip(self.center, self.normal, strict=True)
        )
        return CameraSettings(
            position=self.center,
            look_at=(x, y, z),
            up=self.up,
            fov=math.degrees(2 * math.atan(0.5)),
            projection="parallel",
            near_plane=_AHEAD * self.height,
        )


class DrayProjectParams(ProjectParams):
    """As `project_2d`, also onto a plane."""

    model_config = not_together("camera", "plane")

    plane: DetectorParams | None = Field(
        None,
        description="Instead of a camera: `{center, normal, up, width, height}`, from which the "
        "view goes along the normal, without perspective.",
    )

    @pydantic.model_validator(mode="after")
    def _square(self) -> DrayProjectParams:
        plane = self.plane
        if plane is not None:
            pixels = self.image_width / self.image_height
            if not math.isclose(plane.width / plane.height, pixels, rel_tol=1e-6):
                text = f"pixels must be square: width over height is {pixels:g} in pixels"
                raise InvalidAction(("plane", "width"), text)
        return self

    def make(self, kind: str, steps: int) -> Filter:
        if self.plane is None:
            return super().make(kind, steps)
        return self._seen(kind, self.plane.camera())
