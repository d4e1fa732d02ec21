"""A plane slice of a field as an array of values, for plotting or comparison.

In: a field of a record or of a running simulation, a plane. Out: values at the pixels of an image
of the plane, and its axes in world coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from insitu.core.arrays import Floats
from insitu.core.box import Bounds
from insitu.fields.distributed_field import DistributedField
from insitu.filters.geometry.sample import sample_points
from insitu.filters.geometry.shapes import Plane
from insitu.filters.geometry.slice import crossings

if TYPE_CHECKING:
    from mpi4py import MPI

_POINTS = 2**17  # points evaluated at once and reduced over ranks


@dataclass(frozen=True)
class SliceArray:
    """Values at the centres of square pixels. Immutable."""

    values: Floats
    """(height, width) or (height, width, n_components), float64, row 0 at the bottom; NaN outside
    the domain."""
    extent: tuple[float, float, float, float]
    """Left, right, bottom, top edge, in world units along the image's axes."""
    labels: tuple[str, str]
    """Names of the horizontal and vertical axis: two of "x", "y", "z" for an axis-aligned plane,
    with world coordinates as extent; otherwise "u", "v", distances from the plane's origin."""
    origin: Floats
    """(3,), world: the point where both axes are 0."""
    axes: tuple[Floats, Floats]
    """Unit vectors (3,) of the horizontal and the vertical axis in world coordinates."""


def slice_array(
    field: DistributedField,
    normal: str | ArrayLike,
    origin: ArrayLike | None = None,
    *,
    pixels: int = 512,
    comm: MPI.Comm | None = None,
) -> SliceArray:
    """The intersection of a plane and the domain as an array. Collective if `comm` is given.

    To plot it: `plt.imshow(s.values, origin="lower", extent=s.extent)`.

    Args:
        field, comm: see `insitu.filters.geometry.sample.sample_points`.
        normal: of the plane: "x", "y" or "z", or a vector of any length. An axis-aligned plane
            shows x to the right and y up (normal z), x and z (normal y), or y and z (normal x).
        origin: a point of the plane, world (3,), or its coordinate along "x", "y" or "z"; default:
            the centre of the domain.
        pixels: number of pixels on the longer side; the other follows from the aspect ratio.

    Raises ValueError if the plane misses the domain or an argument is invalid; and as
    `sample_points` does.
    """
    bounds = field.summary.bounds
    plane = _plane(normal, origin, bounds)
    if pixels < 1:
        raise ValueError(f"pixels: {pixels}, expected at least 1")
    outline = crossings(*bounds, plane)
    if len(outline) < 3:
        low, high = (corner.tolist() for corner in bounds)
        raise ValueError(
            f"slice: the plane through {plane.point} with normal {plane.normal} misses the domain, "
            f"{low}..{high}"
        )
    zero, axes, labels = _axes(plane)
    spans = [((outline - zero) @ axis) for axis in axes]
    low_u, high_u, low_v, high_v = (float(f(span)) for span in spans for f in (np.min, np.max))
    side = max(high_u - low_u, high_v - low_v) / pixels
    width, height = (max(1, round(n / side)) for n in (high_u - low_u, high_v - low_v))
    u = low_u + (high_u - low_u) * (np.arange(width) + 0.5) / width
    v = low_v + (high_v - low_v) * (np.arange(height) + 0.5) / height
    rows = max(1, _POINTS // width)
    parts = []
    for j in range(0, height, rows):
        points = zero + u[:, None] * axes[0] + v[j : j + rows, None, None] * axes[1]
        found = sample_points(field, points.reshape(-1, 3), comm=comm)
        parts.append(found.reshape(*points.shape[:2], *found.shape[1:]))
    return SliceArray(np.concatenate(parts), (low_u, high_u, low_v, high_v), labels, zero, axes)


def _plane(normal: str | ArrayLike, origin: ArrayLike | None, bounds: Bounds) -> Plane:
    point = 0.5 * (bounds[0] + bounds[1])
    if isinstance(normal, str):
        if normal not in ("x", "y", "z"):
            raise ValueError(f"normal: {normal!r}, expected 'x', 'y', 'z' or a vector")
        axis = "xyz".index(normal)
        direction = np.eye(3)[axis]
        if origin is not None and np.ndim(origin) == 0:
            point[axis] = float(np.asarray(origin))
            origin = point
    else:
        direction = np.asarray(normal, np.float64)
    point = point if origin is None else np.asarray(origin, np.float64)
    for name, vector in (("normal", direction), ("origin", point)):
        if vector.shape != (3,):
            raise ValueError(f"{name}: shape {vector.shape}, expected (3,)")
    x, y, z = point.tolist()
    a, b, c = direction.tolist()
    return Plane((x, y, z), (a, b, c))


def _axes(plane: Plane) -> tuple[Floats, tuple[Floats, Floats], tuple[str, str]]:
    """Origin, directions and names of the image's axes."""
    if plane.axis is None:
        return np.array(plane.point), plane.basis(), ("u", "v")
    zero = np.zeros(3)
    zero[plane.axis] = plane.point[plane.axis]
    right, up = (a for a in range(3) if a != plane.axis)
    return zero, (np.eye(3)[right], np.eye(3)[up]), ("xyz"[right], "xyz"[up])
