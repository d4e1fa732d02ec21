"""Arrays of other libraries as tensors, without a copy.

In: an array of NumPy, PyTorch, or any library that exports its memory. Out: a tensor that shares
the memory.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch

from insitu.core.device_arrays import DeviceArray
from insitu.models.base import Model


def tensor_of(array: Any) -> torch.Tensor:
    """The tensor of an array of NumPy, PyTorch, or anything with `__dlpack__` or
    `__cuda_array_interface__`, float32 or float64. Copied only where a stride is negative or not a
    multiple of the item size. Raises TypeError for anything else."""
    if isinstance(array, torch.Tensor):
        tensor = array.detach()
    elif isinstance(array, DeviceArray) and not torch.cuda.is_available():
        tensor = _of_numpy(np.asarray(array))
    elif isinstance(array, np.ndarray):
        tensor = _of_numpy(array)
    elif hasattr(array, "__dlpack__"):
        tensor = torch.from_dlpack(array)
    elif hasattr(array, "__cuda_array_interface__"):
        tensor = torch.as_tensor(array, device="cuda")
    else:
        raise TypeError(
            "components: expected NumPy arrays, or others with __dlpack__ or "
            f"__cuda_array_interface__, found {type(array).__name__}"
        )
    if tensor.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"components: {tensor.dtype}, expected float32 or float64")
    return tensor


def _of_numpy(array: np.ndarray) -> torch.Tensor:
    if array.dtype not in (np.float32, np.float64):
        raise TypeError(f"components: {array.dtype}, expected float32 or float64")
    if any(stride < 0 or stride % array.itemsize for stride in array.strides):
        array = array.copy()
    with warnings.catch_warnings():
        # Blocks are never written, so read-only memory is fine.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


def points_of(points: Any, device: torch.device) -> torch.Tensor:
    """points (n, 3) as float32 on the device. ValueError for another shape."""
    array = np.ascontiguousarray(points, np.float32)
    if array.ndim != 2 or array.shape[1] != 3:
        raise ValueError(f"points: shape {array.shape}, expected shape (n, 3)")
    return _of_numpy(array).to(device)


def params_of(model: Model, params: Any, device: torch.device) -> torch.Tensor:
    """params (n_params,) as float32 on the device. ValueError for another shape."""
    array = np.ascontiguousarray(params, np.float32)
    if array.shape != (model.n_params,):
        raise ValueError(f"params: shape {array.shape}, expected shape ({model.n_params},)")
    return _of_numpy(array).to(device)
