"""The part of an array that is exported: a box of it, with its world coordinates.

In: an ArraySource and a box. Out: samples, grid lines and coordinates of the box and its blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

import numpy as np

from insitu.core.arrays import Array
from insitu.core.box import Box
from insitu.core.errors import ConfigError
from insitu.io.array_source import ArraySource, Nodes
from insitu.mesh.partition import Shape


@dataclass(frozen=True)
class Part:
    """A box of an array.

    `time`, `unit` and `length_unit` are set if they are known. Making one raises FrameError where
    the source cannot well have so many samples (`ArraySource.check_size`): a file of that size
    would be allocated next.
    """

    volume: ArraySource
    box: Box
    n_components: int = 1
    time: float | None = None
    unit: str = ""
    length_unit: str = ""

    def __post_init__(self) -> None:
        self.volume.check_size(self.box)

    @property
    def grid(self) -> Shape:
        """Samples (nz, ny, nx)."""
        nz, ny, nx = (axis.stop - axis.start for axis in self.box)
        return nz, ny, nx

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples per axis of the array; for vectors the number of components comes last."""
        vector = (self.n_components,) if self.n_components > 1 else ()
        return (*self.grid[3 - len(self.volume.shape) :], *vector)

    @property
    def nodes(self) -> Nodes:
        """Grid lines x, y, z: the faces of the cells, or through the vertices."""
        extra = 1 if self.volume.association == "element" else 0
        x, y, z = (
            lines[axis.start : axis.stop + extra]
            for lines, axis in zip(self.volume.nodes, self.box[::-1], strict=True)
        )
        return x, y, z

    @property
    def coordinates(self) -> Nodes:
        """Coordinates x, y, z of the samples."""
        if self.volume.association == "vertex":
            return self.nodes
        x, y, z = (0.5 * (lines[1:] + lines[:-1]) for lines in self.nodes)
        return x, y, z

    def read(self, box: Box) -> Array:
        """The samples of a box whose indices are relative to this part."""
        z, y, x = (
            slice(own.start + axis.start, own.start + axis.stop)
            for own, axis in zip(self.box, box, strict=True)
        )
        return self.volume.read((z, y, x))

    def pieces(self) -> Iterator[Box]:
        """Boxes of the array's compressed blocks, clipped, with indices relative to this part.

        Vertices on a face between two boxes are in both, so that no cell is missing.
        """
        shared = 1 if self.volume.association == "vertex" else 0
        axes = []
        for own, cuts in zip(self.box, self.volume.cuts, strict=True):
            last = max(own.stop - own.start - shared, 1)
            inner = [cut - own.start for cut in cuts if 0 < cut - own.start < last]
            axes.append(list(pairwise([0, *inner, last])))
        for ends in product(*axes):
            z, y, x = (
                slice(low, min(high + shared, n))
                for (low, high), n in zip(ends, self.grid, strict=True)
            )
            yield z, y, x


@dataclass(frozen=True)
class Steps:
    """The same part of an array at several steps, opened one after the other."""

    count: int
    open: Callable[[int], Part]
    """Returns the part at a step, 0 to count - 1."""

    @cached_property
    def first(self) -> Part:
        return self.open(0)

    def __iter__(self) -> Iterator[Part]:
        return (self.first if i == 0 else self.open(i) for i in range(self.count))

    def on_one_grid(self) -> Iterator[Part]:
        """The parts, for files that have room for one grid. Raises ConfigError where it moves."""
        for number, part in enumerate(self):
            same = part.shape == self.first.shape and all(
                np.array_equal(a, b) for a, b in zip(part.nodes, self.first.nodes, strict=True)
            )
            if not same:
                raise ConfigError(
                    [
                        f"{part.volume.name}: the grid of step {number} is not that of the first; "
                        f"write .vtr or .pvtr, a file for each step"
                    ]
                )
            yield part
