"""Types of NumPy arrays, by what is in them.

In: nothing. Out: aliases for annotations.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.floating[Any]]
Indices: TypeAlias = NDArray[np.int64]
Integers: TypeAlias = NDArray[np.integer[Any]]
"""Of any width, as files and other libraries have them."""
Mask: TypeAlias = NDArray[np.bool_]
Axes: TypeAlias = tuple[Floats, Floats, Floats]
"""Coordinates along x, y, z, such as a block's grid lines."""
