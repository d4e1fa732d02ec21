"""Trilinear interpolation between the samples of a block, in PyTorch.

In: the positions of a block's samples, points of its unit cube. Out: the samples around a point and
their weights; values.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

Axes = tuple[int, int, int]


@dataclass(frozen=True)
class Grid:
    """Positions of a block's samples; every triple is along z, y, x."""

    shape: Axes
    """Number of samples, ghosts included."""
    ghost_low: Axes
    """Number of ghost layers below the owned samples."""
    cells: Axes
    """Number of owned cells."""
    vertex: bool
    """Whether samples are at grid nodes instead of cell centers."""

    @property
    def owned(self) -> Axes:
        """Number of owned samples."""
        z, y, x = (n + self.vertex for n in self.cells)
        return z, y, x

    @property
    def shift(self) -> float:
        """Distance of the first owned sample from the block's face, in cells."""
        return 0.0 if self.vertex else 0.5

    def locate(self, points: torch.Tensor) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        """Indices of the 8 samples around points (n, 3), along z, y, x, which together are
        (n, 2, 2, 2); how far the points are from the lowest, (n, 3) in z, y, x."""
        where, fractions = [], []
        for axis in range(3):
            last = self.shape[axis] - 1
            # Without a ghost layer, the outermost half cell is constant.
            p = points[:, 2 - axis] * self.cells[axis] + (self.ghost_low[axis] - self.shift)
            p = p.clamp(0, last)
            low = p.long()
            pair = torch.stack([low, (low + 1).clamp(max=last)], dim=1)
            view = [1, 1, 1]
            view[axis] = 2
            where.append(pair.view(-1, *view))
            fractions.append(p - low)
        return tuple(where), torch.stack(fractions, dim=1)

    def interpolate(self, volume: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """volume (nz, ny, nx, c) of `shape`, points (n, 3) -> values (n, c)."""
        where, fraction = self.locate(points)
        return mix(volume[where], fraction)


def mix(corners: torch.Tensor, fraction: torch.Tensor) -> torch.Tensor:
    """corners (n, 2, 2, 2, c) in z, y, x; fraction (n, 3) -> (n, c). Corners of weight 0 are
    ignored, so that a NaN affects only its own cells."""
    for axis in range(3):
        low, high = corners[:, 0], corners[:, 1]
        t = fraction[:, axis].view(-1, *[1] * (low.ndim - 1))
        corners = torch.where(t == 0, low, (1 - t) * low + t * high)
    return corners
