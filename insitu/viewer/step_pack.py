"""One field at one step, as one compressed piece for the browser.

In: the blocks. Out: bytes: ZLIB of the length of a header (u32), the header (JSON), the arrays of
models (`rans`), the blocks' own bytes.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.block_map import BlockMap
from insitu.fields.block_field import BlockField
from insitu.store.block_grid import BlockGrid, GridError
from insitu.store.stored_block import StoredBlock
from insitu.viewer import block_pack
from insitu.viewer.block_pack import MOST_SAMPLES, PackedBlock
from insitu.viewer.rans import Encoder

# Of a block, what changes from step to step.
_OWN = ("origin", "extent", "bytes", "scales", "relative", "coded", "correction")
_HEAD = struct.Struct("<I")
_CLOSE = 1e-9  # of an axis: grid lines that near to even ones are even


@dataclass(frozen=True)
class StepPack:
    """A packed step."""

    data: bytes
    recoded: Counter[str]
    """Number of blocks sent as samples, by the reason."""
    blocks: Sequence[PackedBlock]
    lines: Sequence[dict[str, Any]]
    """Grid lines along x, y, z."""


def pack(fields: Sequence[BlockField], before: StepPack | None = None) -> StepPack:
    """All blocks of one field at one step. Raises FrameError if one is corrupt.

    before: the same field's step before, which the page then needs to unpack this one.
    """
    try:
        grid = BlockGrid(cast("Sequence[StoredBlock]", fields))
    except GridError:
        return _resampled(fields)
    if sum(math.prod(field.cells) for field in fields) != math.prod(len(n) - 1 for n in grid.nodes):
        return _resampled(fields)  # where there is no block, there are holes
    extra = 1 if grid.association == "vertex" else 0
    packed, encoder = [], Encoder()
    earlier = dict(enumerate(() if before is None else before.blocks))
    for i, (field, (z, y, x)) in enumerate(zip(fields, grid.boxes, strict=True)):
        low = [x.start, y.start, z.start]
        high = [x.stop - extra, y.stop - extra, z.stop - extra]
        packed.append(_at(block_pack.pack(field, earlier.get(i), encoder), low, high))
    return _joined(packed, grid.nodes, encoder.bytes(), before)


def pack_array(
    values: Floats, vertex: bool, nodes: tuple[Floats, Floats, Floats], reason: str
) -> StepPack:
    """An array (nz, ny, nx[, n_components]) as one block of samples, and why."""
    cells = [len(lines) - 1 for lines in nodes]
    return _joined([_at(block_pack.samples(values, vertex, reason), [0, 0, 0], cells)], nodes)


def _at(block: PackedBlock, low: list[int], high: list[int]) -> PackedBlock:
    """The block, with its box in cells of the whole grid, x y z."""
    return replace(block, entry={**block.entry, "low": low, "high": high})


def _joined(
    blocks: Sequence[PackedBlock],
    nodes: Sequence[Floats],
    numbers: bytes = b"",
    before: StepPack | None = None,
) -> StepPack:
    """numbers: the arrays of all models, which stand first. What is as it was at the step before,
    is left out."""
    entries, at = [], len(numbers)
    for i, block in enumerate(blocks):
        entry = {**block.entry, "bytes": [at, len(block.data)]}
        if before is not None and i < len(before.blocks):
            entry = _changed(entry, before.blocks[i].entry)
        entries.append(entry)
        at += len(block.data)
    recoded = Counter(block.recoded for block in blocks if block.recoded)
    lines = [_lines(n) for n in nodes]
    description = {"blocks": entries, "recoded": [*recoded], "numbers": len(numbers)}
    description["follows"] = before is not None
    if before is None or before.lines != lines:
        description["lines"] = lines
    header = json.dumps(description, allow_nan=False).encode()
    data = b"".join([_HEAD.pack(len(header)), header, numbers, *(b.data for b in blocks)])
    return StepPack(zlib.compress(data, 9), recoded, blocks, lines)


def _changed(entry: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """What of a block's description is not as before: all, if it is of another shape."""
    fixed = {key: value for key, value in entry.items() if key not in _OWN}
    if entry.keys() != before.keys() or fixed != {
        key: value for key, value in before.items() if key not in _OWN
    }:
        return entry
    return {key: value for key, value in entry.items() if key in _OWN}


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
