"""Addresses that turn out to be memory of a GPU: what a C program publishes as external data.

In: an array made of an address, of which nothing has been read. Out: whether NVIDIA's driver knows
it as a device's; copies in host memory. A process that has not loaded the driver has none.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from insitu.core.arrays import Array

_LIBRARY = "libcuda.so.1"
_CONTEXT, _MEMORY_TYPE, _IS_MANAGED = 1, 2, 8  # CU_POINTER_ATTRIBUTE_*
_DEVICE = 2  # CU_MEMORYTYPE_DEVICE
# Rows that are apart by more than this many times their length are copied one by one.
_SPARSE = 4


def is_device_address(array: Array) -> bool:
    """Whether the numbers of an array are in memory that only a GPU can read."""
    library = _driver()
    if library is None or not array.size:
        return False
    address = int(array.__array_interface__["data"][0])
    if _attribute(library, _MEMORY_TYPE, address) != _DEVICE:
        return False
    return not _attribute(library, _IS_MANAGED, address)


class DriverMemory:
    """An array of device memory, with `__cuda_array_interface__`."""

    def __init__(self, array: Array) -> None:
        """array: its shape, strides and address; see `is_device_address`."""
        self._array = array
        self.__cuda_array_interface__ = {
            "version": 3,
            "shape": array.shape,
            "strides": array.strides,
            "typestr": array.dtype.str,
            "data": (int(array.__array_interface__["data"][0]), True),
            "stream": None,  # a program publishes what it has finished
        }

    def get(self) -> Array:
        """A copy in host memory. Raises RuntimeError where the driver refuses."""
        interface = self.__cuda_array_interface__
        return self.part(self._array, interface["data"][0])

    def part(self, place: Array, address: int) -> Array:
        """A copy of a view. place: its shape and strides; address: of its first number."""
        library = _driver()
        assert library is not None
        out = np.empty(place.shape, place.dtype)
        with _in_context_of(library, self.__cuda_array_interface__["data"][0]):
            _copy(library, place, address, out)
        return out


def _copy(library: ctypes.CDLL, place: Array, address: int, out: Array) -> None:
    if not out.size:
        return
    reach = [(n - 1) * step for n, step in zip(place.shape, place.strides, strict=True)]
    low, high = sum(min(r, 0) for r in reach), sum(max(r, 0) for r in reach)
    nbytes = high - low + place.itemsize
    if place.ndim > 1 and nbytes > _SPARSE * out.nbytes:
        for i in range(len(place)):
            _copy(library, place[i], address + i * place.strides[0], out[i])
        return
    held = np.empty(nbytes, np.uint8)
    status = library.cuMemcpyDtoH_v2(
        ctypes.c_void_p(held.ctypes.data), ctypes.c_uint64(address + low), ctypes.c_size_t(nbytes)
    )
    if status != 0:
        raise RuntimeError(f"published data on a GPU cannot be copied to the host (CUDA: {status})")
    out[...] = np.ndarray(place.shape, place.dtype, held.data, -low, place.strides)


@contextmanager
def _in_context_of(library: ctypes.CDLL, address: int) -> Iterator[None]:
    """The context that the memory belongs to; that of this thread where it belongs to none."""
    context = _attribute(library, _CONTEXT, address)
    if context:
        library.cuCtxPushCurrent_v2(ctypes.c_void_p(context))
    try:
        yield
    finally:
        if context:
            library.cuCtxPopCurrent_v2(ctypes.byref(ctypes.c_void_p()))


def _attribute(library: ctypes.CDLL, which: int, address: int) -> int:
    """An attribute of an address; 0 where the driver does not know the address."""
    value = ctypes.c_uint64(0)
    asked: Any = library.cuPointerGetAttribute
    status = asked(ctypes.byref(value), ctypes.c_int(which), ctypes.c_uint64(address))
    return int(value.value) if status == 0 else 0


def _driver() -> ctypes.CDLL | None:
    """The driver's library, if this process has loaded it."""
    try:
        return ctypes.CDLL(_LIBRARY, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
    except OSError:
        return None
