"""Arrays on the device: those of other libraries, read in place, and our own results.

In: anything with `__cuda_array_interface__` (CuPy, PyTorch, Numba, JAX), or NumPy arrays. Out:
`DeviceArray`: address, shape and strides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines.base import Singles
from insitu.engines.cuda.device import Device, Memory
from insitu.models.base import Model

_DEFAULT_STREAMS = (None, 1)  # of the interface: nothing to wait for, the default stream


@dataclass(frozen=True, eq=False)
class DeviceArray:
    """An array in the memory of a device; other libraries read it in place."""

    memory: Memory
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """In bytes."""
    dtype: np.dtype[Any]
    device: Device = field(repr=False)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """Version 3 of the interface."""
        return {
            "version": 3,
            "shape": self.shape,
            "strides": self.strides,
            "typestr": self.dtype.str,
            "data": (self.memory.address, False),
            "stream": 1,
        }

    def to_host(self) -> np.ndarray:
        """A copy in host memory, of a contiguous array."""
        with self.device.current():
            return self.device.downloaded(self.memory, self.shape, self.dtype)


def contiguous(device: Device, memory: Memory, shape: tuple[int, ...], dtype: Any) -> DeviceArray:
    """Memory as an array in C order."""
    kind = np.dtype(dtype)
    strides = [kind.itemsize]
    for n in shape[:0:-1]:
        strides.insert(0, strides[0] * n)
    return DeviceArray(memory, shape, tuple(strides), kind, device)


def on_device(device: Device, array: Any) -> DeviceArray:
    """An array as it is if it is on the device, otherwise its only copy there. Raises TypeError for
    what is no array, or not of float32 or float64."""
    interface = getattr(array, "__cuda_array_interface__", None)
    if interface is None and not isinstance(array, np.ndarray):
        raise TypeError(
            "components: expected NumPy arrays, or others with __cuda_array_interface__, found "
            f"{type(array).__name__}"
        )
    dtype = np.dtype(array.dtype if interface is None else interface["typestr"])
    if dtype not in (np.float32, np.float64):
        raise TypeError(f"components: {dtype}, expected float32 or float64")
    if interface is None:
        packed = np.ascontiguousarray(array)
        return contiguous(device, device.uploaded(packed), array.shape, dtype)
    if (stream := interface.get("stream")) not in _DEFAULT_STREAMS:
        device.wait_for(stream)
    shape = tuple(interface["shape"])
    memory = Memory(interface["data"][0], 0, array)
    strides = interface.get("strides")
    if strides is None:
        return contiguous(device, memory, shape, dtype)
    return DeviceArray(memory, shape, tuple(strides), dtype, device)


def params_of(model: Model, params: Any) -> Singles:
    """params (n_params,) as contiguous float32. ValueError for another shape."""
    array = np.ascontiguousarray(params, np.float32)
    if array.shape != (model.n_params,):
        raise ValueError(f"params: shape {array.shape}, expected shape ({model.n_params},)")
    return array


def points_of(points: Floats) -> Singles:
    """points (n, 3) as contiguous float32. ValueError for another shape."""
    array = np.ascontiguousarray(points, np.float32)
    if array.ndim != 2 or array.shape[1] != 3:
        raise ValueError(f"points: shape {array.shape}, expected shape (n, 3)")
    return array
