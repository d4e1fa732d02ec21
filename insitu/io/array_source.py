"""A scalar field on a grid, in a file or in memory, of which any box can be read.

In: an array of two or three axes, or four and a step. Out: boxes of samples (nz, ny, nx).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from insitu.core.arrays import Array
from insitu.core.box import Box
from insitu.core.errors import ConfigError
from insitu.mesh.partition import Association, Shape

Nodes: TypeAlias = tuple[Array, Array, Array]
"""Grid lines x (nx + 1,), y (ny + 1,), z (nz + 1,) of the cells, float64, increasing."""


class ArraySource(ABC):
    """What is compressed, and what is compared: `read` gives the samples of a box.

    Attributes:
        name: of the field.
        shape: samples per axis as the file has them: (nz, ny, nx) or (ny, nx).
        dtype: of the samples.
        association: "element" where a sample stands for a cell, "vertex" where for a grid node.
        nodes: the grid lines; without coordinates in the file they count cells: 0, 1, 2, ...
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    association: Association
    nodes: Nodes

    @abstractmethod
    def read(self, box: Box) -> Array:
        """The samples of a box, (nz, ny, nx). Not collective."""

    @property
    def grid_shape(self) -> Shape:
        """(nz, ny, nx); 2-D data are one layer."""
        nz, ny, nx = (1,) * (3 - len(self.shape)) + self.shape
        return nz, ny, nx

    @property
    def cuts(self) -> tuple[tuple[int, ...], ...]:
        """Per axis z, y, x: the first sample of every block but the first, where there are any."""
        return ((), (), ())

    @property
    def raw_nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def whole(self) -> Box:
        """The box of all samples."""
        nz, ny, nx = self.grid_shape
        return slice(0, nz), slice(0, ny), slice(0, nx)


class NoSteps(ConfigError):
    """A step was asked of an array that has none."""


class StoredVolume(ArraySource):
    """An array as a file has it, with the axes and the type that can be compressed.

    A first axis of one sample before three others is left out; of another first axis before three
    others, the `step` is taken.
    """

    def __init__(
        self,
        name: str,
        stored_shape: Sequence[int],
        dtype: np.dtype[Any],
        *,
        step: int | None = None,
        nodes: Nodes | None = None,
        association: Association = "element",
    ) -> None:
        """Raises ConfigError where the shape or the type is not one that can be compressed."""
        self.name, self.dtype = name, _checked_type(name, np.dtype(dtype))
        self.step, self.shape = _axes(name, tuple(map(int, stored_shape)), step)
        self.association, self.nodes = association, nodes or counted_nodes(self.grid_shape)

    @abstractmethod
    def load(self, index: tuple[int | slice, ...]) -> Array:
        """The part of the stored array that `index`, one entry per stored axis, names."""

    def read(self, box: Box) -> Array:
        index: tuple[int | slice, ...] = box[3 - len(self.shape) :]
        part = self.load(index if self.step is None else (self.step, *index))
        shape = tuple(axis.stop - axis.start for axis in box)
        return np.ascontiguousarray(part, self.dtype.newbyteorder("=")).reshape(shape)


class ArrayVolume(StoredVolume):
    """An array in memory, read in place."""

    def __init__(
        self,
        array: Array,
        name: str = "values",
        *,
        step: int | None = None,
        nodes: Nodes | None = None,
        association: Association = "element",
    ) -> None:
        self.array = array
        super().__init__(
            name, array.shape, array.dtype, step=step, nodes=nodes, association=association
        )

    def load(self, index: tuple[int | slice, ...]) -> Array:
        return self.array[index]


def counted_nodes(shape: Shape) -> Nodes:
    """Grid lines 0, 1, 2, ... about (nz, ny, nx) cells."""
    nz, ny, nx = shape
    x, y, z = (np.arange(n + 1, dtype=np.float64) for n in (nx, ny, nz))
    return x, y, z


def sample_grid(x: Array, y: Array, z: Array) -> tuple[Association, Nodes]:
    """Association and grid lines of samples at the coordinates x, y, z (increasing).

    Samples at grid nodes are vertices; where an axis has one only, which makes no cell, they are
    cells, with grid lines halfway between them.
    """
    axes = [np.array(axis, np.float64) for axis in (x, y, z)]
    if min(axis.size for axis in axes) > 1:
        return "vertex", (axes[0], axes[1], axes[2])
    middles = [_around(axis) for axis in axes]
    return "element", (middles[0], middles[1], middles[2])


def _around(centres: Array) -> Array:
    if centres.size == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = 0.5 * (centres[1:] + centres[:-1])
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def _checked_type(name: str, dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind == "f" and dtype.itemsize in (4, 8):
        return dtype
    raise ConfigError(
        [
            f"{name}: {dtype} values; expected float32 or float64: convert them first, for "
            f"example numpy.save('out.npy', array.astype('float32'))"
        ]
    )


def _axes(
    name: str, shape: tuple[int, ...], step: int | None
) -> tuple[int | None, tuple[int, ...]]:
    """The step on the first axis, if the array has one, and the shape of what is compressed."""
    if 0 in shape:
        raise ConfigError([f"{name}: shape {shape} has no samples"])
    if len(shape) == 4:
        if step is None and shape[0] == 1:
            step = 0
        if step is None:
            raise ConfigError(
                [
                    f"{name}: shape {shape} has four axes; compress each step: --step 0 to "
                    f"{shape[0] - 1}"
                ]
            )
        if not -shape[0] <= step < shape[0]:
            raise ConfigError([f"{name}: no step {step} among {shape[0]}"])
        return step % shape[0], shape[1:]
    if step is not None:
        raise NoSteps([f"{name}: shape {shape} has no steps; leave out --step {step}"])
    if len(shape) not in (2, 3):
        raise ConfigError(
            [f"{name}: shape {shape}; expected (nz, ny, nx) or (ny, nx): reshape the array first"]
        )
    return None, shape
