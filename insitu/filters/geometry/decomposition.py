"""The domain decomposition of a step: fields by block, and the map of all blocks.

In: each rank's blocks of every field. Out: partitions with all fields; the boxes of all ranks'
partitions; values at points that rounding may have moved outside a block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.block_map import BlockMap
from insitu.core.parallel import together
from insitu.fields.block_field import BlockField
from insitu.fields.sampled_block import SampledBlock

if TYPE_CHECKING:
    from mpi4py import MPI

T = TypeVar("T")


class HasBlocks(Protocol):
    """Anything with blocks, such as a `DistributedField`."""

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
    """This rank's blocks, possibly none."""
    return tuple(field if isinstance(field, Sequence) else field.fields)


def partitions(fields: Fields) -> list[Partition]:
    """This rank's partitions, each with all fields. Not collective.

    Raises ValueError without fields, or if the fields are not on the same partitions.
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
    """Values (n, n_components) float64 at world points inside a block up to rounding."""
    low, high = block.bounds
    values = np.asarray(block(np.clip(points, low, high)), np.float64)
    return values.reshape(len(points), block.n_components)


def evaluate_grid(block: SampledBlock, lines: Sequence[Floats]) -> Floats:
    """Values (nz, ny, nx, n_components) float64 at all points of a grid of world coordinates
    x, y, z, all inside the block up to rounding."""
    unit = [
        np.interp(along, nodes, np.linspace(0, 1, len(nodes)))
        for along, nodes in zip(lines, block.nodes, strict=True)
    ]
    return np.asarray(block.on_grid(unit[0], unit[1], unit[2]), np.float64)


def samples(block: SampledBlock) -> Floats:
    """The block's values at its samples: (nz, ny, nx), for vectors (nz, ny, nx, n)."""
    if isinstance(block, BlockField):
        return block.decode()
    if block.association == "vertex":
        z, y, x = (np.linspace(0, 1, n + 1) for n in block.cells)
    else:
        z, y, x = ((np.arange(n) + 0.5) / n for n in block.cells)
    values: Floats = block.on_grid(x, y, z)
    return values[..., 0] if block.n_components == 1 else values


@dataclass(frozen=True)
class Decomposition(BlockMap):
    """The blocks of some fields on all ranks. The same on every rank, except `mine`."""

    mine: tuple[int, ...]
    """Indices of this rank's blocks, in this rank's order."""
    components: Mapping[str, int]
    """Number of components by field, also on ranks without a block."""

    @staticmethod
    def gather(comm: MPI.Comm, fields: Fields) -> Decomposition:
        """The map of the blocks of all ranks, whose boxes must not overlap. Collective: two
        gathers, of 9 numbers per block and of the field names.

        Raises RemoteError if the fields of a rank do not match; ValueError on every rank if none
        has a block.
        """
        with together(comm, "blocks of all ranks"):
            parts = partitions(fields)
            nodes = [next(iter(part.values())).nodes for part in parts]
            components = {n: b.n_components for part in parts[:1] for n, b in part.items()}
        blocks = BlockMap.of_all_ranks(comm, nodes)
        everyone = [theirs for theirs in comm.allgather(components) if theirs]
        if not everyone:
            raise ValueError("blocks: no rank has a block; expected at least one")
        return Decomposition(
            blocks.boxes, blocks.ranks, blocks.places, blocks.spacing,
            mine=blocks.on_rank(comm.rank), components=everyone[0],
        )  # fmt: skip


def exchange(comm: MPI.Comm, parcels: Sequence[tuple[int, T]]) -> list[T]:
    """Send (rank, object) pairs; returns the objects for this rank, by sender. Collective: one
    all-to-all."""
    out: list[list[T]] = [[] for _ in range(comm.size)]
    for rank, parcel in parcels:
        out[rank].append(parcel)
    return [parcel for theirs in comm.alltoall(out) for parcel in theirs]


def _box(block: SampledBlock) -> str:
    low, high = block.bounds
    return f"{low.tolist()}..{high.tolist()}"
