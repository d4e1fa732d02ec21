"""Values at scattered points become a sum of Gaussians, without a session.

In: points and values as plain arrays, an accuracy, a ratio or a number of Gaussians. Out: a field
that can be evaluated anywhere, and written as bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from insitu.core.arrays import Floats, without_mask
from insitu.fields.model_field import ModelField
from insitu.mesh.cells import Cells
from insitu.mesh.partition import NO_LAYERS, Partition, ScatteredPoints
from insitu.mesh.point_location import locate
from insitu.mesh.points import cubes
from insitu.models.gaussians.model import Gaussians
from insitu.training.job import TrainingJob
from insitu.training.options import Target
from insitu.training.train import train

_MOST_CELLS = 64  # along an axis, of the grid that says where there are points


def compress_points(
    points: ArrayLike,
    values: ArrayLike,
    *,
    psnr: float | None = None,
    ratio: float | None = None,
    n_gaussians: int | None = None,
    degree: int = 1,
    iterations: int | None = None,
    name: str = "values",
) -> ModelField:
    """Fit anisotropic Gaussians to values at points (`insitu.models.gaussians`). Not collective.

    The field is NaN outside of the points' bounding box, and where no point is near: in the cells
    of a grid over that box, of about the points' distance and at most 64 an axis, whose centres are
    farther than about 1.25 distances from every point.

    Args:
        points: (n, 3), x, y, z, finite; not all in a plane.
        values: (n,), or (n, c) for vectors of up to 16 components, float32 or float64 (others are
            converted to float32). Points where one is not finite are left out.
        psnr: target in dB at the points, relative to the range of the values; it is met with as few
            Gaussians as possible, from one for 160 points to one for 5, or else comes closest.
        ratio: raw bytes of the values over those of the frame; the accuracy is the best possible.
        n_gaussians: their number, where neither psnr nor ratio is given; default: n / 10.
        degree: 1: each Gaussian adds a linear function; 0: a constant.
        iterations: number of training steps; default: 200, each with an eighth of the points.
        name: of the field.

    Returns a field with `metrics` measured at the points. Raises ValueError for arrays of other
    shapes, points in a plane, or more than one of psnr, ratio and n_gaussians.
    """
    at, data = _checked(points, values)
    if sum(given is not None for given in (psnr, ratio, n_gaussians)) > 1:
        raise ValueError("psnr, ratio, n_gaussians: give one of them")
    options: dict[str, Any] = {"degree": degree, "n_outputs": data.shape[1]}
    model = Gaussians(**options).for_domain(len(at))
    if n_gaussians is not None:
        model = Gaussians(n_gaussians=n_gaussians, **options)
    model.check()
    job = TrainingJob.of(
        _partition(name, at, data),
        model,
        target=Target(psnr=psnr, ratio=ratio, iterations=iterations),
        sized_by_target=psnr is not None or ratio is not None,
    )
    return train(job)


def _checked(points: ArrayLike, values: ArrayLike) -> tuple[Floats, Floats]:
    """(n, 3) float64, (n, c) float32 or float64."""
    at = np.asarray(without_mask(points), np.float64)
    data = without_mask(values)
    if data.dtype not in (np.float32, np.float64):
        data = data.astype(np.float32)
    data = data[:, None] if data.ndim == 1 else data
    if at.ndim != 2 or at.shape[1] != 3 or not len(at):
        raise ValueError(f"points: shape {at.shape}, expected (n, 3)")
    if data.ndim != 2 or len(data) != len(at):
        raise ValueError(
            f"values: shape {data.shape}, expected one row for each of {len(at)} points"
        )
    if not np.isfinite(at).all():
        raise ValueError("points: some coordinates are not finite")
    if not np.ptp(at, axis=0).all():
        raise ValueError("points: all lie in a plane")
    return at, data


def _partition(name: str, points: Floats, values: Floats) -> Partition:
    """The points, and the values of the nearest ones on a coarse grid over their bounding box."""
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    side = (extent.prod() / len(points)) ** (1 / 3)
    counts = np.clip(np.rint(extent / side), 1, _MOST_CELLS).astype(int)
    x, y, z = (np.linspace(a, a + e, n + 1) for a, e, n in zip(low, extent, counts, strict=True))
    around, corners = cubes(points)
    cells = Cells("points", around, corners, np.zeros(len(corners), bool), scattered=True)
    centres = [0.5 * (line[1:] + line[:-1]) for line in (x, y, z)]
    located = locate(cells, (centres[0], centres[1], centres[2]))
    nx, ny, nz = counts
    boxes = np.full((values.shape[1], nz * ny * nx), np.nan, values.dtype)
    boxes[:, located.sample] = values[located.cell].T
    return Partition(
        field=name,
        association="element",
        components=tuple(boxes.reshape(-1, nz, ny, nx)),
        ghost_layers=NO_LAYERS,
        nodes=(x, y, z),
        domain_id=0,
        scattered=ScatteredPoints(points, values, len(points)),
    )
