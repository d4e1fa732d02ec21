"""Bricks of a block's lattice, decoded on demand, and their cache.

In: a function that reads a box of lattice points. Out: the values of all points, brick by brick.
See `insitu.engines.lattice` for the positions of the points.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines.base import ReadBox, Singles
from insitu.engines.lattice import lattice, scalars
from insitu.engines.numpy.sampler import GridSampler

MOST = 36  # lattice cells of a brick along an axis: 128 and two half cells make 4 of 33

Key = tuple[int, tuple[int, int, int], int]  # block, brick (x, y, z), component


class BrickCache:
    """`insitu.engines.base.BrickCache`: evicts the least recently used bricks."""

    def __init__(self, nbytes: int) -> None:
        self.limit = nbytes
        self.used = self.peak = self.decoded = 0
        self._held: OrderedDict[Key, Singles] = OrderedDict()
        self._blocks = itertools.count()

    def new_block(self) -> int:
        return next(self._blocks)

    def get(self, key: Key, nbytes: int, decode: Callable[[], Singles]) -> Singles:
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        if nbytes > self.limit:
            raise ValueError(f"brick cache: {self.limit} bytes hold no brick, which takes {nbytes}")
        while self.used + nbytes > self.limit:
            _, dropped = self._held.popitem(last=False)
            self.used -= dropped.nbytes
        self._held[key] = decode()
        self.used += nbytes
        self.peak = max(self.peak, self.used)
        self.decoded += 1
        return self._held[key]

    def forget(self, block: int) -> None:
        """Removes the bricks of a deleted block."""
        for key in [key for key in self._held if key[0] == block]:
            self.used -= self._held.pop(key).nbytes


class LatticeBricks:
    """`insitu.engines.base.Bricks`."""

    def __init__(
        self,
        read: ReadBox,
        components: int,
        cells: tuple[int, int, int],
        vertex: bool,
        cache: BrickCache,
    ) -> None:
        """cells: (nz, ny, nx)."""
        if min(cells) < 1:
            raise ValueError("cells: every axis needs at least one cell")
        if components < 1:
            raise ValueError("components: expected at least 1")
        self.components = components
        self.cells = cells
        self.vertex = vertex
        self._read, self._cache, self._block = read, cache, cache.new_block()
        self._cuts = [_cuts(len(lattice(n, vertex)) - 1) for n in cells[::-1]]  # x, y, z

    def __del__(self) -> None:
        if hasattr(self, "_block"):  # False if the constructor raised
            self._cache.forget(self._block)

    @property
    def total(self) -> int:
        return int(np.prod([len(cuts) - 1 for cuts in self._cuts]))

    def values(self, component: int) -> Singles:
        """Values at all lattice points, (z, y, x); -1: the magnitude."""
        shape = [cuts[-1] + 1 for cuts in self._cuts]
        whole = np.empty(shape[::-1], np.float32)
        for number in itertools.product(*(range(len(cuts) - 1) for cuts in self._cuts)):
            low = [cuts[i] for cuts, i in zip(self._cuts, number, strict=True)]
            high = [cuts[i + 1] + 1 for cuts, i in zip(self._cuts, number, strict=True)]
            brick = self._brick(number, low, high, component)
            window = [slice(a, b) for a, b in zip(low, high, strict=True)]
            whole[tuple(window[::-1])] = brick
        return whole

    def _brick(
        self, number: tuple[int, ...], low: list[int], high: list[int], component: int
    ) -> Singles:
        shape = tuple(b - a for a, b in zip(low, high, strict=True))[::-1]

        def decode() -> Singles:
            values = np.asarray(self._read(low, high, component), np.float32)
            if values.shape != shape:
                raise ValueError(
                    f"bricks: an array of another shape, {values.shape}; expected {shape}"
                )
            return values

        x, y, z = number
        return self._cache.get((self._block, (x, y, z), component), 4 * int(np.prod(shape)), decode)


def _cuts(cells: int) -> list[int]:
    """First lattice point of each brick along an axis, and the last point of the last brick."""
    count = -(-cells // MOST)
    size = -(-cells // count)
    return [min(i * size, cells) for i in range(count + 1)]


def read_sampler(sampler: GridSampler) -> ReadBox:
    """Lattice values of a raw block: at a face, the mean of the samples on both sides; without a
    ghost layer, the owned sample."""

    def places(axis: int, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
        ghosts, _ = sampler.ghost_layers[axis]
        last = sampler.parts[0].shape[axis] - 1
        u = lattice(sampler.cells[axis], sampler.vertex)[low:high]
        place = u * sampler.cells[axis] - (0.0 if sampler.vertex else 0.5) + ghosts
        place = np.clip(np.rint(2 * place) / 2, 0, last)  # whole, or half way
        return np.floor(place).astype(int), np.ceil(place).astype(int)

    def read(low: list[int], high: list[int], component: int) -> Floats:
        wanted = range(sampler.components) if component < 0 else [component]
        boxes = []
        for c in wanted:
            values = sampler.parts[c]
            for axis in range(3):
                below, above = places(axis, low[2 - axis], high[2 - axis])
                with np.errstate(invalid="ignore"):
                    values = (
                        values.take(below, axis).astype(np.float64) + values.take(above, axis)
                    ) / 2
            boxes.append(values)
        return scalars(np.stack(boxes, axis=-1), min(component, 0))

    return read
