"""Trilinear interpolation between the samples of a block, which may be stored in bricks.

In: samples and their positions, points of the unit cube. Out: values and derivatives, equal to
those of the engine's `GridSampler` for raw data; only samples near a point are read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats, Indices
from insitu.fields.header import NO_LAYERS, Layers

# Rounding tolerance of a point's coordinates, in cells: a point this close to a sample takes its
# value alone, because the sample's neighbors may be NaN.
_ON_SAMPLE = 1e-9


class Samples(Protocol):
    """Source of the samples; `codecs.chunks.Chunks` implements it."""

    @property
    def shape(self) -> tuple[int, int, int]: ...

    @property
    def n_components(self) -> int: ...

    def at(self, component: int, z: Indices, y: Indices, x: Indices) -> Floats:
        """Samples at indices (n,) of each axis -> (n,)."""


@dataclass(frozen=True)
class Trilinear:
    """Interpolates the samples of a block. Immutable."""

    samples: Samples
    cells: tuple[int, int, int]
    """Number of owned cells, (nz, ny, nx)."""
    vertex: bool
    ghost_layers: Layers = NO_LAYERS
    """Number of layers in the samples on the (low, high) side along z, y, x."""

    def values(self, unit: Floats) -> Floats:
        """Values at unit-cube points (n, 3), x y z -> (n, n_components), float64."""
        low, t, _ = self._locate(unit)
        out = np.empty((len(unit), self.samples.n_components))
        for c in range(self.samples.n_components):
            corner = self._corners(c, low)
            out[:, c] = _mix(_mix_yx(corner, t, 0), _mix_yx(corner, t, 1), t[0])
        return out

    def on_grid(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        """Values at all points of a grid in unit coordinates -> (nz, ny, nx, n_components),
        float64: bitwise equal to `values`, but computed axis by axis. Samples that are not needed
        are not read."""
        if not (len(xs) and len(ys) and len(zs)):
            return np.empty((len(zs), len(ys), len(xs), self.samples.n_components))
        wanted, low, high, t = [], [], [], []
        for axis, coordinates in enumerate((zs, ys, xs)):
            first, within, _ = self._along(axis, np.asarray(coordinates, np.float64))
            second = np.minimum(first + 1, self.samples.shape[axis] - 1)
            wanted.append(np.unique(np.concatenate([first, second])))
            low.append(np.searchsorted(wanted[axis], first))
            high.append(np.searchsorted(wanted[axis], second))
            t.append(within)
        z, y, x = np.meshgrid(*wanted, indexing="ij")
        grid = []
        for c in range(self.samples.n_components):
            found = self.samples.at(c, z.ravel(), y.ravel(), x.ravel()).astype(np.float64)
            values: Floats = found.reshape(z.shape)
            for axis in (2, 1, 0):
                beside = [1, 1, 1]
                beside[axis] = -1
                a, b = values.take(low[axis], axis), values.take(high[axis], axis)
                values = _mix(a, b, t[axis].reshape(beside))
            grid.append(values)
        return np.stack(grid, axis=-1)

    def slopes(self, unit: Floats) -> Floats:
        """Derivatives by unit coordinates x, y, z: (n, 3) -> (n, n_components, 3), in the cell
        around the point; 0 where the outermost half cell is constant."""
        low, t, beyond = self._locate(unit)
        out = np.empty((len(unit), self.samples.n_components, 3))
        for c in range(self.samples.n_components):
            corner = self._corners(c, low)
            z0, z1 = _mix_yx(corner, t, 0), _mix_yx(corner, t, 1)
            y0, y1 = (
                _mix(_mix(corner(0, y, 0), corner(0, y, 1), t[2]),
                     _mix(corner(1, y, 0), corner(1, y, 1), t[2]), t[0])
                for y in (0, 1)
            )  # fmt: skip
            x0, x1 = (
                _mix(_mix(corner(0, 0, x), corner(0, 1, x), t[1]),
                     _mix(corner(1, 0, x), corner(1, 1, x), t[1]), t[0])
                for x in (0, 1)
            )  # fmt: skip
            for axis, (a, b) in enumerate(((z0, z1), (y0, y1), (x0, x1))):
                slope = (b - a) * self.cells[axis]
                out[:, c, 2 - axis] = np.where(beyond[axis], 0.0, slope)
        return out

    def _locate(self, unit: Floats) -> tuple[list[Indices], list[Floats], list[NDArray[np.bool_]]]:
        """Per axis z, y, x: lowest sample of the cell, offset from it, whether beyond the last."""
        parts = [self._along(axis, unit[:, 2 - axis]) for axis in range(3)]
        low, t, beyond = (list(part) for part in zip(*parts, strict=True))
        return low, t, beyond

    def _along(self, axis: int, unit: Floats) -> tuple[Indices, Floats, NDArray[np.bool_]]:
        """As `_locate`, for one axis z, y or x, at unit coordinates (n,)."""
        shift = self.ghost_layers[axis][0] - (0.0 if self.vertex else 0.5)
        p = unit * float(self.cells[axis]) + shift
        nearest = np.rint(p)
        p = np.where(np.abs(p - nearest) < _ON_SAMPLE, nearest, p)
        last = self.samples.shape[axis] - 1
        beyond = (p < 0) | (p > last)
        p = np.clip(p, 0, last)
        low = np.minimum(p.astype(np.int64), max(last - 1, 0))
        return low, p - low, beyond

    def _corners(self, c: int, low: list[Indices]) -> Callable[[int, int, int], Floats]:
        n = len(low[0])
        high = [
            np.minimum(index + 1, size - 1)
            for index, size in zip(low, self.samples.shape, strict=True)
        ]
        z, y, x = (
            np.concatenate([(low, high)[(i >> (2 - axis)) & 1][axis] for i in range(8)])
            for axis in range(3)
        )
        found = self.samples.at(c, z, y, x).astype(np.float64).reshape(8, n)
        return lambda iz, iy, ix: np.asarray(found[4 * iz + 2 * iy + ix])


def _mix(a: Floats, b: Floats, t: Floats) -> Floats:
    """Linear interpolation that ignores neighbors of weight 0: a NaN affects only its own cells."""
    with np.errstate(invalid="ignore"):
        return np.where(t == 0, a, np.where(t == 1, b, (1 - t) * a + t * b))


def _mix_yx(corner: Callable[[int, int, int], Floats], t: list[Floats], z: int) -> Floats:
    return _mix(
        _mix(corner(z, 0, 0), corner(z, 0, 1), t[2]),
        _mix(corner(z, 1, 0), corner(z, 1, 1), t[2]),
        t[1],
    )
