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

from insitu.codec import frame, weights
from insitu.codec.frame import FrameError
from insitu.engines.native import lib
from insitu.engines.network import Network
from insitu.engines.threads import threads
from insitu.fields.metrics import FieldMetrics

Floats = NDArray[np.floating[Any]]


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
    """(n_components, 2): owned minimum and maximum, which outputs 0 and 1 stand for."""
    dtype: np.dtype[Any]
    """Of the raw data and of what is decoded: float32 or float64."""
    network: Network | None
    """None where every component is constant: the range says all."""
    params: NDArray[np.float32]
    """(n_params,), exactly representable in half precision."""
    metrics: FieldMetrics
    domain_id: int = 0
    cycle: int = 0
    time: float = 0.0
    """Of the simulation, in its own unit."""
    _bytes: bytes | None = field(default=None, repr=False, compare=False)

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
        return self._decode(*(self._unit_samples(n) for n in (nx, ny, nz)))

    def decode_planes(self, start: int, stop: int) -> Floats:
        """As `decode`, of the planes start..stop-1 along z: (stop - start, ny, nx, ...)."""
        nz, ny, nx = self.shape
        zs = self._unit_samples(nz)[start:stop]
        return self._decode(self._unit_samples(nx), self._unit_samples(ny), zs)

    def _decode(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        if self.network is None:
            outputs = np.zeros((len(zs), len(ys), len(xs), self.n_components), np.float32)
        else:
            outputs = lib.evaluate_grid(self.network.native, self.params, xs, ys, zs, threads())
        values = self._physical(outputs)
        return values[..., 0] if self.n_components == 1 else values

    def sampler(self) -> Any:
        """The native `Sampler` of this field: physical values at points of the unit cube."""
        native = None if self.network is None else self.network.native
        return lib.NetworkSampler(native, self.params, self.range[:, 0], self._extent)

    def to_bytes(self) -> bytes:
        """The field as one frame (see `insitu.codec.frame`)."""
        return self._bytes if self._bytes is not None else self._frame

    @cached_property
    def _frame(self) -> bytes:
        grid_lines = [_line_header(nodes) for nodes in self.nodes]
        header = {
            "kind": "neural_field",
            "name": self.name,
            "association": self.association,
            "cells": self.cells,
            "range": self.range.tolist(),
            "dtype": self.dtype.name,
            "nodes": [head for head, _ in grid_lines],
            "network": None if self.network is None else self.network.to_dict(),
            "metrics": self.metrics.to_dict(),
            "domain_id": self.domain_id,
            "cycle": self.cycle,
            "time": self.time,
        }
        encoded = weights.encode(self.params)
        return frame.pack(header, [encoded, *(payload for _, payload in grid_lines)])

    @staticmethod
    def from_bytes(data: bytes | memoryview) -> NeuralField:
        """The field of one frame. FrameError where the bytes are not a whole frame of a field."""
        header, payloads = frame.unpack(data)
        if header.get("kind") != "neural_field":
            raise FrameError(f"a frame of kind {header.get('kind')!r}, not of a neural field")
        try:
            return _from_header(header, payloads, bytes(data))
        except FrameError:
            raise
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise FrameError(f"header of a neural field: {error!r}") from error

    @property
    def _extent(self) -> Floats:
        return np.asarray(self.range[:, 1] - self.range[:, 0])  # (n_components,)

    def _outputs(self, unit: NDArray[np.float32]) -> Floats:
        if self.network is None:
            return np.zeros((len(unit), self.n_components), np.float32)
        return np.asarray(lib.evaluate(self.network.native, self.params, unit, threads()))

    def _physical(self, outputs: Floats) -> Floats:
        """(..., n_components) of the network -> the field's units, in its own precision."""
        low = self.range[:, 0]
        return np.asarray(low + self._extent * outputs).astype(self.dtype)

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


def _line_header(nodes: Floats) -> tuple[Any, bytes]:
    """Header entry and payload of one axis: evenly spaced lines need two numbers only."""
    even = np.linspace(nodes[0], nodes[-1], len(nodes))
    if np.abs(nodes - even).max() <= 1e-12 * (abs(nodes[-1]) + abs(nodes[0])):
        return [float(nodes[0]), float(nodes[-1]), len(nodes)], b""
    return None, np.asarray(nodes, "<f8").tobytes()


def _line(head: Any, payload: bytes, cells: int) -> Floats:
    if head is None:
        nodes = np.frombuffer(payload, "<f8").astype(np.float64)
    else:
        if head[2] != cells + 1:  # before anything of that size is made
            raise FrameError(f"nodes: {head[2]} grid lines for {cells} cells")
        nodes = np.linspace(head[0], head[1], head[2])
    if len(nodes) != cells + 1 or not (np.diff(nodes) > 0).all():
        raise FrameError(f"nodes: {len(nodes)} grid lines for {cells} cells, or not increasing")
    return nodes


_MAX_CELLS_PER_AXIS = 1 << 24


def _from_header(header: dict[str, Any], payloads: list[bytes], data: bytes) -> NeuralField:
    cells = tuple(header["cells"])
    if len(cells) != 3 or not all(type(n) is int and 1 <= n <= _MAX_CELLS_PER_AXIS for n in cells):
        raise FrameError(f"cells: {cells} are not three positive numbers")
    if header["association"] not in ("element", "vertex"):
        raise FrameError(f"association: {header['association']!r}")
    if header["dtype"] not in ("float32", "float64"):
        raise FrameError(f"dtype: {header['dtype']!r}")
    value_range = np.array(header["range"], np.float64)
    if value_range.ndim != 2 or value_range.shape[1] != 2 or not len(value_range):
        raise FrameError(f"range: shape {value_range.shape}, expected (n_components, 2)")
    network = None if header["network"] is None else Network(**header["network"])
    if network is not None:
        _ = network.native  # refuses impossible shapes
        if network.n_outputs != len(value_range):
            raise FrameError(f"network: {network.n_outputs} outputs, {len(value_range)} ranges")
        params = weights.decode(payloads[0], network.n_params)
    else:
        params = np.zeros(0, np.float32)
    params.flags.writeable = False
    lines = [
        _line(head, payload, n)
        for head, payload, n in zip(header["nodes"], payloads[1:], reversed(cells), strict=True)
    ]
    return NeuralField(
        name=header["name"],
        association=header["association"],
        cells=cells,
        nodes=(lines[0], lines[1], lines[2]),
        range=value_range,
        dtype=np.dtype(header["dtype"]),
        network=network,
        params=params,
        metrics=FieldMetrics.from_dict(header["metrics"]),
        domain_id=int(header["domain_id"]),
        cycle=int(header["cycle"]),
        time=float(header["time"]),
        _bytes=data[: frame.frame_nbytes(data)],
    )
