"""Pictures of networks on the device: evaluated at every sample of a ray, nothing is decoded.

In: a model with parameters, a block's grid lines, options. Out: premultiplied RGBA.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines.base import Doubles, Singles
from insitu.engines.cuda.device import Device, Launch, Memory, Program
from insitu.engines.cuda.reading import Network
from insitu.engines.options import MarchOptions
from insitu.engines.picture_checks import check_march
from insitu.models.base import Model

_TILE = 16, 8  # pixels of a block of threads: width, height; see march.hpp

Nodes = tuple[Floats, Floats, Floats]


class NetworkBricks:
    """`insitu.engines.base.Bricks` of which none is ever decoded."""

    def __init__(
        self,
        device: Device,
        model: Model,
        params: Singles,
        origin: Doubles,
        extent: Doubles,
        cells: tuple[int, int, int],
        vertex: bool,
    ) -> None:
        """cells: (nz, ny, nx). The parameters are copied to the device."""
        if min(cells) < 1:
            raise ValueError("cells: every axis needs at least one cell")
        with device.current():
            self._network = Network(device, model, params)
        self._scale = origin, extent
        self.cells, self.vertex = cells, vertex

    @property
    def components(self) -> int:
        return self._network.shape.outputs

    @property
    def total(self) -> int:
        return 0

    def march(self, nodes: Nodes, options: MarchOptions) -> Singles:
        """As `insitu.engines.base.Engine.march`."""
        check_march(self.components, self.cells, nodes, options)
        y0, y1, x0, x1 = options.view.rectangle
        height, width = y1 - y0, x1 - x0
        device, shape = self._network.device, self._network.shape
        record = np.zeros((), shape.march)
        self._describe(record, options)
        with device.current():
            held: list[Memory] = []

            def uploaded(array: Any, dtype: type) -> int:
                held.append(device.uploaded(np.ascontiguousarray(array, dtype)))
                return held[-1].address

            record["nodes"] = [uploaded(axis, np.float64) for axis in nodes]
            record["table"] = uploaded(options.table, np.float32)
            if options.surface is not None:
                record["surface"], record["depth"] = (
                    uploaded(image, np.float32) for image in options.surface
                )
            out = device.allocate(max(16 * height * width, 4))
            record["out"] = out.address
            if height and width:
                launch = Launch(-(-width // _TILE[0]), _TILE[0] * _TILE[1], -(-height // _TILE[1]))
                program = Program.of("march.hpp", shape.constants())
                device.launch(program, "march", launch, record)
            return device.downloaded(out, (height, width, 4), np.float32)

    def _describe(self, record: np.ndarray, options: MarchOptions) -> None:
        view = options.view
        record["net"] = self._network.record
        record["origin"], record["extent"] = self._scale
        for name in ("eye", "forward", "right", "up", "size", "rectangle"):
            record[name] = getattr(view, name)
        record["domain_low"], record["domain_high"] = options.domain
        for name in ("range", "step", "opaque", "component", "jitter"):
            record[name] = getattr(options, name)
        record["flat"] = -1.0 if options.flat is None else options.flat
        record["cells"], record["vertex"] = self.cells[::-1], self.vertex
        record["rows"] = len(options.table)
