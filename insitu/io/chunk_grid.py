"""The division of a large array into blocks, and each block as a partition for training.

In: an ArraySource and a block number. Out: its box, and a Partition with one ghost layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

import numpy as np

from insitu.core.arrays import Array
from insitu.core.box import Box
from insitu.io.array_source import ArraySource, Nodes
from insitu.mesh.partition import Association, Layers, Partition, Shape

DEFAULT_CELLS = 128
"""Maximum cells per axis of a block: 8 MiB of float32, and enough blocks for many ranks."""


@dataclass(frozen=True)
class ChunkGrid:
    """The blocks of a grid, numbered with x fastest; sizes differ by at most one cell per axis.

    bounds: cell indices of the block boundaries, both ends included, per axis z, y, x.
    """

    association: Association
    bounds: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]

    @staticmethod
    def cut(shape: Shape, association: Association, most: int = DEFAULT_CELLS) -> ChunkGrid:
        """Cut a grid of `shape` samples (nz, ny, nx) into blocks of at most `most`^3 cells."""
        z, y, x = (_even(n - (association == "vertex"), most) for n in shape)
        return ChunkGrid(association, (z, y, x))

    @staticmethod
    def into(shape: Shape, association: Association, parts: tuple[int, int, int]) -> ChunkGrid:
        """Cut a grid of `shape` samples (nz, ny, nx) into so many blocks along x, y, z. Raises
        ValueError where an axis has fewer cells."""
        cells = [n - (association == "vertex") for n in shape]
        for name, n, count in zip("zyx", cells, parts[::-1], strict=True):
            if not 1 <= count <= n:
                raise ValueError(f"{count} along {name}, which has {n} cells")
        z, y, x = (_split(n, count) for n, count in zip(cells, parts[::-1], strict=True))
        return ChunkGrid(association, (z, y, x))

    def __len__(self) -> int:
        return len(self._cells)

    @cached_property
    def _cells(self) -> list[tuple[tuple[int, int], ...]]:
        return list(product(*(list(pairwise(axis)) for axis in self.bounds)))

    @property
    def cuts(self) -> tuple[tuple[int, ...], ...]:
        """Per axis, the index of the first sample of every block but the first."""
        return tuple(axis[1:-1] for axis in self.bounds)

    def box(self, number: int) -> Box:
        """The samples of a block; vertices on a face shared by two blocks belong to both."""
        extra = 1 if self.association == "vertex" else 0
        z, y, x = (slice(low, high + extra) for low, high in self._cells[number])
        return z, y, x

    def shared(self, number: int) -> tuple[tuple[bool, bool], ...]:
        """Whether there is a neighbouring block at the (low, high) face, along z, y, x."""
        return tuple(
            (low > 0, high < axis[-1])
            for (low, high), axis in zip(self._cells[number], self.bounds, strict=True)
        )

    def nodes(self, number: int, whole: Nodes) -> Nodes:
        """The grid lines x, y, z of a block, out of those of the whole grid."""
        x, y, z = (
            lines[low : high + 1]
            for lines, (low, high) in zip(whole, self._cells[number][::-1], strict=True)
        )
        return x, y, z

    def locate(self, nodes: Nodes, points: Array) -> tuple[Array, Array]:
        """For points (n, 3), x y z: the number of the block that contains each, -1 outside the
        grid, (n,); and where in its unit cube, (n, 3). No loop over blocks."""
        numbers, inside = np.zeros(len(points), np.int64), np.ones(len(points), bool)
        unit = np.empty(points.shape)
        for axis in (2, 1, 0):  # z first: x is fastest
            lines, values = nodes[axis], points[:, axis]
            borders = np.array(self.bounds[2 - axis])
            inside &= (values >= lines[0]) & (values <= lines[-1])
            cells = np.interp(values, lines, np.arange(len(lines)))
            last = len(borders) - 2
            block = np.clip(np.searchsorted(borders, cells, "right") - 1, 0, last)
            unit[:, axis] = (cells - borders[block]) / (borders[block + 1] - borders[block])
            numbers = numbers * (last + 1) + block
        return np.where(inside, numbers, -1), unit


def read_partition(
    volume: ArraySource, blocks: ChunkGrid, number: int, *, ghosts: bool
) -> Partition:
    """A block of the array; `ghosts` adds one ghost layer of the neighbours' samples.

    With it, both blocks at a face interpolate the same values there, which reduces the seam
    between them after training; sparse grids code the face alike, so that there is none.
    """
    shared = blocks.shared(number)
    box = blocks.box(number)
    layers: Layers = ((0, 0), (0, 0), (0, 0))
    if ghosts:
        z, y, x = ((int(low), int(high)) for low, high in shared)
        layers = z, y, x
        a, b, c = (
            slice(axis.start - low, axis.stop + high)
            for axis, (low, high) in zip(box, layers, strict=True)
        )
        box = a, b, c
    return Partition(
        field=volume.name,
        association=blocks.association,
        components=(volume.read(box),),
        ghost_layers=layers,
        nodes=blocks.nodes(number, volume.nodes),
        domain_id=number,
    )


def _even(cells: int, most: int) -> tuple[int, ...]:
    return _split(cells, -(-cells // most))


def _split(cells: int, parts: int) -> tuple[int, ...]:
    return tuple(cells * i // parts for i in range(parts + 1))
