"""Values between the samples of a block in bricks.

In: bricks, where their samples lie, points of the unit cube. Out: trilinear values and their
derivatives, as the engine's `GridSampler` has them of raw data; only bricks near a point are
decoded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codec.bricks import Bricks
from insitu.fields.header import NO_LAYERS, Layers

Floats = NDArray[np.floating[Any]]
Indices = NDArray[np.int64]

# Rounding of a point's coordinates, in cells: so near a sample it is the sample, whose neighbours
# (they may be NaN) do not count.
_ON_SAMPLE = 1e-9


@dataclass(frozen=True)
class Trilinear:
    """A block in bricks, as a function. Immutable."""

    bricks: Bricks
    cells: tuple[int, int, int]
    """Owned, (nz, ny, nx)."""
    vertex: bool
    ghost_layers: Layers = NO_LAYERS
    """In the bricks, on the (low, high) side along z, y, x."""

    def values(self, unit: Floats) -> Floats:
        """At points of the unit cube (n, 3), x y z -> (n, n_components), float64."""
        low, t, _ = self._locate(unit)
        out = np.empty((len(unit), self.bricks.n_components))
        for c in range(self.bricks.n_components):
            corner = self._corners(c, low)
            out[:, c] = _mix(_mix_yx(corner, t, 0), _mix_yx(corner, t, 1), t[0])
        return out

    def on_grid(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        """At all points of a grid of unit coordinates -> (nz, ny, nx, n_components), float64: the
        same bits as `values`, axis by axis."""
        axes = [self._along(axis, line) for axis, line in enumerate((zs, ys, xs))]
        if any(not len(low) for low, _, _ in axes):
            return np.empty((len(zs), len(ys), len(xs), self.bricks.n_components))
        z, y, x = (
            slice(int(low.min()), min(int(low.max()) + 2, n))
            for (low, _, _), n in zip(axes, self.bricks.shape, strict=True)
        )
        out: Floats = self.bricks.box((z, y, x)).astype(np.float64)
        for axis in (2, 1, 0):
            low, t, _ = axes[axis]
            low = low - low.min()
            high = np.minimum(low + 1, out.shape[axis] - 1)
            t = t.reshape([-1 if a == axis else 1 for a in range(4)])
            out = _mix(out.take(low, axis), out.take(high, axis), t)
        return out

    def slopes(self, unit: Floats) -> Floats:
        """Derivatives by unit coordinates x, y, z: (n, 3) -> (n, n_components, 3). Those of the
        cell around the point; 0 where the outermost half cell is constant."""
        low, t, beyond = self._locate(unit)
        out = np.empty((len(unit), self.bricks.n_components, 3))
        for c in range(self.bricks.n_components):
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
        """Per axis z, y, x: lowest sample of the cell, how far from it, whether beyond the last."""
        low, t, beyond = zip(*(self._along(a, unit[:, 2 - a]) for a in range(3)), strict=True)
        return list(low), list(t), list(beyond)

    def _along(self, axis: int, unit: Floats) -> tuple[Indices, Floats, NDArray[np.bool_]]:
        """The same of one axis z, y, x."""
        shift = self.ghost_layers[axis][0] - (0.0 if self.vertex else 0.5)
        p = unit * float(self.cells[axis]) + shift
        nearest = np.rint(p)
        p = np.where(np.abs(p - nearest) < _ON_SAMPLE, nearest, p)
        last = self.bricks.shape[axis] - 1
        beyond = (p < 0) | (p > last)
        p = np.clip(p, 0, last)
        low = np.minimum(p.astype(np.int64), max(last - 1, 0))
        return low, p - low, beyond

    def _corners(self, c: int, low: list[Indices]) -> Callable[[int, int, int], Floats]:
        n = len(low[0])
        high = [
            np.minimum(index + 1, size - 1)
            for index, size in zip(low, self.bricks.shape, strict=True)
        ]
        z, y, x = (
            np.concatenate([(low, high)[(i >> (2 - axis)) & 1][axis] for i in range(8)])
            for axis in range(3)
        )
        found = self.bricks.at(c, z, y, x).astype(np.float64).reshape(8, n)
        return lambda iz, iy, ix: np.asarray(found[4 * iz + 2 * iy + ix])


def _mix(a: Floats, b: Floats, t: Floats) -> Floats:
    """A neighbour of weight zero is not read: a NaN does not reach beyond its own cells."""
    with np.errstate(invalid="ignore"):
        return np.where(t == 0, a, np.where(t == 1, b, (1 - t) * a + t * b))


def _mix_yx(corner: Callable[[int, int, int], Floats], t: list[Floats], z: int) -> Floats:
    return _mix(
        _mix(corner(z, 0, 0), corner(z, 0, 1), t[2]),
        _mix(corner(z, 1, 0), corner(z, 1, 1), t[2]),
        t[1],
    )
