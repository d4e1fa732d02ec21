"""One number at every point of a block: a scalar field, a component, or the magnitude of a vector.

In: a block, a component or none. Out: values on grids and at points, and their gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Floats
from insitu.fields.sampled_block import SampledBlock


@dataclass(frozen=True)
class Scalar:
    """A block as a scalar function in float64. Immutable; no method is collective."""

    block: SampledBlock
    component: int | None = None
    """Component of a vector; None: the value of a scalar, the magnitude of a vector."""

    def __post_init__(self) -> None:
        """Raises ValueError if the block has no such component."""
        n = self.block.n_components
        if self.component is not None and not 0 <= self.component < n:
            raise ValueError(
                f"component: {self.component}; '{self.block.name}' has {n}, counted from 0"
            )

    @property
    def name(self) -> str:
        """Name of the field, followed by `_magnitude` or the component's number for a vector."""
        if self.block.n_components == 1:
            return self.block.name
        return f"{self.block.name}_{'magnitude' if self.component is None else self.component}"

    def on_grid(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        """Values at all points of a grid in unit coordinates of the block -> (nz, ny, nx)."""
        return self._reduce(self.block.on_grid(xs, ys, zs))

    def __call__(self, points: Floats) -> Floats:
        """Values at world points (n, 3) -> (n,)."""
        return self._reduce(at_points(self.block, points))

    def gradient(self, points: Floats) -> Floats:
        """Gradient at world points (n, 3) -> (n, 3). That of a magnitude is NaN where it is 0."""
        n = self.block.n_components
        slopes = np.asarray(self.block.gradient(points), np.float64).reshape(len(points), n, 3)
        if n == 1 or self.component is not None:
            return np.asarray(slopes[:, self.component or 0])
        values = at_points(self.block, points)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.einsum("nc,ncd->nd", values, slopes) / self._reduce(values)[:, None]

    def gradient_over_a_cell(self, points: Floats) -> Floats:
        """Gradient at world points (n, 3) -> (n, 3), by differences over one cell along each axis,
        or the half of one that lies in the block.

        For normals: the gradient at a point is that of one cell, which changes at its faces by as
        much as a model's error does. Where a difference is not finite, the gradient at the point.
        """
        low, high = self.block.bounds
        found = np.empty((len(points), 3))
        for axis, lines in enumerate(self.block.nodes):
            cell = np.clip(np.searchsorted(lines, points[:, axis]) - 1, 0, len(lines) - 2)
            half = np.diff(lines)[cell] / 2
            ends = []
            for side in (-half, half):
                there = points.copy()
                there[:, axis] = np.clip(points[:, axis] + side, low[axis], high[axis])
                ends.append((self(there), there[:, axis]))
            (below, first), (above, last) = ends
            with np.errstate(invalid="ignore", over="ignore"):
                found[:, axis] = (above - below) / (last - first)
        unknown = ~np.isfinite(found).all(axis=1)
        if unknown.any():
            found[unknown] = self.gradient(points[unknown])
        return found

    def _reduce(self, values: Floats) -> Floats:
        """(..., n_components) -> (...)."""
        if values.shape[-1] == 1 or self.component is not None:
            return values[..., self.component or 0].astype(np.float64)
        return np.asarray(np.sqrt(np.square(values, dtype=np.float64).sum(axis=-1)))


def at_points(block: SampledBlock, points: Floats) -> Floats:
    """A block's values at world points (n, 3) -> (n, n_components), also for scalars, in
    float64."""
    return np.asarray(block(points), np.float64).reshape(len(points), block.n_components)
