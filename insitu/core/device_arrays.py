"""Arrays of a GPU among those that a simulation publishes.

In: arrays of CuPy, Numba, PyTorch, JAX. Out: copies in host memory, and one line in the log.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import numpy as np


def is_on_device(array: Any) -> bool:
    """Whether it is an array in the memory of a GPU."""
    return hasattr(array, "__cuda_array_interface__")


def copied_to_host(array: Any) -> np.ndarray:
    """A copy in host memory, by the method of the array's own library."""
    _say_once(type(array).__module__.partition(".")[0])
    for name in ("get", "copy_to_host"):  # CuPy; Numba
        if hasattr(array, name):
            return np.asarray(getattr(array, name)())
    if hasattr(array, "cpu"):  # PyTorch
        return np.asarray(array.detach().cpu())
    return np.asarray(array)


@cache
def _say_once(library: str) -> None:
    logging.getLogger("insitu").info(
        "published arrays of %s are on a GPU: those that are used are copied to the host, once a "
        "step",
        library,
    )
