"""Planes, boxes and spheres, as in Ascent's `slice` and `clip`.

In: their parameters. Out: signed distances of points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from insitu.core.arrays import Floats

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Plane:
    """A plane through a point; the normal may have any length. ValueError if it is zero."""

    point: Vector
    normal: Vector

    def __post_init__(self) -> None:
        object.__setattr__(self, "point", _vector("plane/point", self.point))
        normal = np.array(_vector("plane/normal", self.normal))
        length = float(np.linalg.norm(normal))
        if length == 0:
            raise ValueError("plane/normal: 0, expected a direction")
        # -0.0 and components of rounding size would hide that a plane is axis-aligned.
        normal = np.where(np.abs(normal) < 1e-12 * length, 0.0, normal)
        object.__setattr__(self, "normal", tuple((normal / np.linalg.norm(normal)).tolist()))

    @property
    def axis(self) -> int | None:
        """0, 1 or 2 if the normal is along x, y or z."""
        along = np.flatnonzero(self.normal)
        return int(along[0]) if len(along) == 1 else None

    def distance(self, points: Floats) -> Floats:
        """Signed distances (...,) of points (..., 3) from the plane, positive on the normal's
        side."""
        return (points - np.array(self.point)) @ np.array(self.normal)

    def basis(self) -> tuple[Floats, Floats]:
        """Unit vectors u, v in the plane with u x v = normal, u horizontal (in x, y) if
        possible."""
        normal = np.array(self.normal)
        flat = np.array([-normal[1], normal[0], 0.0])
        length = np.linalg.norm(flat)
        u = flat / length if length > 0 else np.array([1.0, 0.0, 0.0])
        return u, np.cross(normal, u)


@dataclass(frozen=True)
class Box:
    """An axis-aligned box from `min` to `max`. Raises ValueError if min is not below max."""

    min: Vector
    max: Vector

    def __post_init__(self) -> None:
        for name in ("min", "max"):
            object.__setattr__(self, name, _vector(f"box/{name}", getattr(self, name)))
        if not (np.array(self.min) < np.array(self.max)).all():
            raise ValueError(f"box: min {self.min} is not below max {self.max}")

    def distance(self, points: Floats) -> Floats:
        """(...,) for points (..., 3): largest signed distance from the faces, positive outside."""
        low, high = np.array(self.min), np.array(self.max)
        return np.maximum(low - points, points - high).max(axis=-1)


@dataclass(frozen=True)
class Sphere:
    """A sphere. Raises ValueError if the radius is not positive."""

    center: Vector
    radius: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "center", _vector("sphere/center", self.center))
        if not 0 < self.radius < np.inf:
            raise ValueError(f"sphere/radius: {self.radius}, expected a positive length")

    def distance(self, points: Floats) -> Floats:
        """Signed distances (...,) of points (..., 3) from the sphere, positive outside."""
        return np.linalg.norm(points - np.array(self.center), axis=-1) - self.radius


Shape = Plane | Box | Sphere


def _vector(name: str, value: Any) -> Vector:
    given = np.asarray(value, np.float64)
    if given.shape != (3,) or not np.isfinite(given).all():
        raise ValueError(f"{name}: {value!r}, expected three finite numbers")
    x, y, z = given.tolist()
    return x, y, z
