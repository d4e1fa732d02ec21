"""A raw block on the device: trilinear values, statistics, errors of a constant.

In: arrays of the device, read in place, or of the host, copied to it once. Out: NumPy arrays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines.base import Layers, Singles
from insitu.engines.cuda import layout
from insitu.engines.cuda.arrays import DeviceArray, on_device, points_of
from insitu.engines.cuda.device import Device, Launch, Program, spread
from insitu.engines.options import Errors, Statistics

_RAW = Program("raw.hpp")
_THREADS = 256
_SHARED = 8 * 6 * _THREADS // 32


class GridSampler:
    """`insitu.engines.base.Sampler`. Raises ValueError where the shape does not match `cells` and
    `ghost_layers`, TypeError as `on_device`."""

    def __init__(
        self,
        device: Device,
        components: Sequence[Any],
        ghost_layers: Layers,
        cells: tuple[int, int, int],
        vertex: bool,
    ) -> None:
        if not components:
            raise ValueError("components: expected at least one array")
        if min(cells) < 1:
            raise ValueError("cells: every axis needs at least one cell")
        self.device = device
        self.owned = tuple(n + vertex for n in cells)
        shape = tuple(n + sum(more) for n, more in zip(self.owned, ghost_layers, strict=True))
        for array in components:
            _check_shape(tuple(getattr(array, "shape", shape)), shape)
        with device.current():
            self.arrays = [on_device(device, array) for array in components]
        low = [before for before, _ in ghost_layers]
        self.grid = np.array((shape, low, self.owned, cells, 0.0 if vertex else 0.5), layout.GRID)
        self.parts = np.array([_part(array) for array in self.arrays], layout.PART)

    @property
    def components(self) -> int:
        return len(self.arrays)

    @property
    def samples(self) -> int:
        return math.prod(self.owned)

    def statistics(self, component: int) -> Statistics:
        if not 0 <= component < self.components:
            raise IndexError(f"component: {component} is not in 0..{self.components - 1}")
        found = self._survey(component, 0, self.samples, 0.0)
        finite, nan = int(found[:, 2].sum()), int(found[:, 3].sum())
        inf = self.samples - finite - nan
        return Statistics(float(found[:, 0].min()), float(found[:, 1].max()), finite, nan, inf)

    def errors_of(self, component: int, constant: float, begin: int, end: int) -> Errors:
        """Errors of a constant at the owned samples begin .. end - 1."""
        found = self._survey(component, begin, end, constant)
        squares, largest = float(found[:, 5].sum()), float(found[:, 4].max())
        return Errors(squares, largest, int(found[:, 2].sum()))

    def _survey(self, component: int, begin: int, end: int, origin: float) -> np.ndarray:
        """(blocks, 6), as the kernel `survey` has it."""
        blocks = spread(self.device, end - begin, _THREADS)
        with self.device.current():
            out = self.device.allocate(blocks * 48)
            arguments = np.array(
                (self.grid, self.parts[component], begin, end, origin, out.address), layout.SURVEY
            )
            self.device.launch(_RAW, "survey", Launch(blocks, _THREADS, shared=_SHARED), arguments)
            return self.device.downloaded(out, (blocks, 6), np.float64)

    def sample(self, points: Floats) -> Singles:
        at = points_of(points)
        n, device = len(at), self.device
        with device.current():
            places, out = device.uploaded(at), device.allocate(max(4 * n * self.components, 4))
            for c, part in enumerate(self.parts):
                arguments = np.array(
                    (self.grid, part, places.address, n, out.address + 4 * c, self.components),
                    layout.SAMPLE,
                )
                shape = Launch(spread(device, n, _THREADS), _THREADS)
                device.launch(_RAW, "sample_block", shape, arguments)
            return device.downloaded(out, (n, self.components), np.float32)


def draw(device: Device, sampling: np.ndarray, iteration: int, batch: int) -> Singles:
    """The sample points (batch, 3) of an iteration; sampling: a record of SAMPLING."""
    with device.current():
        out = device.allocate(max(12 * batch, 4))
        arguments = np.array((sampling, iteration % 2**32, batch, out.address), layout.DRAW)
        device.launch(
            _RAW, "draw_points", Launch(spread(device, batch, _THREADS), _THREADS), arguments
        )
        return device.downloaded(out, (batch, 3), np.float32)


def sampling_of(seed: int, share: float, sigma: float, batch: int) -> np.ndarray:
    """A record of SAMPLING."""
    boundary = int(float(np.float32(share)) * batch + 0.5)
    return np.array((seed, boundary, sigma), layout.SAMPLING)


def _check_shape(found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if len(found) != 3:
        raise ValueError(f"components: expected arrays of shape (nz, ny, nx), found {found}")
    if found != expected:
        raise ValueError(
            f"components: an array of shape {found}, cells and ghost layers make {expected}"
        )


def _part(array: DeviceArray) -> tuple[int, tuple[int, ...], bool]:
    return array.memory.address, array.strides, array.dtype == np.float64
