"""What a block shares with its neighbors, for a sparse grid.

In: a block with one ghost layer where it has neighbors. Out: its samples with those on the shared
faces, and these faces coded as both sides code them. No communication.

Nodes on a face belong to both blocks. Of cells, the sample on a face is the mean of the two beside
it, the block's own and the ghost; on an edge the mean of four, at a corner of eight: what trilinear
interpolation across the blocks gives there. Where a ghost is missing, nothing is shared, and where
one is stale, or blocks meet in a T, each side codes what it knows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from insitu.core.arrays import Array, Floats
from insitu.fields import shared_parts
from insitu.fields.shared_parts import CodedPart
from insitu.mesh.partition import Partition
from insitu.models.sparse_grid.lines import HALF_CELLS
from insitu.models.sparse_grid.parts import Part, Side
from insitu.training.fill import filled


def ends_of(partition: Partition) -> int:
    """Which ends a block keeps (`insitu.models.sparse_grid.lines`): those with a ghost layer."""
    ends = 0
    for axis, (low, high) in enumerate(partition.ghost_layers):
        ends |= (bool(low) | bool(high) << 1) << 2 * (2 - axis)
    return ends | HALF_CELLS if ends and partition.association == "element" else ends


def extended(partition: Partition, component: Array) -> Floats:
    """The owned samples (nz, ny, nx), with those on shared faces where it is a block of cells."""
    if partition.association == "vertex":
        return np.asarray(component[partition.owned_box])
    every: tuple[Side, Side, Side] = (None, None, None)
    return _samples(partition, component, every, component.dtype)


def coded(
    partition: Partition, component: Array, found: Sequence[Part], error: float, most: float
) -> list[CodedPart]:
    """The parts of one component. error: in field units, that all blocks agree on. most: error of
    parts that are not quiet (`insitu.fields.quiet`), in units of `error`."""
    return [_coded(partition, component, part, error, most) for part in found]


def _coded(
    partition: Partition, component: Array, part: Part, error: float, most: float
) -> CodedPart:
    samples = _samples(partition, component, part.sides, np.dtype(np.float64))
    finite = samples[np.isfinite(samples)]
    middle = float(np.median(finite)) if finite.size else 0.0
    return shared_parts.code(filled(samples, middle, error), middle, part, error, most)


def _samples(
    partition: Partition,
    component: Array,
    sides: tuple[Side, Side, Side],
    dtype: np.dtype[np.generic],
) -> Floats:
    """Samples of a part, or all of them. Axis by axis, so that both sides add in the same order."""
    values = component
    for axis, (side, (low, high)) in enumerate(zip(sides, partition.ghost_layers, strict=True)):
        n = values.shape[axis]
        if partition.association == "vertex":
            first, last = low, n - high
            at = slice(first, last) if side is None else _one(first if side < 0 else last - 1)
            values = _along(values, axis, at)
            continue
        faces = {-1: (0, 2), 1: (n - 2, n)}
        if side is not None:
            values = _mean(_along(values, axis, slice(*faces[side])), axis)
            continue
        pieces = [_along(values, axis, slice(low, n - high))]
        if low:
            pieces.insert(0, _mean(_along(values, axis, slice(*faces[-1])), axis))
        if high:
            pieces.append(_mean(_along(values, axis, slice(*faces[1])), axis))
        values = pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=axis)
    return np.asarray(values, dtype)


def _mean(pair: Floats, axis: int) -> Floats:
    """Of two samples along an axis, which is kept."""
    with np.errstate(invalid="ignore"):  # of infinities
        return np.mean(pair, axis=axis, dtype=np.float64, keepdims=True)


def _along(values: Floats, axis: int, at: slice) -> Floats:
    every = [slice(None)] * 3
    every[axis] = at
    return values[tuple(every)]


def _one(index: int) -> slice:
    return slice(index, index + 1)
