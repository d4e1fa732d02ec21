"""A block of raw samples, read in place.

In: the simulation's own arrays, strided, float32 or float64, with ghost layers. Out: trilinear
values at points of the unit cube, the owned samples themselves, their statistics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.core.device_arrays import host
from insitu.engines.base import Layers, Singles
from insitu.engines.options import Statistics

CORNERS = [(c >> 2 & 1, c >> 1 & 1, c & 1) for c in range(8)]  # z, y, x


class GridSampler:
    """`insitu.engines.base.Sampler`. Axis order is z, y, x, except for points."""

    def __init__(
        self,
        components: Sequence[Floats],
        ghost_layers: Layers,
        cells: tuple[int, int, int],
        vertex: bool,
    ) -> None:
        self.parts = tuple(host(component) for component in components)
        self.ghost_layers = ghost_layers
        self.cells = cells
        self.vertex = vertex
        self.owned = tuple(n + vertex for n in cells)
        _check(self.parts, ghost_layers, cells, self.owned)

    @property
    def components(self) -> int:
        return len(self.parts)

    @property
    def samples(self) -> int:
        return int(np.prod(self.owned))

    def own(self, component: int) -> Floats:
        """View (nz, ny, nx) of the owned samples."""
        window = zip(self.ghost_layers, self.owned, strict=True)
        return self.parts[component][tuple(slice(low, low + n) for (low, _), n in window)]

    def statistics(self, component: int) -> Statistics:
        if not 0 <= component < self.components:
            raise IndexError("component out of range")
        own = self.own(component)
        finite = own[np.isfinite(own)]
        nan = int(np.isnan(own).sum())
        return Statistics(
            min=float(finite.min(initial=np.inf)),
            max=float(finite.max(initial=-np.inf)),
            finite=finite.size,
            nan=nan,
            inf=own.size - finite.size - nan,
        )

    def sample(self, points: Floats) -> Singles:
        return self._interpolated(points, lambda values, component: values).astype(np.float32)

    def sample_normalized(self, points: Floats, origin: Floats, scale: Floats) -> Floats:
        """As `sample`, but (value - origin) * scale, with these (n_components,): (n, components).

        The difference is computed in the precision of the data, because a field may vary little
        around a large mean.
        """

        def normalized(values: Floats, component: int) -> Floats:
            of_kind = values.dtype.type
            result: Floats = (values - of_kind(origin[component])) * of_kind(scale[component])
            return result

        return self._interpolated(points, normalized)

    def _interpolated(
        self, points: Floats, convert: Callable[[Floats, int], Floats]
    ) -> NDArray[np.float64]:
        """(n, components) from the converted corners. Corners of weight 0 are not read, so that a
        NaN affects only its own cells."""
        low, weight = [], []
        for axis in range(3):
            last = self.parts[0].shape[axis] - 1
            shift = self.ghost_layers[axis][0] - (0.0 if self.vertex else 0.5)
            place = np.asarray(points[:, 2 - axis], np.float32) * np.float32(self.cells[axis])
            # Beyond the outermost samples the value is constant.
            place = np.clip(place + np.float32(shift), np.float32(0), np.float32(last))
            low.append(place.astype(np.int64))
            weight.append((place - low[-1]).astype(np.float64))
        total = np.zeros((len(points), self.components))
        with np.errstate(invalid="ignore", over="ignore"):
            for corner in CORNERS:
                share = np.ones(len(points))
                for t, high in zip(weight, corner, strict=True):
                    share = share * (t if high else 1 - t)
                index = tuple(
                    np.minimum(cell + high, n - 1)
                    for cell, high, n in zip(low, corner, self.parts[0].shape, strict=True)
                )
                for c, part in enumerate(self.parts):
                    read = np.where(share > 0, convert(part[index], c), 0)
                    total[:, c] += share * read.astype(np.float32)
        return total


def _check(
    parts: tuple[Any, ...],
    ghost_layers: Layers,
    cells: tuple[int, int, int],
    owned: tuple[int, ...],
) -> None:
    if min(cells) < 1:
        raise ValueError("cells: every axis needs at least one cell")
    if not parts:
        raise ValueError("components: expected at least one array")
    for part in parts:
        if not isinstance(part, np.ndarray):
            raise TypeError("components: expected NumPy arrays")
        if part.ndim != 3:
            raise ValueError("components: expected arrays of shape (nz, ny, nx)")
        if part.dtype not in (np.float32, np.float64):
            raise TypeError("components: expected float32 or float64")
        for axis, (n, (low, high)) in enumerate(zip(owned, ghost_layers, strict=True)):
            if part.shape[axis] != n + low + high:
                raise ValueError(
                    f"components: axis {axis} has {part.shape[axis]} samples, cells and ghost "
                    f"layers make {n + low + high}"
                )
