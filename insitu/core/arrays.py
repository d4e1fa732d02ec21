"""Type aliases of NumPy arrays, by element type; arrays without their masks.

In: arrays as users have them. Out: aliases for annotations, plain arrays.
"""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.floating[Any]]
Indices: TypeAlias = NDArray[np.int64]
Integers: TypeAlias = NDArray[np.integer[Any]]
"""Integers of any width, as files and other libraries provide them."""
Mask: TypeAlias = NDArray[np.bool_]
Axes: TypeAlias = tuple[Floats, Floats, Floats]
"""Coordinates along x, y, z, such as a block's grid lines."""


def without_mask(values: Any) -> Array:
    """A plain array of `values`: the same memory, unless a `numpy.ma` mask hides some of them.
    These are NaN in a copy then, of float64 for integers."""
    masked = "numpy.ma" in sys.modules and isinstance(values, np.ma.MaskedArray)
    if not masked or not np.ma.is_masked(values):  # importing numpy.ma takes 1.5 MB a rank
        return np.asarray(values)
    kind = values.dtype if values.dtype.kind == "f" else np.dtype(np.float64)
    return np.ma.filled(values.astype(kind), np.nan)
