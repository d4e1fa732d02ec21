"""Arrays that other libraries export by DLPack, as `__cuda_array_interface__` describes them.

In: an object with `__dlpack__`. Out: address, shape, strides, type; the capsule that keeps the
memory. https://dmlc.github.io/dlpack/latest/c_api.html
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

_CUDA = (2, 13)  # kDLCUDA, kDLCUDAManaged
_KINDS = {0: "i", 1: "u", 2: "f"}
_DEFAULT_STREAM = 1


class _Tensor(ctypes.Structure):
    """DLTensor, with which a DLManagedTensor begins."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


def is_on_gpu(array: Any) -> bool:
    """Whether an object exports memory of an NVIDIA GPU by DLPack."""
    if isinstance(array, np.ndarray) or not hasattr(array, "__dlpack_device__"):
        return False
    return hasattr(array, "__dlpack__") and int(array.__dlpack_device__()[0]) in _CUDA


class Exported:
    """An array that was exported by DLPack, with `__cuda_array_interface__`. Its library has been
    told to finish its work before the default stream goes on."""

    def __init__(self, array: Any) -> None:
        """Raises TypeError for numbers that NumPy does not have."""
        self.array = array
        # Never taken over: the capsule frees the memory when it is no longer referenced.
        self._capsule = array.__dlpack__(stream=_DEFAULT_STREAM)
        get = ctypes.pythonapi.PyCapsule_GetPointer
        get.restype, get.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
        tensor = _Tensor.from_address(get(self._capsule, b"dltensor"))
        if tensor.code not in _KINDS or tensor.lanes != 1:
            raise TypeError(f"DLPack: numbers of code {tensor.code}, {tensor.bits} bits")
        dtype = np.dtype(f"{_KINDS[tensor.code]}{tensor.bits // 8}")
        n = range(tensor.ndim)
        steps = [dtype.itemsize * tensor.strides[i] for i in n] if tensor.strides else None
        self.__cuda_array_interface__ = {
            "version": 3,
            "shape": tuple(tensor.shape[i] for i in n),
            "strides": steps and tuple(steps),
            "typestr": dtype.str,
            "data": ((tensor.data or 0) + tensor.byte_offset, False),
            "stream": _DEFAULT_STREAM,
        }
