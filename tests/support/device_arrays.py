"""Arrays that stand for those of a GPU: their values are in host memory, where the emulated device
finds them, and every copy that is asked for is counted.

In: a NumPy array. Out: `Counted`, with the interface of CuPy's arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Counted:
    """An array of CuPy, which becomes one of NumPy only by `get`."""

    def __init__(self, values: np.ndarray, of: Counted | None = None) -> None:
        self._values, self._of = values, of or self
        self.copied = 0
        """Numbers copied to the host, of this array and of all views of it."""
        self.shape, self.ndim, self.dtype = values.shape, values.ndim, values.dtype
        self.__cuda_array_interface__ = {
            "version": 3,
            "shape": values.shape,
            "strides": None if values.flags.c_contiguous else values.strides,
            "typestr": values.dtype.str,
            "data": (values.ctypes.data, False),
            "stream": 1,
        }

    def __getitem__(self, index: Any) -> Counted:
        return Counted(self._values[index], self._of)

    def reshape(self, *shape: Any) -> Counted:
        return Counted(self._values.reshape(*shape), self._of)

    def get(self) -> np.ndarray:
        self._of.copied += self._values.size
        return self._values.copy()

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("Implicit conversion to a NumPy array is not allowed")


class Exporting(Counted):
    """An array of a library that has DLPack alone."""

    def __init__(self, values: np.ndarray, of: Counted | None = None) -> None:
        super().__init__(values, of)
        del self.__cuda_array_interface__
        self.streams: list[int] = []

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, *, stream: int) -> Any:
        self.streams.append(stream)
        return self._values.__dlpack__()
