"""Finite-difference derivatives on a rectilinear grid.

In: arrays (nz, ny, nx), the coordinates of their samples, the requested sub-box.
Out: arrays of that sub-box: gradient, curl, divergence, Q criterion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.core.box import Box

Floats = NDArray[np.float64]
Lines = tuple[Floats, Floats, Floats]
"""Coordinates of the samples along z, y, x."""


def partial(values: Floats, axis: int, lines: Lines, inside: Box) -> Floats:
    """The derivative along axis 0 (x), 1 (y) or 2 (z); zero along an axis of one sample.

    As `numpy.gradient`: exact for parabolas inside, and for straight lines at the ends.
    """
    along = 2 - axis
    # Crop the other axes first: they need no neighbours.
    values = values[tuple(s if i != along else slice(None) for i, s in enumerate(inside))]
    if values.shape[along] < 2 or lines[along][0] == lines[along][-1]:  # a mesh in a plane
        slope = np.zeros_like(values)
    else:
        slope = np.gradient(values, lines[along], axis=along)
    return slope[tuple(s if i == along else slice(None) for i, s in enumerate(inside))]


def in_space(vector: Sequence[Floats]) -> list[Floats]:
    """The three components of a vector, of which one in a plane has no z."""
    return [*vector, np.zeros_like(vector[0])] if len(vector) == 2 else list(vector)


def gradient(values: Sequence[Floats], lines: Lines, inside: Box) -> tuple[Floats, ...]:
    """Derivatives of one scalar along x, y, z."""
    (scalar,) = values
    return tuple(partial(scalar, axis, lines, inside) for axis in range(3))


def divergence(values: Sequence[Floats], lines: Lines, inside: Box) -> tuple[Floats, ...]:
    slopes = [partial(c, axis, lines, inside) for axis, c in enumerate(values)]
    return (sum(slopes[1:], slopes[0]),)


def curl(values: Sequence[Floats], lines: Lines, inside: Box) -> tuple[Floats, ...]:
    """Curl of a vector field; for a velocity, the vorticity. In a plane it has the component z
    alone."""
    values = in_space(values)

    def difference(i: int, j: int) -> Floats:
        return partial(values[j], i, lines, inside) - partial(values[i], j, lines, inside)

    return difference(1, 2), difference(2, 0), difference(0, 1)


def qcriterion(values: Sequence[Floats], lines: Lines, inside: Box) -> tuple[Floats, ...]:
    """(|rotation|^2 - |strain|^2) / 2, which is -sum_ij (du_i/dx_j du_j/dx_i) / 2."""
    values = in_space(values)
    total: Any = 0.0
    for i in range(3):
        own = partial(values[i], i, lines, inside)
        total = total - 0.5 * own * own
        for j in range(i):
            upper = partial(values[i], j, lines, inside)
            total = total - upper * partial(values[j], i, lines, inside)
    return (total,)


FUNCTIONS: dict[str, Callable[[Sequence[Floats], Lines, Box], tuple[Floats, ...]]] = {
    "gradient": gradient,
    "curl": curl,
    "divergence": divergence,
    "qcriterion": qcriterion,
}
