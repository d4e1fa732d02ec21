"""The header of a compressed array, which is the first frame of its file.

In: shape, grid lines, blocks, quality. Out: a frame; and the header parsed from its bytes.

    frame: header (JSON below), payloads: lengths of the blocks' frames (u64), grid lines x, y, z
    one frame per block (a compressed field), x fastest
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codecs import frame
from insitu.codecs.frame import FrameError
from insitu.fields.metrics import FieldMetrics
from insitu.io.array_source import Nodes
from insitu.io.chunk_grid import ChunkGrid

KIND, VERSION = "compressed_array", 1
_MAX_BLOCKS = 1 << 24
_MAX_CELLS = 1 << 24  # along an axis


@dataclass(frozen=True)
class ArrayHeader:
    """All metadata of a compressed array; only the blocks' data are elsewhere."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    nodes: Nodes
    blocks: ChunkGrid
    range: tuple[float, float]
    """Smallest and largest finite value of the original array; NaN if there are none."""
    metrics: FieldMetrics
    """Over all blocks. Times are not stored, so that the same array gives the same bytes."""
    lengths: tuple[int, ...]
    """Bytes of each block's frame."""

    def to_bytes(self) -> bytes:
        lines = [_even(nodes) for nodes in self.nodes]
        header = {
            "kind": KIND,
            "version": VERSION,
            "name": self.name,
            "shape": self.shape,
            "dtype": self.dtype.name,
            "association": self.blocks.association,
            "bounds": self.blocks.bounds,
            "range": self.range,
            "metrics": self.metrics.to_dict(),
            "nodes": lines,
        }
        written = [
            b"" if line else nodes.astype("<f8").tobytes()
            for line, nodes in zip(lines, self.nodes, strict=True)
        ]
        return frame.pack(header, [np.array(self.lengths, "<u8").tobytes(), *written])

    @staticmethod
    def from_bytes(data: bytes | memoryview) -> ArrayHeader:
        """Parse a header. FrameError if the bytes do not start with one."""
        header, payloads = frame.unpack(data)
        if header.get("kind") != KIND:
            raise FrameError(
                f"the frame's kind is {header.get('kind')!r}; expected a compressed array"
            )
        if header.get("version") != VERSION:
            raise FrameError(
                f"compressed array of version {header.get('version')}; this insitu reads version "
                f"{VERSION}"
            )
        try:
            return _checked(header, payloads)
        except FrameError:
            raise
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise FrameError(f"invalid header of a compressed array: {error!r}") from error


def _even(nodes: NDArray[np.float64]) -> list[float] | None:
    """First and last of evenly spaced grid lines, which are then not stored; else None."""
    ends = [float(nodes[0]), float(nodes[-1])]
    return ends if np.array_equal(np.linspace(ends[0], ends[1], len(nodes)), nodes) else None


def _checked(header: dict[str, Any], payloads: list[bytes]) -> ArrayHeader:
    if header["association"] not in ("element", "vertex"):
        raise FrameError(f"association: {header['association']!r}; expected element or vertex")
    if header["dtype"] not in ("float32", "float64"):
        raise FrameError(f"dtype: {header['dtype']!r}; expected float32 or float64")
    shape = tuple(header["shape"])
    if len(shape) not in (2, 3) or not all(type(n) is int and n > 0 for n in shape):
        raise FrameError(f"shape: {shape}; expected (nz, ny, nx) or (ny, nx)")
    extra = 1 if header["association"] == "vertex" else 0
    cells = [n - extra for n in (1,) * (3 - len(shape)) + shape]
    bounds = [tuple(axis) for axis in header["bounds"]]
    for axis, n in zip(bounds, cells, strict=True):
        if not all(type(i) is int for i in axis) or axis[0] != 0 or axis[-1] != n:
            raise FrameError(f"bounds: {axis[:4]}... do not go from 0 to {n}")
        if any(low >= high for low, high in pairwise(axis)):
            raise FrameError("bounds: not increasing")
    lengths = np.frombuffer(payloads[0], "<u8")
    n_blocks = math.prod(len(axis) - 1 for axis in bounds)
    if len(lengths) != n_blocks or n_blocks > _MAX_BLOCKS:
        raise FrameError(f"{len(lengths)} frame lengths for {n_blocks} blocks")
    if (lengths > 2**62 // max(n_blocks, 1)).any():
        raise FrameError("lengths: the sum exceeds the largest possible file")
    low, high = header["range"]
    return ArrayHeader(
        name=str(header["name"]),
        shape=shape,
        dtype=np.dtype(header["dtype"]),
        nodes=_nodes(header["nodes"], payloads[1:], cells[::-1]),
        blocks=ChunkGrid(header["association"], (bounds[0], bounds[1], bounds[2])),
        range=(float(low), float(high)),
        metrics=FieldMetrics.from_dict(header["metrics"]),
        lengths=tuple(lengths.tolist()),
    )


def _nodes(entries: Any, payloads: list[bytes], cells: list[int]) -> Nodes:
    lines = []
    for ends, payload, n in zip(entries, payloads, cells, strict=True):
        if n > _MAX_CELLS:  # checked before anything of that size is allocated
            raise FrameError(f"shape: {n} cells along one axis; the limit is {_MAX_CELLS}")
        if ends is None:
            line = np.frombuffer(payload, "<f8").astype(np.float64)
        else:
            line = np.linspace(float(ends[0]), float(ends[1]), n + 1)
        if len(line) != n + 1 or not np.isfinite(line).all() or not (np.diff(line) > 0).all():
            raise FrameError(
                f"nodes: {len(line)} grid lines for {n} cells; expected {n + 1} in increasing order"
            )
        lines.append(line)
    return lines[0], lines[1], lines[2]
