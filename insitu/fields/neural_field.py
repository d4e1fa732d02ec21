"""A trained block: a network and what its numbers mean in the world.

In: parameters and geometry, or bytes. Out: values and gradients at any point, without inflating
the block.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from insitu.codec import frame
from insitu.codec.frame import FrameError
from insitu.codec.weights import Weights
from insitu.engines.native import lib
from insitu.engines.network import Network
from insitu.engines.threads import threads
from insitu.fields import header as head
from insitu.fields.metrics import FieldMetrics

Floats = NDArray[np.floating[Any]]

_SLAB_SAMPLES = 2**20  # decoded in one go, about 10 ms

_KEYS = {
    "name", "association", "cells", "range", "dtype", "nodes", "network", "metrics", "domain_id",
    "cycle", "time",
}  # fmt: skip


@dataclass(frozen=True)
class NeuralField:
    """One field on one partition, as a network. Immutable; no method is collective."""

    name: str
    association: str
    """"element" (a value per cell) or "vertex" (a value per grid node)."""
    cells: tuple[int, int, int]
    """Owned cells, (nz, ny, nx)."""
    nodes: tuple[Floats, Floats, Floats]
    """World coordinates of the owned box's grid lines, x (nx+1,), y (ny+1,), z (nz+1,)."""
    range: Floats
    """(n_components, 2): owned minimum and maximum; their difference is the outputs' unit."""
    dtype: np.dtype[Any]
    """Of the raw data and of what is decoded: float32 or float64."""
    network: Network | None
    """None where every component is constant: the range says all."""
    weights: Weights
    """Its parameters, and the bytes that these are decoded from."""
    metrics: FieldMetrics
    domain_id: int = 0
    cycle: int = 0
    time: float = 0.0
    """Of the simulation, in its own unit."""
    origin: Floats | None = None
    """(n_components,): what output 0 stands for; None: the minimum."""
    _bytes: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def params(self) -> NDArray[np.float32]:
        """(n_params,), read-only: what the field's bytes decode to."""
        return self.weights.params

    @property
    def n_components(self) -> int:
        return len(self.range)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Owned samples, (nz, ny, nx): cells, or one more each way for vertex data."""
        extra = 1 if self.association == "vertex" else 0
        nz, ny, nx = self.cells
        return (nz + extra, ny + extra, nx + extra)

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """World coordinates of the owned box: lowest and highest corner, each (3,) x, y, z."""
        return (
            np.array([nodes[0] for nodes in self.nodes]),
            np.array([nodes[-1] for nodes in self.nodes]),
        )

    @property
    def nbytes(self) -> int:
        """Length of `to_bytes()`."""
        return len(self.to_bytes())

    def __call__(self, points: ArrayLike) -> Floats:
        """Values at world points (n, 3), x y z -> (n,) for scalars, (n, n_components) for vectors.

        NaN outside the owned box.
        """
        unit, inside = self._to_unit(points)
        values = self._physical(self._outputs(unit))
        values[~inside] = np.nan
        return values[:, 0] if self.n_components == 1 else values

    def gradient(self, points: ArrayLike) -> Floats:
        """Derivatives along x, y, z at world points (n, 3) -> (n, 3), or (n, n_components, 3).

        Exact for the network (analytic), in the field's units per unit of length. NaN outside.
        """
        unit, inside = self._to_unit(points)
        slopes = np.zeros((len(unit), self.n_components, 3))
        if self.network is not None and len(unit):
            slopes += lib.evaluate_gradient(self.network.native, self.params, unit, threads())
        slopes *= self._extent[None, :, None] * self._unit_per_world(points)[:, None, :]
        slopes[~inside] = np.nan
        return slopes[:, 0] if self.n_components == 1 else slopes

    def decode(self, shape: tuple[int, int, int] | None = None) -> Floats:
        """The whole block: (nz, ny, nx), for vectors (nz, ny, nx, n_components). Inflates it.

        shape: samples per axis, placed as the association says (cell centres, or from face to
        face); by default those of the raw data. ValueError where an axis has too few.
        """
        nz, ny, nx = self.shape if shape is None else shape
        least = 2 if self.association == "vertex" else 1
        if min(nz, ny, nx) < least:
            raise ValueError(f"shape: {(nz, ny, nx)} has an axis of fewer than {least} samples")
        return self._grid(*(self._unit_samples(n) for n in (nx, ny, nz)))

    def decode_box(self, box: tuple[slice, slice, slice]) -> Floats:
        """The raw data's samples in a box of sample indices z, y, x, and no others.

        The slices have a start and a stop within `shape`, and no step.
        """
        lines = [self._unit_samples(n)[at] for n, at in zip(self.shape, box, strict=True)]
        return self._grid(*reversed(lines))

    def _grid(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        """Values at all combinations of unit coordinates, (nz, ny, nx[, n_components])."""
        nz, ny, nx = len(zs), len(ys), len(xs)
        values = np.empty((nz, ny, nx, self.n_components), self.dtype)
        # In slabs: Ctrl-C is seen between two of them, and no second block is held.
        layers = max(1, _SLAB_SAMPLES // (ny * nx))
        for z in range(0, nz, layers):
            values[z : z + layers] = self._decode(xs, ys, zs[z : z + layers])
        return values[..., 0] if self.n_components == 1 else values

    def decode_planes(self, start: int, stop: int) -> Floats:
        """The planes start..stop-1 of `decode()` along z: (stop - start, ny, nx, n_components)."""
        nz, ny, nx = self.shape
        zs = self._unit_samples(nz)[start:stop]
        return self._decode(self._unit_samples(nx), self._unit_samples(ny), zs)

    def _decode(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        """(nz, ny, nx, n_components) at the product of coordinates in the unit cube."""
        if self.network is None:
            outputs = np.zeros((len(zs), len(ys), len(xs), self.n_components), np.float32)
        else:
            outputs = lib.evaluate_grid(self.network.native, self.params, xs, ys, zs, threads())
        return self._physical(outputs)

    def sampler(self) -> Any:
        """The native `Sampler` of this field: physical values at points of the unit cube."""
        native = None if self.network is None else self.network.native
        return lib.NetworkSampler(native, self.params, self.zero, self._extent)

    def to_bytes(self) -> bytes:
        """The field as one frame (see `insitu.codec.frame`)."""
        return self._bytes if self._bytes is not None else self._frame

    @cached_property
    def _frame(self) -> bytes:
        grid_lines = [head.write_lines(nodes) for nodes in self.nodes]
        header = {
            "kind": "neural_field",
            "name": self.name,
            "association": self.association,
            "cells": self.cells,
            "range": self.range.tolist(),
            "origin": self.zero.tolist(),
            "dtype": self.dtype.name,
            "nodes": [entry for entry, _ in grid_lines],
            "network": None if self.network is None else self.network.to_dict(),
            "weights": self.weights.codec,
            "metrics": self.metrics.to_dict(),
            "domain_id": self.domain_id,
            "cycle": self.cycle,
            "time": self.time,
        }
        return frame.pack(header, [self.weights.payload, *(lines for _, lines in grid_lines)])

    @staticmethod
    def from_bytes(data: bytes | memoryview) -> NeuralField:
        """The field of one frame. FrameError where the bytes are not a whole frame of a field."""
        header, payloads = frame.unpack(data)
        if header.get("kind") != "neural_field":
            raise FrameError(f"a frame of kind {header.get('kind')!r}, not of a neural field")
        missing = _KEYS - header.keys()
        if missing or len(payloads) != 4:
            raise FrameError(
                f"{len(payloads)} payloads, expected 4; header without {sorted(missing)}"
            )
        value_range = head.value_range(header["range"])
        n_components = len(value_range)
        cells = head.cells(header["cells"])
        network = head.network(header["network"], n_components)
        lines = [
            head.read_lines(entry, payload, n)
            for entry, payload, n in zip(
                head.sequence("nodes", header["nodes"], 3), payloads[1:], cells[::-1], strict=True
            )
        ]
        return NeuralField(
            name=head.word("name", header["name"]),
            association=head.word("association", header["association"], ("element", "vertex")),
            cells=cells,
            nodes=(lines[0], lines[1], lines[2]),
            range=value_range,
            dtype=np.dtype(head.word("dtype", header["dtype"], ("float32", "float64"))),
            network=network,
            # Version 1 says nothing of the weights: they are in half precision.
            weights=Weights.from_payload(
                payloads[0], head.word("weights", header.get("weights", "half")), network
            ),
            metrics=head.metrics(header["metrics"], n_components),
            domain_id=head.whole("domain_id", header["domain_id"]),
            cycle=head.whole("cycle", header["cycle"]),
            time=head.real("time", header["time"]),
            origin=head.origin(header.get("origin"), value_range),
            _bytes=bytes(data[: frame.frame_nbytes(data)]),
        )

    @property
    def zero(self) -> Floats:
        """Values that output 0 stands for, (n_components,)."""
        return self.range[:, 0] if self.origin is None else self.origin

    @property
    def _extent(self) -> Floats:
        return np.asarray(self.range[:, 1] - self.range[:, 0])  # (n_components,)

    def _outputs(self, unit: NDArray[np.float32]) -> Floats:
        if self.network is None:
            return np.zeros((len(unit), self.n_components), np.float32)
        return np.asarray(lib.evaluate(self.network.native, self.params, unit, threads()))

    def _physical(self, outputs: Floats) -> Floats:
        """(..., n_components) of the network -> the field's units, in its own precision."""
        return np.asarray(self.zero + self._extent * outputs).astype(self.dtype)

    def _unit_samples(self, n: int) -> NDArray[np.float32]:
        if self.association == "vertex":
            return np.arange(n, dtype=np.float32) / np.float32(n - 1)
        return (np.arange(n, dtype=np.float32) + np.float32(0.5)) / np.float32(n)

    def _to_unit(self, points: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        points = np.atleast_2d(np.asarray(points, np.float64))
        if points.ndim != 2 or points.shape[1] != 3:
            raise ValueError(f"points: shape {points.shape}, expected (n, 3)")
        unit = np.empty(points.shape, np.float32)
        inside = np.ones(len(points), bool)
        for axis, nodes in enumerate(self.nodes):
            x = points[:, axis]
            inside &= (x >= nodes[0]) & (x <= nodes[-1])
            unit[:, axis] = np.interp(x, nodes, np.linspace(0, 1, len(nodes)))
        unit[~inside] = 0.5  # any point of the box: the value is discarded
        return unit, inside

    def _unit_per_world(self, points: ArrayLike) -> Floats:
        """Derivative of unit with respect to world coordinates, (n, 3)."""
        points = np.atleast_2d(np.asarray(points, np.float64))
        slopes = np.empty(points.shape)
        for axis, nodes in enumerate(self.nodes):
            cell = np.searchsorted(nodes, points[:, axis], side="right") - 1
            cell = np.clip(cell, 0, len(nodes) - 2)
            slopes[:, axis] = 1 / ((len(nodes) - 1) * np.diff(nodes)[cell])
        return slopes
