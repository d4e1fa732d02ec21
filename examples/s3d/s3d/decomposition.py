"""Cuts the grid into one block per rank, along x, y and z.

In: points of the whole grid and a communicator. Out: this rank's block and its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from mpi4py import MPI

from .axes import AXES, Triple
from .filter import HALF_WIDTH


@dataclass(frozen=True)
class Placement:
    """One rank's block; all in (z, y, x) order.

    `blocks` along each axis, `offset` the index of the block's first point, `shape` its points.
    `around[axis]` has the ranks below and above with periodic ends closed, this rank itself where
    the axis is not cut, MPI.PROC_NULL beyond open ends; `inside[axis]` has None at every end.
    """

    blocks: Triple
    offset: Triple
    shape: Triple
    around: tuple[tuple[int, int], ...]
    inside: tuple[tuple[int | None, int | None], ...]


def choose_blocks(points: Triple, ranks: int) -> Triple:
    """How many blocks along each axis have the least surface between them.

    Raises ValueError where every cut leaves a block narrower than the filter's stencil.
    """
    found: tuple[float, Triple] | None = None
    for blocks in product(range(1, ranks + 1), repeat=3):
        if blocks[0] * blocks[1] * blocks[2] != ranks:
            continue
        if any(b > 1 and n // b < HALF_WIDTH for n, b in zip(points, blocks, strict=True)):
            continue
        surface = sum((b - 1) / n for n, b in zip(points, blocks, strict=True))
        # Among equal cuts the last: along z, whose planes are contiguous in memory.
        if found is None or surface <= found[0]:
            found = surface, blocks
    if found is None:
        x, y, z = reversed(points)
        raise ValueError(
            f"{ranks} ranks leave blocks of fewer than {HALF_WIDTH} of {x} x {y} x {z} points; "
            f"use fewer ranks or more points"
        )
    return found[1]


def decompose(
    points: Triple, periodic: tuple[bool, bool, bool], ranks: int, rank: int
) -> Placement:
    """The block of `rank`; larger blocks come first. Raises ValueError as `choose_blocks`."""
    blocks = choose_blocks(points, ranks)
    _, ny, nx = blocks
    place = (rank // (ny * nx), rank // nx % ny, rank % nx)
    offset, shape, around, inside = [], [], [], []
    for axis in AXES:
        n, parts, here = points[axis], blocks[axis], place[axis]
        offset.append(here * (n // parts) + min(here, n % parts))
        shape.append(n // parts + (here < n % parts))
        ranks_beside, ranks_inside = [], []
        for there in (here - 1, here + 1):
            is_inside = 0 <= there < parts
            coordinates = [*place]
            coordinates[axis] = there % parts
            k, j, i = coordinates
            beside = (k * ny + j) * nx + i
            ranks_beside.append(beside if is_inside or periodic[axis] else MPI.PROC_NULL)
            ranks_inside.append(beside if is_inside else None)
        around.append((ranks_beside[0], ranks_beside[1]))
        inside.append((ranks_inside[0], ranks_inside[1]))
    return Placement(blocks, _triple(offset), _triple(shape), tuple(around), tuple(inside))


def _triple(values: list[int]) -> Triple:
    z, y, x = values
    return z, y, x
