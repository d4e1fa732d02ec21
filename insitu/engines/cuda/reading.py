"""Values, derivatives and errors of networks on the device.

In: a model, its parameters, points or a grid or a raw block. Out: arrays of the device; errors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines.base import Doubles
from insitu.engines.cuda import layout
from insitu.engines.cuda.arrays import DeviceArray, contiguous, params_of
from insitu.engines.cuda.device import Device, Launch, Memory, Program, spread
from insitu.engines.cuda.layout import Shape
from insitu.engines.cuda.sampler import GridSampler
from insitu.engines.options import Errors
from insitu.models.base import Model

_THREADS = 128
_CHUNK = 128  # samples that are measured or skipped together


class Network:
    """A model with parameters (n_params,) on the device, for any number of readings."""

    def __init__(self, device: Device, model: Model, params: Floats) -> None:
        shape = layout.shape_of(model)
        if shape is None:
            raise ValueError(f"model {model.kind!r}: the engine cuda does not support it")
        values = params_of(model, params)
        self.device, self.shape = device, shape
        self._params = device.uploaded(values)
        record = np.zeros((), shape.read_network)
        record["params"] = self._params.address
        record["levels"] = layout.levels_of(model)
        if shape.mlp == len(record["mlp"]):
            record["mlp"] = values[: shape.mlp]
        self.record = record
        """Of `Shape.read_network`."""

    def evaluate(self, points: Memory, n: int) -> DeviceArray:
        """(n, n_outputs) at points (n, 3)."""
        return self._read("evaluate", n, (n, self.shape.outputs), points=points.address)

    def gradient(self, points: Memory, n: int) -> DeviceArray:
        """(n, n_outputs, 3) at points (n, 3)."""
        return self._read("gradient", n, (n, self.shape.outputs, 3), points=points.address)

    def evaluate_grid(self, axes: Sequence[Floats]) -> DeviceArray:
        """(nz, ny, nx, n_outputs) on a grid; axes: coordinates along x, y, z."""
        held = [self.device.uploaded(np.ascontiguousarray(a, np.float32)) for a in axes]
        sizes = tuple(len(axis) for axis in axes)
        n = sizes[0] * sizes[1] * sizes[2]
        shape = (*sizes[::-1], self.shape.outputs)
        return self._read("evaluate", n, shape, axis=[m.address for m in held], sizes=sizes)

    def _read(
        self,
        kernel: str,
        n: int,
        shape: tuple[int, ...],
        points: int = 0,
        axis: Sequence[int] = (0, 0, 0),
        sizes: Sequence[int] = (0, 0, 0),
    ) -> DeviceArray:
        device = self.device
        out = device.allocate(max(4 * int(np.prod(shape)), 4))
        if n:
            arguments = np.array(
                (self.record, points, axis, sizes, n, out.address), self.shape.read
            )
            launch = Launch(spread(device, n, _THREADS), _THREADS)
            device.launch(_program(f"{kernel}.hpp", self.shape), kernel, launch, arguments)
        return contiguous(device, out, shape, np.float32)

    def measure(
        self, block: GridSampler, origin: Doubles, extent: Doubles, samples: tuple[int, int, int]
    ) -> list[Errors]:
        """samples: (begin, end, every), as in `insitu.engines.base.Engine.measure`."""
        begin, end, every = samples
        device, outputs = self.device, self.shape.outputs
        blocks = spread(device, -(-max(end - begin, 1) // every), _THREADS)
        out = device.allocate(blocks * outputs * 24)
        arguments = np.array(
            (self.record, block.grid, block.parts, origin, extent, *samples, out.address),
            self.shape.measure,
        )
        launch = Launch(blocks, _THREADS, shared=8 * 3 * _THREADS // 32)
        device.launch(_program("measure.hpp", self.shape), "measure", launch, arguments)
        found = device.downloaded(out, (blocks, outputs, 3), np.float64)
        return [
            Errors(float(part[:, 0].sum()), float(part[:, 1].max()), int(part[:, 2].sum()))
            for part in found.transpose(1, 0, 2)
        ]


def errors_of_constant(
    block: GridSampler, origin: Doubles, samples: tuple[int, int, int]
) -> list[Errors]:
    """Errors of the constant `origin`; samples: as for `Network.measure`."""
    begin, end, every = samples
    totals = []
    for c in range(block.components):
        # Whole ranges are one launch; there is no model, so this is rarely asked for with gaps.
        step = _CHUNK * every
        ranges = [(begin, end)] if every == 1 else [
            (first, min(first + _CHUNK, end)) for first in range(begin, end, step)
        ]  # fmt: skip
        total = Errors(0.0, 0.0, 0)
        for first, last in ranges:
            total = total + block.errors_of(c, float(origin[c]), first, last)
        totals.append(total)
    return totals


def _program(header: str, shape: Shape) -> Program:
    return Program.of(header, shape.constants())
