"""Contour lines of a field in a plane.

In: the isosurface in the layer of cells that stands for the plane, which is a wall through it. Out:
the lines in which the wall cuts the middle of the layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.geometry import Lines, Surface
from insitu.fields.sampled_block import SampledBlock

if TYPE_CHECKING:
    from mpi4py import MPI


def in_plane(comm: MPI.Comm, blocks: Sequence[SampledBlock]) -> bool:
    """Whether the blocks of all ranks are a layer that stands for a plane. Collective."""
    from mpi4py import MPI

    mine = min((_dimension(block) for block in blocks), default=3)
    return int(comm.allreduce(mine, op=MPI.MIN)) == 2


def _dimension(block: SampledBlock) -> int:
    """Of the mesh of a block, or of the block that it is derived from."""
    inner = getattr(block, "of", None) or getattr(block, "partition", None)
    found = getattr(block, "dimension", None)
    if found is None:
        return 3 if inner is None else _dimension(inner)
    return int(found)


def contour_lines(wall: Surface, blocks: Sequence[SampledBlock]) -> Lines:
    """This rank's lines, of one segment each, with the wall's values. Not collective."""
    if not len(wall.triangles):
        return Lines(
            np.empty((0, 3)), np.zeros(1, np.int64), {n: v[:0] for n, v in wall.values.items()}
        )
    depth = blocks[0].nodes[2]
    height = wall.points[:, 2] - 0.5 * (depth[0] + depth[-1])
    a, b = wall.triangles, np.roll(wall.triangles, -1, axis=1)  # the ends of edges, (m, 3)
    crossing = (height[a] < 0) != (height[b] < 0)
    cut = crossing.sum(axis=1) == 2  # the others lie on one side
    a, b = a[cut][crossing[cut]], b[cut][crossing[cut]]  # (2 k,), two after another
    share = height[a] / (height[a] - height[b])

    def between(values: Floats) -> Floats:
        t = share.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(values[a] + t * (values[b] - values[a]))

    points = between(wall.points)
    offsets = np.arange(0, len(points) + 1, 2)
    return Lines(points, offsets, {name: between(v) for name, v in wall.values.items()})
