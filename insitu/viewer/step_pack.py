"""One field at one step, as one compressed piece for the browser.

In: the blocks. Out: bytes: ZLIB of the length of a header (u32), the header (JSON), the blocks'.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.block_map import BlockMap
from insitu.fields.block_field import BlockField
from insitu.store.block_grid import BlockGrid, GridError
from insitu.store.stored_block import StoredBlock
from insitu.viewer import block_pack
from insitu.viewer.block_pack import MOST_SAMPLES, PackedBlock

_HEAD = struct.Struct("<I")
_CLOSE = 1e-9  # of an axis: grid lines that near to even ones are even


@dataclass(frozen=True)
class StepPack:
    """A packed step."""

    data: bytes
    recoded: Counter[str]
    """Number of blocks sent as samples, by the reason."""


def pack(fields: Sequence[BlockField]) -> StepPack:
    """All blocks of one field at one step. Raises FrameError if one is corrupt."""
    try:
        grid = BlockGrid(cast("Sequence[StoredBlock]", fields))
    except GridError:
        return _resampled(fields)
    extra = 1 if grid.association == "vertex" else 0
    packed = []
    for field, (z, y, x) in zip(fields, grid.boxes, strict=True):
        low = [x.start, y.start, z.start]
        high = [x.stop - extra, y.stop - extra, z.stop - extra]
        packed.append(_at(block_pack.pack(field), low, high))
    return _joined(packed, grid.nodes)


def pack_array(
    values: Floats, vertex: bool, nodes: tuple[Floats, Floats, Floats], reason: str
) -> StepPack:
    """An array (nz, ny, nx[, n_components]) as one block of samples, and why."""
    cells = [len(lines) - 1 for lines in nodes]
    return _joined([_at(block_pack.samples(values, vertex, reason), [0, 0, 0], cells)], nodes)


def _at(block: PackedBlock, low: list[int], high: list[int]) -> PackedBlock:
    """The block, with its box in cells of the whole grid, x y z."""
    return PackedBlock({**block.entry, "low": low, "high": high}, block.data, block.recoded)


def _joined(blocks: Sequence[PackedBlock], nodes: Sequence[Floats]) -> StepPack:
    entries, at = [], 0
    for block in blocks:
        entries.append({**block.entry, "bytes": [at, len(block.data)]})
        at += len(block.data)
    recoded = Counter(block.recoded for block in blocks if block.recoded)
    description = {"lines": [_lines(n) for n in nodes], "blocks": entries, "recoded": [*recoded]}
    header = json.dumps(description, allow_nan=False).encode()
    data = b"".join([_HEAD.pack(len(header)), header, *(block.data for block in blocks)])
    return StepPack(zlib.compress(data, 9), recoded)


def _lines(nodes: Floats) -> dict[str, Any]:
    """Grid lines of one axis: first, last and number; all of them where they are uneven."""
    found: dict[str, Any] = {"ends": [float(nodes[0]), float(nodes[-1])], "cells": len(nodes) - 1}
    even = np.linspace(nodes[0], nodes[-1], len(nodes))
    if np.abs(nodes - even).max() > _CLOSE * (nodes[-1] - nodes[0]):
        found["all"] = np.asarray(nodes, np.float64).tolist()
    return found


def _resampled(fields: Sequence[BlockField]) -> StepPack:
    """Blocks that do not tile one grid, on a uniform grid over all of them."""
    bounds = np.array([field.bounds for field in fields])
    low, high = bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)
    finest = np.array([[np.diff(n).min() for n in field.nodes] for field in fields]).min(axis=0)
    cells = np.clip(np.ceil((high - low) / finest), 1, MOST_SAMPLES).astype(int)
    nodes = [np.linspace(a, b, n + 1) for a, b, n in zip(low, high, cells, strict=True)]
    x, y, z = ((n[1:] + n[:-1]) / 2 for n in nodes)
    zs, ys, xs = np.meshgrid(z, y, x, indexing="ij")
    points = np.stack([xs.ravel(), ys.ravel(), zs.ravel()], axis=1)
    values = np.full((len(points), fields[0].n_components), np.nan)
    found = BlockMap.of([field.nodes for field in fields])
    owners = found.owners(points)
    for index in np.unique(owners[owners >= 0]):
        field, held = fields[found.places[index]], owners == index
        inside = np.clip(points[held], *field.bounds)
        values[held] = np.asarray(field(inside)).reshape(len(inside), -1)
    grid = values.reshape(*zs.shape, -1)
    block = block_pack.samples(grid, False, "blocks that do not tile one grid")
    return _joined([_at(block, [0, 0, 0], cells.tolist())], nodes)
