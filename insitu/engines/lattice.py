"""The lattice of a block: the points whose values are rendered.

In: cells along an axis, vertex or element data. Out: unit coordinates; scalars of vectors.
Along each axis it has the grid nodes for vertex data; the cell centers and the two faces for
element data. Trilinear interpolation of these points equals that of the raw block, and neighboring
blocks share the points on their faces.
"""

from __future__ import annotations

import numpy as np

from insitu.core.arrays import Floats


def lattice(cells: int, vertex: bool) -> Floats:
    """Unit coordinates of the lattice points of an axis: (cells + 1,), or (cells + 2,)."""
    if vertex:
        return np.arange(cells + 1) / cells
    return np.concatenate([[0.0], (np.arange(cells) + 0.5) / cells, [1.0]])


def scalars(values: Floats, component: int) -> Floats:
    """One component of values (..., n_components), or their magnitude for -1 -> (...)."""
    if component < 0:
        return np.asarray(np.linalg.norm(values, axis=-1))
    return np.asarray(values[..., component])
