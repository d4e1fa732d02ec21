"""A compressed block of any kind, as a function on its box.

In: geometry and metrics; subclasses add the compressed data. Out: values and gradients at any
point, the decoded block, one frame of bytes.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from insitu.codecs import frame
from insitu.codecs.frame import FrameError
from insitu.core.arrays import Floats
from insitu.core.box import Box
from insitu.core.limits import huge_problem
from insitu.core.normalized_coordinates import to_unit, unit_per_world
from insitu.fields import header as head
from insitu.fields.metrics import FieldMetrics

if TYPE_CHECKING:
    from insitu.engines import Engine
    from insitu.fields.model_field import ModelField


SLAB_SAMPLES = 2**20  # decoded at once, about 10 ms

_KEYS = {
    "name", "association", "cells", "range", "dtype", "nodes", "metrics", "domain_id", "cycle",
    "time",
}  # fmt: skip


KINDS: dict[str, type[BlockField]] = {}
"""Every subclass that defines `kind`, by that name, which frame headers store."""


def owned_samples(cells: tuple[int, int, int], association: str) -> tuple[int, int, int]:
    """Samples (nz, ny, nx) of a block of cells (nz, ny, nx): one more per axis for vertex data."""
    extra = 1 if association == "vertex" else 0
    nz, ny, nx = cells
    return (nz + extra, ny + extra, nx + extra)


@dataclass(frozen=True, kw_only=True)
class BlockField(ABC):
    """One field on one partition. Immutable; no method is collective."""

    kind: ClassVar[str]
    """Name of this kind of field in frame headers."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if "kind" in cls.__dict__:
            KINDS[cls.kind] = cls

    name: str
    association: str
    """"element" (a value per cell) or "vertex" (a value per grid node)."""
    cells: tuple[int, int, int]
    """Number of owned cells, (nz, ny, nx)."""
    nodes: tuple[Floats, Floats, Floats]
    """World coordinates of the owned box's grid lines, x (nx+1,), y (ny+1,), z (nz+1,)."""
    range: Floats
    """(n_components, 2): minimum and maximum of the owned samples. Their difference is the unit of
    the model's outputs."""
    dtype: np.dtype[Any]
    """Type of the raw and of the decoded data: float32 or float64."""
    metrics: FieldMetrics
    domain_id: int = 0
    dimension: int = 3
    """2 for a mesh in a plane: one layer of cells around it, with the plane's samples; of vertex
    data, two equal planes of them."""
    cycle: int = 0
    time: float = 0.0
    """Simulation time, in the simulation's unit."""
    _bytes: bytes | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        """One line, without the arrays of weights and grid lines."""
        extent = " x ".join(f"[{low:g}, {high:g}]" for low, high in zip(*self.bounds, strict=True))
        samples = " x ".join(str(n) for n in self.shape)
        return (
            f"<{type(self).__name__} {self.name!r}: {self.codec}, {samples} samples (z y x) "
            f"in {extent}, cycle {self.cycle}>"
        )

    @property
    @abstractmethod
    def codec(self) -> str:
        """Name of the codec: "inr", "sz3", "zfp" or "sperr"."""

    @property
    def as_model(self) -> ModelField | None:
        """The field itself where it is a model, with or without a residual; otherwise None."""
        return None

    @property
    def model_alone(self) -> bool:
        """Whether the field is a model without a residual."""
        return False

    @property
    def params_nbytes(self) -> int:
        """Bytes of decoded parameters, not counting the frame and the field's own cache."""
        return 0

    @property
    def n_components(self) -> int:
        return len(self.range)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of owned samples, (nz, ny, nx): as many as cells, one more per axis for vertex
        data."""
        return owned_samples(self.cells, self.association)

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """World coordinates of the owned box: lower and upper corner, each (3,) x, y, z."""
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
        unit, inside = to_unit(points, self.nodes)
        values = self._values(unit)
        values[~inside] = np.nan
        return values[:, 0] if self.n_components == 1 else values

    def at(self, unit: Floats) -> Floats:
        """Values (n, n_components) at points of the owned box's unit cube (n, 3), float64."""
        return self._values(unit)

    def gradient(self, points: ArrayLike) -> Floats:
        """Derivatives by x, y, z at world points (n, 3) -> (n, 3), or (n, n_components, 3).

        The exact gradient of the compressed field, in field units per unit of length. NaN outside
        the owned box.
        """
        unit, inside = to_unit(points, self.nodes)
        slopes = self._slopes(unit) * unit_per_world(points, self.nodes)[:, None, :]
        slopes[~inside] = np.nan
        return slopes[:, 0] if self.n_components == 1 else slopes

    def decode(self, shape: tuple[int, int, int] | None = None) -> Floats:
        """Decode the whole block: (nz, ny, nx), for vectors (nz, ny, nx, n_components).

        shape: samples per axis, placed by the association (at cell centers, or from face to face);
        by default the shape of the raw data. Raises ValueError where an axis has too few samples.
        """
        nz, ny, nx = self.shape if shape is None else shape
        least = 2 if self.association == "vertex" else 1
        if min(nz, ny, nx) < least:
            raise ValueError(f"shape: {(nz, ny, nx)} has an axis of fewer than {least} samples")
        values = self._grid((nz, ny, nx))
        return values[..., 0] if self.n_components == 1 else values

    def decode_box(self, box: Box) -> Floats:
        """Decode only the samples in a box of sample indices z, y, x; the values are those of
        `decode`. The slices have a start and a stop within `shape`, and no step.
        """
        values = self._box(box)
        return values[..., 0] if self.n_components == 1 else values

    def on_grid(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        """Values at all points of a grid in unit coordinates of the owned box, each axis (n,) in
        0..1 -> (nz, ny, nx, n_components) of `dtype`. Faster than the same number of points."""
        values = np.empty((len(zs), len(ys), len(xs), self.n_components), self.dtype)
        layers = max(1, SLAB_SAMPLES // max(1, len(ys) * len(xs)))
        for z in range(0, len(zs), layers):  # Ctrl-C works between slabs; no second block
            values[z : z + layers] = self._slab(xs, ys, zs[z : z + layers])
        return values

    def to_bytes(self) -> bytes:
        """The field as one frame (see `insitu.codecs.frame`)."""
        return self._bytes if self._bytes is not None else self._frame

    @cached_property
    def _frame(self) -> bytes:
        return frame.pack(*self.parts())

    def parts(self) -> tuple[dict[str, Any], list[bytes]]:
        """Header and payloads of the frame. Callers may change them."""
        if self._bytes is not None:
            return frame.unpack(self._bytes)
        grid_lines = [head.write_lines(nodes) for nodes in self.nodes]
        entries, payloads = self._content()
        header = {
            "kind": self.kind,
            "name": self.name,
            "association": self.association,
            "cells": self.cells,
            "range": self.range.tolist(),
            "dtype": self.dtype.name,
            "nodes": [entry for entry, _ in grid_lines],
            **entries,
            "metrics": self.metrics.to_dict(),
            "domain_id": self.domain_id,
            **({"dimension": self.dimension} if self.dimension != 3 else {}),
            "cycle": self.cycle,
            "time": self.time,
        }
        first, *rest = payloads
        return header, [first, *(lines for _, lines in grid_lines), *rest]

    @classmethod
    @abstractmethod
    def from_bytes(cls, data: bytes | memoryview, engine: Engine | None = None) -> BlockField:
        """Read a field from one frame. engine: evaluates the field, if it is a model. Raises
        FrameError where the bytes are not a complete frame of a field."""

    @abstractmethod
    def _content(self) -> tuple[dict[str, Any], list[bytes]]:
        """Header entries and payloads (at least one) specific to this kind of field."""

    @classmethod
    def _unpacked(
        cls, data: bytes | memoryview, keys: set[str]
    ) -> tuple[dict[str, Any], list[bytes], dict[str, Any]]:
        """Header, payloads specific to this kind, and the arguments common to all kinds, checked.

        Raises FrameError where the bytes are not a complete frame of this kind, or lack one of the
        keys.
        """
        header, payloads = frame.unpack(data)
        if header.get("kind") != cls.kind:
            raise FrameError(f"a frame of kind {header.get('kind')!r}, not of a {cls.kind}")
        missing = (_KEYS | keys) - header.keys()
        if missing or len(payloads) < 4:
            raise FrameError(
                f"{len(payloads)} payloads, expected 4; header without {sorted(missing)}"
            )
        value_range = head.value_range(header["range"])
        cells = head.cells(header["cells"])
        dtype = np.dtype(head.word("dtype", header["dtype"], ("float32", "float64")))
        nbytes = math.prod(cells) * len(value_range) * dtype.itemsize
        if problem := huge_problem(nbytes, len(data)):
            raise FrameError(f"{cells[2]} x {cells[1]} x {cells[0]} cells: {problem}")
        lines = [
            head.read_lines(entry, payload, n)
            for entry, payload, n in zip(
                head.sequence("nodes", header["nodes"], 3), payloads[1:4], cells[::-1], strict=True
            )
        ]
        common = {
            "name": head.word("name", header["name"]),
            "association": head.word("association", header["association"], ("element", "vertex")),
            "cells": cells,
            "nodes": (lines[0], lines[1], lines[2]),
            "range": value_range,
            "dtype": dtype,
            "metrics": head.metrics(header["metrics"], len(value_range)),
            "domain_id": head.whole("domain_id", header["domain_id"]),
            "dimension": head.dimension(header, cells),
            "cycle": head.whole("cycle", header["cycle"]),
            "time": head.real("time", header["time"]),
            "_bytes": bytes(data[: frame.frame_nbytes(data)]),
        }
        return header, [payloads[0], *payloads[4:]], common

    @abstractmethod
    def _values(self, unit: Floats) -> Floats:
        """Values at unit-cube points (n, 3), float64 -> (n, n_components), a new array of dtype."""

    @abstractmethod
    def _slopes(self, unit: Floats) -> Floats:
        """Derivatives by unit coordinates, (n, n_components, 3), float64."""

    @abstractmethod
    def _slab(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        """As `on_grid`, in one piece."""

    @abstractmethod
    def _grid(self, shape: tuple[int, int, int]) -> Floats:
        """(nz, ny, nx, n_components), at the samples of `decode`."""

    @abstractmethod
    def _box(self, box: Box) -> Floats:
        """(nz, ny, nx, n_components), the samples of `decode_box`."""

    def _unit_samples(self, n: int) -> Floats:
        """Unit coordinates of n samples along an axis."""
        if self.association == "vertex":
            return np.arange(n) / (n - 1)
        return (np.arange(n) + 0.5) / n
