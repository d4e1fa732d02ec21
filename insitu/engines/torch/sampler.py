"""A raw block in PyTorch: trilinear values, and statistics of the owned samples.

In: arrays of NumPy or of a device, read in place. Out: training targets, statistics.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from insitu.core.arrays import Floats
from insitu.engines.base import Layers, Singles
from insitu.engines.options import Statistics
from insitu.engines.torch.arrays import points_of, tensor_of
from insitu.engines.torch.device import computing, precise
from insitu.engines.torch.grid import Grid, mix


class GridSampler:
    """A block on a device; arrays elsewhere are copied to it once.

    components: each (nz, ny, nx), ghosts included. Doubles stay on the host where the device does
    not support them. Raises ValueError where the shape does not match `cells` and `ghost_layers`.
    """

    def __init__(
        self,
        components: Sequence[Any],
        ghost_layers: Layers,
        cells: tuple[int, int, int],
        vertex: bool,
        device: torch.device,
    ) -> None:
        if not components:
            raise ValueError("components: expected at least one array")
        if min(cells) < 1:
            raise ValueError("cells: every axis needs at least one cell")
        z, y, x = (n + vertex + sum(layers) for n, layers in zip(cells, ghost_layers, strict=True))
        low_z, low_y, low_x = (low for low, _ in ghost_layers)
        self.device = device
        self.grid = Grid((z, y, x), (low_z, low_y, low_x), cells, vertex)
        self.parts = [self._placed(tensor_of(array)) for array in components]

    def _placed(self, part: torch.Tensor) -> torch.Tensor:
        if part.ndim != 3:
            raise ValueError(
                f"components: expected arrays of shape (nz, ny, nx), found {tuple(part.shape)}"
            )
        if tuple(part.shape) != self.grid.shape:
            raise ValueError(
                f"components: an array of shape {tuple(part.shape)}, cells and ghost layers make "
                f"{self.grid.shape}"
            )
        return part.to(precise(self.device) if part.dtype == torch.float64 else self.device)

    @property
    def components(self) -> int:
        return len(self.parts)

    @property
    def samples(self) -> int:
        return math.prod(self.grid.owned)

    def owned(self, component: int) -> torch.Tensor:
        """The owned samples (nz, ny, nx), a view."""
        if not 0 <= component < self.components:
            raise IndexError(f"component: {component} is not in 0..{self.components - 1}")
        part = self.parts[component]
        for axis, (low, n) in enumerate(zip(self.grid.ghost_low, self.grid.owned, strict=True)):
            part = part.narrow(axis, low, n)
        return part

    def statistics(self, component: int) -> Statistics:
        with computing(self.device):
            values = self.owned(component)
            low, high = (float(figure) for figure in values.aminmax())
            if math.isfinite(low) and math.isfinite(high):  # with a NaN, both are NaN
                return Statistics(low, high, self.samples, 0, 0)
            finite = values[values.isfinite()]
            nan = int(values.isnan().sum())
            inf = self.samples - len(finite) - nan
            if not len(finite):
                return Statistics(math.inf, -math.inf, 0, nan, inf)
            low, high = (float(figure) for figure in finite.aminmax())
            return Statistics(low, high, len(finite), nan, inf)

    def sample(self, points: Floats) -> Singles:
        with computing(self.device):
            at = points_of(points, self.device)
            columns = []
            for part in self.parts:
                where, fraction = self.grid.locate(at.to(part.device))
                columns.append(mix(part[where].float()[..., None], fraction).cpu())
            values: Singles = torch.cat(columns, dim=1).numpy()
            return values

    def normalized(self, origin: Sequence[float], scale: Sequence[float]) -> torch.Tensor:
        """(value - origin) * scale of all samples, ghosts included, (nz, ny, nx, components)
        float32: computed in the precision of the data, because a field may vary little around a
        large mean. Training reads this instead of the block: one gather for all components."""
        return torch.stack(
            [
                ((part - low) * factor).float().to(self.device)
                for part, low, factor in zip(self.parts, origin, scale, strict=True)
            ],
            dim=-1,
        )
