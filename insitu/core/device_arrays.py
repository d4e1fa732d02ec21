"""Arrays of a GPU among those that a simulation publishes.

In: arrays of CuPy, Numba, PyTorch, JAX; or what the C interface finds. Out: `DeviceArray`, which
engines on that GPU read in place, and of which everything else sees a copy in host memory, made
once; one line in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from math import prod
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from insitu.core.arrays import Array
from insitu.core.dlpack import Exported, is_on_gpu
from insitu.core.driver_memory import DriverMemory

# A view of less than this part of an array is copied by itself.
_SMALL = 1 / 8


def is_on_device(array: Any) -> bool:
    """Whether it is an array in the memory of a GPU."""
    return hasattr(array, "__cuda_array_interface__") or is_on_gpu(array)


def host(array: Any) -> Array:
    """The array itself, or the copy in host memory of one on a GPU."""
    return np.asarray(array) if isinstance(array, DeviceArray) else array


class _Source:
    """A published array, and its copy in host memory once there is one."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.copy: Array | None = None

    @property
    def published(self) -> Any:
        """The array of its own library."""
        return self.array.array if isinstance(self.array, Exported) else self.array

    def on_host(self) -> Array:
        if self.copy is None:
            self.copy = copied_to_host(self.published)
        return self.copy


class DeviceArray(NDArrayOperatorsMixin):
    """A view of an array on a GPU. Slices, reversed axes and, of flat ones, shapes make views;
    everything else that NumPy can do is done with a copy in host memory: of the whole array, which
    all views share, or of the view alone where that is small.

    Its address is valid as long as the published array is.
    """

    def __init__(self, array: Any) -> None:
        """array: anything with `__cuda_array_interface__`, or `__dlpack__`."""
        if not hasattr(array, "__cuda_array_interface__"):
            array = Exported(array)
        interface = array.__cuda_array_interface__
        self._source = _Source(array)
        self.dtype = np.dtype(interface["typestr"])
        self._place = _place(interface["shape"], interface.get("strides"), self.dtype)
        # What made this view of the source, for its copy.
        self._steps: tuple[Callable[[Any], Any], ...] = ()
        self._offset, self._plain = 0, True

    @property
    def shape(self) -> tuple[int, ...]:
        return self._place.shape

    @property
    def strides(self) -> tuple[int, ...]:
        return self._place.strides

    @property
    def ndim(self) -> int:
        return self._place.ndim

    @property
    def size(self) -> int:
        return self._place.size

    @property
    def nbytes(self) -> int:
        return self._place.nbytes

    def __len__(self) -> int:
        return len(self._place)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        whole = self._source.array.__cuda_array_interface__
        address, read_only = whole["data"]
        return {
            **whole,
            "shape": self.shape,
            "strides": self.strides,
            "data": (address + self._offset, read_only),
        }

    def __getitem__(self, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        if not all(part is None or part is ... or isinstance(part, slice) for part in parts):
            return np.asarray(self)[index]
        return self._view(self._place[index], lambda whole: whole[index])

    def reshape(self, *shape: Any) -> Any:
        """A view of another shape, of a flat array; of others, of the copy in host memory."""
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        if wanted == self.shape:
            return self
        if self.ndim != 1 or min(wanted) < 0 or prod(wanted) != self.size:
            return np.asarray(self).reshape(wanted)
        (step,) = self.strides
        steps = [step * prod(wanted[axis + 1 :]) for axis in range(len(wanted))]
        place = np.lib.stride_tricks.as_strided(self._place, wanted, steps)
        return self._view(place, lambda whole: whole.reshape(wanted))

    @property
    def T(self) -> DeviceArray:  # NumPy's name
        return self._view(self._place.T, lambda whole: whole.T, plain=False)

    def _view(self, place: Array, step: Callable[[Any], Any], plain: bool = True) -> DeviceArray:
        view = DeviceArray.__new__(DeviceArray)
        view._source, view.dtype, view._place = self._source, self.dtype, place
        view._steps = (*self._steps, step)
        view._offset = self._offset + _address(place) - _address(self._place)
        view._plain = self._plain and plain
        return view

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        source = self._source
        whole = source.array.__cuda_array_interface__["shape"]
        small = self._plain and self.size < _SMALL * prod(whole)
        if source.copy is None and small:
            values = self._copied_alone()
        else:
            values = source.on_host()
            for step in self._steps:
                values = step(values)
            values = values.view()
            values.flags.writeable = False
        return np.array(values, dtype, copy=copy) if dtype is not None or copy else values

    def _copied_alone(self) -> Array:
        part = self._source.published
        if isinstance(part, DriverMemory):
            return part.part(self._place, self.__cuda_array_interface__["data"][0])
        for step in self._steps:
            part = step(part)
        return _copied(part)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **more: Any) -> Any:
        return getattr(ufunc, method)(*map(host, inputs), **more)

    def __getattr__(self, name: str) -> Any:
        """Whatever else an array of NumPy has, of the copy in host memory."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(np.asarray(self), name)


def copied_to_host(array: Any) -> Array:
    """A copy in host memory, by the method of the array's own library; said once."""
    _say_once(type(array).__module__.partition(".")[0])
    return _copied(array)


def _copied(array: Any) -> Array:
    for name in ("get", "copy_to_host"):  # CuPy; Numba
        if hasattr(array, name):
            return np.asarray(getattr(array, name)())
    if hasattr(array, "cpu"):  # PyTorch
        return np.asarray(array.detach().cpu())
    return np.asarray(array)


def _place(shape: Any, strides: Any, dtype: np.dtype[Any]) -> Array:
    """An array with this shape and these strides, of which no value is ever read: NumPy's rules of
    slicing tell where a view lies."""
    if strides is None:
        strides = [dtype.itemsize * prod(shape[axis + 1 :]) for axis in range(len(shape))]
    return np.lib.stride_tricks.as_strided(np.empty(1, dtype), tuple(shape), tuple(strides))


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


@cache
def _say_once(library: str) -> None:
    logging.getLogger("insitu").info(
        "published arrays of %s are on a GPU: those that are used are copied to the host, once a "
        "step; engine cuda trains models on them in place",
        library,
    )
