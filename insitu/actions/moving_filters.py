"""Filters that move, number, choose or draw: scale, transform, auto_slice, histsampling and others.

In: the params of a filter, in Ascent's words. Out: the filter, or InvalidAction.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
import pydantic
from pydantic import Field

from insitu.actions.base import ActionModel, exactly_one
from insitu.actions.errors import InvalidAction
from insitu.actions.filters import FilterParams, Topology
from insitu.actions.values import count, direction, field_name, number, numbers, text, xyz
from insitu.filters.auto_slice import AutoSlice
from insitu.filters.block_numbers import BlockNumbers
from insitu.filters.pipeline import Filter
from insitu.filters.sampling import HistSampling
from insitu.filters.transform import Rows, Transform

Vector = tuple[float, float, float]

_TOPOLOGY = "Accepted and ignored: a run has one mesh."
_FACTOR = "Factor of the coordinate"


def _rows(matrix: np.ndarray, offset: np.ndarray) -> Rows:
    rows = np.column_stack((matrix, offset)).tolist()
    return tuple((a, b, c, d) for a, b, c, d in rows)


class ScaleParams(FilterParams):
    """Scales coordinates about the origin."""

    x_scale: Annotated[float, number()] = Field(description=f"{_FACTOR} x, not 0.")
    y_scale: Annotated[float, number()] = Field(description=f"{_FACTOR} y, not 0.")
    z_scale: Annotated[float, number()] = Field(description=f"{_FACTOR} z, not 0.")

    def make(self, kind: str, steps: int) -> Filter:
        for key in ("x_scale", "y_scale", "z_scale"):
            if getattr(self, key) == 0:
                raise InvalidAction((key,), "0 makes the mesh flat; expected another factor")
        factors = np.diag([self.x_scale, self.y_scale, self.z_scale])
        return Transform(kind, _rows(factors, np.zeros(3)))


class AxesParams(ActionModel):
    """A number for some of the axes."""

    x: Annotated[float | None, number()] = Field(None, description="Along x.")
    y: Annotated[float | None, number()] = Field(None, description="Along y.")
    z: Annotated[float | None, number()] = Field(None, description="Along z.")

    @pydantic.model_validator(mode="after")
    def _one_at_least(self) -> AxesParams:
        if self.x is None and self.y is None and self.z is None:
            raise InvalidAction((), "expected x, y or z")
        return self

    def values(self, other: float) -> np.ndarray:
        """(3,); `other` for axes that are not given."""
        given = (self.x, self.y, self.z)
        return np.array([other if value is None else value for value in given])


class RotateParams(ActionModel):
    """A rotation about an axis through the origin."""

    angle: Annotated[float, number(unit="degrees")] = Field(
        description="Counterclockwise, seen against the axis."
    )
    axis: AxesParams = Field(description="`{x, y, z}`; those that are not given are 0.")


class TransformParams(FilterParams):
    """Moves what comes in by one of `scale`, `translate`, `rotate` and `matrix`."""

    model_config = exactly_one("scale", "translate", "rotate", "matrix")

    scale: AxesParams | None = Field(
        None, description="`{x, y, z}`: factors, about the origin; 1 where not given."
    )
    translate: AxesParams | None = Field(
        None, description="`{x, y, z}`: world lengths; 0 where not given."
    )
    rotate: RotateParams | None = Field(
        None, description="`{angle, axis}`: about the origin; of surfaces and lines."
    )
    matrix: Annotated[tuple[float, ...] | None, numbers(16)] = Field(
        None, description="16 numbers, row by row: of points (x, y, z, 1); the last row is 0 0 0 1."
    )

    @pydantic.model_validator(mode="after")
    def _one_of_four(self) -> TransformParams:
        keys = ("scale", "translate", "rotate", "matrix")
        given = [key for key in keys if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"expected one of {', '.join(keys)}, found {len(given)} of them")
        return self

    def make(self, kind: str, steps: int) -> Filter:
        matrix, offset = np.eye(3), np.zeros(3)
        if self.scale is not None:
            matrix = np.diag(self.scale.values(1.0))
        elif self.translate is not None:
            offset = self.translate.values(0.0)
        elif self.rotate is not None:
            matrix = _rotation(self.rotate.angle, self.rotate.axis.values(0.0))
        elif self.matrix is not None:
            if len(self.matrix) != 16:
                raise InvalidAction(("matrix",), f"expected 16 numbers, found {len(self.matrix)}")
            whole = np.array(self.matrix).reshape(4, 4)
            if whole[3].tolist() != [0, 0, 0, 1]:
                raise InvalidAction(("matrix",), "expected 0, 0, 0, 1 as its last row")
            matrix, offset = whole[:3, :3], whole[:3, 3]
        if np.linalg.det(matrix) == 0:
            raise ValueError("expected a map that can be undone: it makes the mesh flat")
        return Transform(kind, _rows(matrix, offset))


def _rotation(angle: float, axis: np.ndarray) -> np.ndarray:
    """Rodrigues' formula; degrees."""
    length = np.linalg.norm(axis)
    if length == 0:
        raise InvalidAction(("rotate", "axis"), "0 is no direction")
    x, y, z = axis / length
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn = math.radians(angle)
    found = np.eye(3) + math.sin(turn) * cross + (1 - math.cos(turn)) * cross @ cross
    return np.asarray(np.where(np.abs(found) < 1e-15, 0.0, found))


class ReflectParams(FilterParams):
    """Adds the mirror image at a plane."""

    point: Annotated[Vector, xyz()] = Field(
        (0.0, 0.0, 0.0), description="Point in the plane, world coordinates."
    )
    normal: Annotated[Vector, direction()] = Field(description="Normal of the plane.")

    def make(self, kind: str, steps: int) -> Filter:
        normal = np.array(self.normal) / np.linalg.norm(self.normal)
        matrix = np.eye(3) - 2 * np.outer(normal, normal)
        offset = 2 * (normal @ np.array(self.point)) * normal
        return Transform(kind, _rows(matrix, offset), both=True)


class AutoSliceParams(FilterParams):
    """Of several parallel planes the one with the most information: the greatest entropy of the
    field's values."""

    field: Annotated[str, field_name()] = Field(
        description="Name of a field; for a vector, its magnitude."
    )
    normal: Annotated[Vector, direction()] = Field(
        (0.0, 0.0, 1.0), description="Normal of the planes."
    )
    levels: Annotated[int, count(1000)] = Field(
        10, description="Number of planes, evenly spaced through the domain."
    )
    topology: Topology = Field("", description=_TOPOLOGY)

    def make(self, kind: str, steps: int) -> Filter:
        return AutoSlice(self.field, self.normal, self.levels)


class HistSamplingParams(FilterParams):
    """Samples of the mesh as points, drawn so that rare values of a field are kept."""

    field: Annotated[str, field_name()] = Field(
        description="Name of a field; for a vector, its magnitude."
    )
    bins: Annotated[int, count(65536)] = Field(128, description="Bins of the field's histogram.")
    sample_rate: Annotated[float, number(0, 1)] = Field(
        0.1, description="Share of the samples to keep, above 0."
    )

    def make(self, kind: str, steps: int) -> Filter:
        if self.sample_rate == 0:
            raise InvalidAction(("sample_rate",), "0 keeps nothing; expected a share above 0")
        return HistSampling(self.field, self.bins, self.sample_rate)


class BlockNumbersParams(FilterParams):
    """A number of each block as a field."""

    output: Annotated[str | None, text("a name")] = Field(
        None, description="Name of the new field; default: `mpi_ranks` or `domain_ids`."
    )
    topology: Topology = Field("", description=_TOPOLOGY)

    def make(self, kind: str, steps: int) -> Filter:
        return BlockNumbers(kind, self.output or kind.removeprefix("add_"))
