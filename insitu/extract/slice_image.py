"""A slice as an array of values, to be drawn or kept.

In: each rank's blocks, a plane. Out: on rank 0, values at the pixels of a picture of it, and what
its axes are in the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from insitu.extract.decomposition import Decomposition, Fields
from insitu.extract.sample import sample_points, uniform_grid
from insitu.extract.shapes import Plane
from insitu.extract.slice import crossings, on_a_face
from insitu.parallel import together

if TYPE_CHECKING:
    from mpi4py import MPI

Floats = NDArray[np.floating[Any]]

# Points reduced at once on a plane across the axes: besides its result, a rank holds these.
_POINTS = 2**17


@dataclass(frozen=True)
class SliceImage:
    """Values at the centres of pixels. Immutable."""

    values: Mapping[str, Floats]
    """By field, (height, width) or (height, width, n_components) float64, row 0 at the bottom; NaN
    outside of the domain."""
    extent: tuple[float, float, float, float]
    """Left, right, bottom, top edge of the picture, world lengths along its axes."""
    labels: tuple[str, str]
    """Of the horizontal and the vertical axis: "x", "y", "z" along the axes, with the world
    coordinate as extent; else "u", "v", lengths from the plane's given origin."""
    origin: Floats
    """(3,), world: where both axes are 0."""
    axes: tuple[Floats, Floats]
    """Unit vectors (3,): the horizontal and the vertical axis in the world."""

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width), pixels."""
        first = next(iter(self.values.values()))
        return first.shape[0], first.shape[1]


def slice_image(
    comm: MPI.Comm,
    fields: Fields,
    origin: ArrayLike,
    normal: ArrayLike,
    *,
    pixels: int = 512,
) -> SliceImage | None:
    """All that a plane has of the domain, on rank 0; None elsewhere. Collective.

    pixels: on the longer side; the other follows, pixels are square. A plane along the axes shows
    x to the right and y up (normal z), x and z (normal y), or y and z (normal x).

    Raises RemoteError on every rank if one fails; ValueError if no rank has a block, or on every
    rank where the plane misses the domain.
    """
    decomposition = Decomposition.gather(comm, fields)
    with together(comm, "slice image"):
        x, y, z = np.asarray(origin, np.float64).reshape(3).tolist()
        nx, ny, nz = np.asarray(normal, np.float64).reshape(3).tolist()
        plane = Plane((x, y, z), (nx, ny, nz))
        if pixels < 1:
            raise ValueError(f"pixels: {pixels}, expected at least 1")
        if plane.axis is not None:
            point = list(plane.point)
            point[plane.axis] = on_a_face(decomposition, plane.axis, point[plane.axis])
            plane = Plane((point[0], point[1], point[2]), plane.normal)
    outline = crossings(*decomposition.bounds, plane)
    if len(outline) < 3:
        low, high = (corner.tolist() for corner in decomposition.bounds)
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
    sample = _oblique if plane.axis is None else _straight
    values = sample(comm, fields, zero, axes, u, v)
    if values is None:
        return None
    return SliceImage(values, (low_u, high_u, low_v, high_v), labels, zero, axes)


def _axes(plane: Plane) -> tuple[Floats, tuple[Floats, Floats], tuple[str, str]]:
    """Where the picture's axes are 0, their directions and names."""
    if plane.axis is None:
        return np.array(plane.point), plane.basis(), ("u", "v")
    zero = np.zeros(3)
    zero[plane.axis] = plane.point[plane.axis]
    right, up = (a for a in range(3) if a != plane.axis)
    return zero, (np.eye(3)[right], np.eye(3)[up]), ("xyz"[right], "xyz"[up])


def _straight(
    comm: MPI.Comm,
    fields: Fields,
    zero: Floats,
    axes: tuple[Floats, Floats],
    u: Floats,
    v: Floats,
) -> dict[str, Floats] | None:
    """A grid with one layer."""
    right, up = (int(np.argmax(axis)) for axis in axes)
    dims, spacing, first = [1, 1, 1], [1.0, 1.0, 1.0], zero.copy()
    for axis, at in ((right, u), (up, v)):
        dims[axis], first[axis] = len(at), at[0]
        spacing[axis] = float(at[1] - at[0]) if len(at) > 1 else 1.0
    grids = uniform_grid(comm, fields, dims, origin=first, spacing=spacing)
    if grids is None:
        return None
    layer = 2 - (3 - right - up)  # the axis of the grids, z y x, that is the normal's
    return {name: grid.squeeze(axis=layer) for name, grid in grids.items()}


def _oblique(
    comm: MPI.Comm,
    fields: Fields,
    zero: Floats,
    axes: tuple[Floats, Floats],
    u: Floats,
    v: Floats,
) -> dict[str, Floats] | None:
    """Rows of points, some at a time."""
    rows = max(1, _POINTS // len(u))
    parts = []
    for j in range(0, len(v), rows):
        points = zero + u[:, None] * axes[0] + v[j : j + rows, None, None] * axes[1]
        samples = sample_points(comm, fields, points.reshape(-1, 3))
        if samples is not None:
            parts.append(
                {n: x.reshape(*points.shape[:2], *x.shape[1:]) for n, x in samples.values.items()}
            )
    if not parts:
        return None
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
