"""Names the array axes: blocks are C order (z, y, x), x fastest in memory; stacks of them lead.

In: nothing. Out: axis numbers and array types.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Triple = tuple[int, int, int]

Z, Y, X = 0, 1, 2
AXES = (Z, Y, X)
# What gives values along one axis the shape of a block.
ALONG = ((-1, 1, 1), (1, -1, 1), (1, 1, -1))
# The place of an axis's component in a vector.
COMPONENT = {X: 0, Y: 1, Z: 2}
