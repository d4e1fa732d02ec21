"""A scalar field on a grid, in a file or in memory, that can be read box by box.

In: a 2-D or 3-D array, or a 4-D array and a time step. Out: boxes of samples (nz, ny, nx).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from insitu.core.arrays import Array, without_mask
from insitu.core.box import Box
from insitu.core.errors import ConfigError
from insitu.mesh.partition import Association, Shape

Nodes: TypeAlias = tuple[Array, Array, Array]
"""Grid lines x (nx + 1,), y (ny + 1,), z (nz + 1,) of the cells, float64, increasing."""


class ArraySource(ABC):
    """An array that can be compressed or compared; `read` returns the samples of a box.

    Attributes:
        name: name of the field.
        shape: samples per axis as stored: (nz, ny, nx) or (ny, nx).
        dtype: of the samples.
        association: "element" for samples at cells, "vertex" for samples at grid nodes.
        nodes: the grid lines; cell indices 0, 1, 2, ... if the file has no coordinates.
        n_steps: steps of the array, of which this is one; 1 if it has none.
        reversed: names of the axes along which the coordinates decrease in the file, and which are
            read from the end, so that they increase.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    association: Association
    nodes: Nodes
    n_steps: int = 1
    reversed: tuple[str, ...] = ()

    @abstractmethod
    def read(self, box: Box) -> Array:
        """The samples of a box, (nz, ny, nx). Not collective."""

    def check_size(self, box: Box) -> None:  # noqa: B027  (arrays that are stored as they are)
        """Before memory or a file for a box is allocated: FrameError where the bytes of the source
        cannot well stand for so many samples. Not collective."""

    @property
    def grid_shape(self) -> Shape:
        """(nz, ny, nx); 2-D data are one layer."""
        nz, ny, nx = (1,) * (3 - len(self.shape)) + self.shape
        return nz, ny, nx

    @property
    def cuts(self) -> tuple[tuple[int, ...], ...]:
        """Per axis z, y, x: the first sample of every block but the first, if it has blocks."""
        return ((), (), ())

    @property
    def sample_nbytes(self) -> int:
        """Bytes of a sample as it is stored; fewer than `dtype` has for packed values."""
        return self.dtype.itemsize

    @property
    def raw_nbytes(self) -> int:
        """Bytes of the array as it is stored."""
        return math.prod(self.shape) * self.sample_nbytes

    @property
    def whole(self) -> Box:
        """The box of all samples."""
        nz, ny, nx = self.grid_shape
        return slice(0, nz), slice(0, ny), slice(0, nx)


class NoSteps(ConfigError):
    """A time step was requested of an array that has none."""


class StoredVolume(ArraySource):
    """An array as stored, checked to have a supported shape and dtype.

    Integers and float16 are read as float32 where that is exact (up to 16 bits), else as float64.

    `step` selects along the first axis, time, which leaves a plane of three axes. It may be omitted
    if there are more than three axes and the first has length 1. Further axes of length 1, such as
    an ensemble's, are left out where there are more than three.
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
        """Raises ConfigError if the shape or the dtype is not supported."""
        self.name, self.dtype = name, _working_type(name, np.dtype(dtype))
        self._sample_nbytes = np.dtype(dtype).itemsize
        self._from_end: frozenset[int] = frozenset()  # axes of `shape` that are read backwards
        self.n_steps = 1 if step is None else int(stored_shape[0])
        self.fixed = _fixed(name, tuple(map(int, stored_shape)), step)
        """Stored axis -> index, of the axes that are left out."""
        self.shape = tuple(int(n) for i, n in enumerate(stored_shape) if i not in self.fixed)
        _check_axes(name, stored_shape, self.shape)
        self.association, self.nodes = association, nodes or counted_nodes(self.grid_shape)

    @property
    def sample_nbytes(self) -> int:
        return self._sample_nbytes

    def reverse(self, names: Mapping[int, str]) -> None:
        """Read these axes of `shape`, given with their names, from the end."""
        self._from_end = frozenset(names)
        self.reversed = tuple(names.values())

    @abstractmethod
    def load(self, index: tuple[int | slice, ...]) -> Array:
        """The part of the stored array selected by `index`, one entry per stored axis. It may be
        masked (`numpy.ma`); what is hidden is read as NaN."""

    def read(self, box: Box) -> Array:
        inner = box[3 - len(self.shape) :]
        free = iter(
            slice(n - axis.stop, n - axis.start) if i in self._from_end else axis
            for i, (n, axis) in enumerate(zip(self.shape, inner, strict=True))
        )
        axes = range(len(self.fixed) + len(self.shape))
        index = tuple(self.fixed[i] if i in self.fixed else next(free) for i in axes)
        part = without_mask(self.load(index)).reshape([a.stop - a.start for a in inner])
        part = np.flip(part, tuple(self._from_end))
        shape = tuple(axis.stop - axis.start for axis in box)
        return np.ascontiguousarray(part, self.dtype.newbyteorder("=")).reshape(shape)


class ArrayVolume(StoredVolume):
    """An array in memory, read without a copy of the whole."""

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
    """Grid lines 0, 1, 2, ... of (nz, ny, nx) cells."""
    nz, ny, nx = shape
    x, y, z = (np.arange(n + 1, dtype=np.float64) for n in (nx, ny, nz))
    return x, y, z


def sample_grid(x: Array, y: Array, z: Array) -> tuple[Association, Nodes]:
    """Association and grid lines of samples at the coordinates x, y, z (increasing).

    Samples are taken as vertices. If an axis has only one sample, and so no cell, they are taken
    as cell centres, with grid lines halfway between them.
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


def increasing(axes: Mapping[int, Array]) -> tuple[dict[int, Array], list[int]]:
    """Coordinates by axis, and the axes along which they decreased and have been turned round."""
    turned = [i for i, axis in axes.items() if axis.size > 1 and (np.diff(axis) < 0).all()]
    return {i: axis[::-1] if i in turned else axis for i, axis in axes.items()}, turned


def _working_type(name: str, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The floating-point type in which values of a stored type are processed."""
    if dtype.kind == "f" and dtype.itemsize in (4, 8):
        return dtype
    if (dtype.kind in "iu" and dtype.itemsize <= 2) or dtype == np.float16:
        return np.dtype(np.float32)
    if dtype.kind in "iu":
        return np.dtype(np.float64)
    raise ConfigError(
        [
            f"{name}: {dtype} values; expected real numbers of up to 64 bits: convert them first, "
            f"for example numpy.save('out.npy', array.astype('float32'))"
        ]
    )


def _fixed(name: str, shape: tuple[int, ...], step: int | None) -> dict[int, int]:
    """Axis -> index, of the axes that are left out: the time step, and axes of length 1."""
    if 0 in shape:
        raise ConfigError([f"{name}: shape {shape} has no samples"])
    fixed = {}
    if step is None and len(shape) > 3 and shape[0] == 1:
        step = 0
    if step is not None:
        if len(shape) < 3:
            raise NoSteps([f"{name}: shape {shape} has no steps; leave out --step {step}"])
        if not -shape[0] <= step < shape[0]:
            raise ConfigError([f"{name}: no step {step}; there are {shape[0]}"])
        fixed[0] = step % shape[0]
    for axis, n in enumerate(shape[1:], 1):
        if n == 1 and len(shape) - len(fixed) > 3:
            fixed[axis] = 0
    if len(shape) - len(fixed) > 3 and 0 not in fixed:
        raise ConfigError(
            [
                f"{name}: shape {shape} has {len(shape)} axes; compress each step: --step 0 to "
                f"{shape[0] - 1}, or --step all"
            ]
        )
    return fixed


def _check_axes(name: str, stored: Sequence[int], shape: tuple[int, ...]) -> None:
    if len(shape) not in (2, 3):
        raise ConfigError(
            [
                f"{name}: shape {tuple(stored)}; expected (nz, ny, nx) or (ny, nx), and steps "
                f"before them: reshape the array first"
            ]
        )
