"""Where all blocks of a step lie, and which of them has a point.

In: each rank's blocks. Out: their boxes, the same on all ranks; every point of the domain belongs
to exactly one block, whatever rank that is on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from insitu.fields.sampled_block import SampledBlock
from insitu.parallel import together

if TYPE_CHECKING:
    from mpi4py import MPI

Floats = NDArray[np.floating[Any]]
Indices = NDArray[np.integer[Any]]
T = TypeVar("T")

# Coordinates nearer than this share of the smallest cell are one: ranks compute them apart.
ROUNDING = 1e-9


class HasBlocks(Protocol):
    """Such as a `DistributedField`."""

    @property
    def fields(self) -> Sequence[SampledBlock]: ...


Blocks: TypeAlias = "HasBlocks | Sequence[SampledBlock]"
"""This rank's blocks of one field at one step."""
Fields: TypeAlias = Mapping[str, Blocks]
"""Fields of one step on the same partitions: block i of each is the same partition. The names and
their order are the same on every rank."""
Partition: TypeAlias = dict[str, SampledBlock]
"""All fields of one partition."""


def blocks_of(field: Blocks) -> tuple[SampledBlock, ...]:
    """This rank's blocks, none or more."""
    return tuple(field if isinstance(field, Sequence) else field.fields)


def partitions(fields: Fields) -> list[Partition]:
    """This rank's partitions, each with all fields. Not collective.

    Raises ValueError without a field, or where the fields do not lie on the same partitions.
    """
    if not fields:
        raise ValueError("fields: expected at least one")
    blocks = {name: blocks_of(field) for name, field in fields.items()}
    counts = {name: len(found) for name, found in blocks.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"fields: expected as many blocks of each, found {counts}")
    parts = [dict(zip(blocks, row, strict=True)) for row in zip(*blocks.values(), strict=True)]
    for part in parts:
        first, *others = part.values()
        for other in others:
            same = other.cells == first.cells and np.array_equal(other.bounds, first.bounds)
            if not same:
                raise ValueError(
                    f"fields: {first.name} is on {first.cells} cells in {_box(first)}, "
                    f"{other.name} on {other.cells} in {_box(other)}; expected one partition"
                )
    return parts


def evaluate(block: SampledBlock, points: Floats) -> Floats:
    """Values (n, n_components) float64 at world points that a block has but for rounding."""
    low, high = block.bounds
    values = np.asarray(block(np.clip(points, low, high)), np.float64)
    return values.reshape(len(points), block.n_components)


def evaluate_grid(block: SampledBlock, lines: Sequence[Floats]) -> Floats:
    """Values (nz, ny, nx, n_components) float64 at all points of a grid of world coordinates
    x, y, z, each in the block but for rounding."""
    unit = [
        np.interp(along, nodes, np.linspace(0, 1, len(nodes)))
        for along, nodes in zip(lines, block.nodes, strict=True)
    ]
    return np.asarray(block.on_grid(unit[0], unit[1], unit[2]), np.float64)


@dataclass(frozen=True)
class Decomposition:
    """The boxes of all blocks on all ranks. Immutable; the same on every rank but for `mine`."""

    boxes: Floats
    """(n_blocks, 2, 3): lowest and highest corner x, y, z, in the order of z, y, x of the lowest;
    coordinates that differ by rounding alone are equal here."""
    ranks: Indices
    """(n_blocks,): who has the block."""
    mine: tuple[int, ...]
    """Which of them this rank's blocks are, in this rank's order."""
    components: Mapping[str, int]
    """By field, on ranks without a block too."""
    spacing: float
    """The smallest distance between two nodes on any rank."""

    @staticmethod
    def gather(comm: MPI.Comm, fields: Fields) -> Decomposition:
        """Of the blocks of all ranks, whose boxes must not overlap. Collective: one gather of 6
        numbers per block.

        Raises RemoteError where the fields of a rank do not fit together; ValueError on every rank
        where none has a block.
        """
        with together(comm, "blocks of all ranks"):
            parts = partitions(fields)
            firsts = [next(iter(part.values())) for part in parts]
            bounds = [np.stack(first.bounds).astype(np.float64) for first in firsts]
            spacing = min(
                (float(np.diff(n).min()) for f in firsts for n in f.nodes), default=np.inf
            )
            components = {n: b.n_components for part in parts[:1] for n, b in part.items()}
        everyone = comm.allgather((bounds, spacing, components))
        ranks = np.concatenate([np.full(len(b), r, int) for r, (b, _, _) in enumerate(everyone)])
        if not len(ranks):
            raise ValueError("blocks: no rank has one")
        smallest = min(s for _, s, _ in everyone)
        boxes = _joined(np.array([box for b, _, _ in everyone for box in b]), ROUNDING * smallest)
        order = np.lexsort(boxes[:, 0].T)  # the last key, z, counts most
        return Decomposition(
            boxes=boxes[order],
            ranks=ranks[order],
            mine=tuple(np.argsort(order)[ranks == comm.rank].tolist()),
            components=next(c for _, _, c in everyone if c),
            spacing=float(smallest),
        )

    @cached_property
    def bounds(self) -> tuple[Floats, Floats]:
        """Lowest and highest corner of the whole domain, each (3,) x, y, z."""
        return self.boxes[:, 0].min(axis=0), self.boxes[:, 1].max(axis=0)

    def touching(self, index: int) -> Indices:
        """The other blocks that share a face, an edge or a corner with a block, in order."""
        low, high = self.boxes[index]
        near = ((self.boxes[:, 0] <= high) & (self.boxes[:, 1] >= low)).all(axis=1)
        near[index] = False
        return np.flatnonzero(near)

    def holds(self, index: int, points: Floats) -> NDArray[np.bool_]:
        """(n,): which of the points (n, 3) belong to a block.

        Of the closed boxes around a point, the one that is last in order has it. In a grid of
        blocks it is the box with low <= point < high, and at the domain's end the last one.
        """
        held = _within(self.boxes[index], points)
        for other in self.touching(index):
            if other > index and held.any():
                held[held] = ~_within(self.boxes[other], points[held])
        return held


def exchange(comm: MPI.Comm, parcels: Sequence[tuple[int, T]]) -> list[T]:
    """Send (rank, object) pairs, receive those for this rank, by sender. Collective: one
    all-to-all."""
    out: list[list[T]] = [[] for _ in range(comm.size)]
    for rank, parcel in parcels:
        out[rank].append(parcel)
    return [parcel for theirs in comm.alltoall(out) for parcel in theirs]


def _within(box: Floats, points: Floats) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = ((points >= box[0]) & (points <= box[1])).all(axis=1)
    return inside


def _joined(boxes: Floats, tolerance: float) -> Floats:
    """Coordinates within the tolerance of a neighbour become the least of their group."""
    joined = boxes.copy()
    for axis in range(3):
        values, inverse = np.unique(boxes[..., axis], return_inverse=True)
        group = np.concatenate([[0], np.cumsum(np.diff(values) > tolerance)])
        first = np.searchsorted(group, np.arange(group[-1] + 1))
        joined[..., axis] = values[first[group]][inverse].reshape(boxes.shape[:2])
    return joined


def _box(block: SampledBlock) -> str:
    low, high = block.bounds
    return f"{low.tolist()}..{high.tolist()}"
