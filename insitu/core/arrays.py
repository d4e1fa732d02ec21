"""Type aliases of NumPy arrays, by element type.

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
"""Integers of any width, as files and other libraries provide them."""
Mask: TypeAlias = NDArray[np.bool_]
Axes: TypeAlias = tuple[Floats, Floats, Floats]
"""Coordinates along x, y, z, such as a block's grid lines."""
