"""The rectilinear grid: uniform along periodic axes, stretched along the one with open ends.

In: points and lengths along x, y, z. Out: coordinates, and matrices for derivative and filter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .axes import Array
from .derivatives import derivative_matrix
from .filter import filter_matrix


@dataclass(frozen=True)
class Axis:
    """One axis of the whole grid, n points.

    Attributes:
        points: coordinates (n,), m.
        widths: (n,), m: dx/di, the share of the axis that a point stands for.
        derivative: (n, n), 1/m, stretching included.
        filter: (n, n).
        periodic: whether the last point's neighbour is the first.
    """

    points: Array
    widths: Array
    derivative: Array
    filter: Array
    periodic: bool


def periodic_axis(n: int, length: float) -> Axis:
    """`n` points from -length/2 on; the last is one spacing short of length/2."""
    spacing = length / n
    points = (np.arange(n) - n // 2) * spacing
    return Axis(
        points,
        np.full(n, spacing),
        derivative_matrix(n, spacing, periodic=True),
        filter_matrix(n, periodic=True),
        periodic=True,
    )


def open_axis(n: int, length: float, stretching: float) -> Axis:
    """`n` points from -length/2 to length/2, finest in the middle.

    x = length/2 sinh(s t) / sinh(s) for t evenly in [-1, 1] and s = `stretching`; spacing at the
    ends is cosh(s) times that in the middle. The derivative goes by t and the chain rule, so that
    its order is that on the even grid.
    """
    t = np.linspace(-1.0, 1.0, n)
    points = length / 2 * np.sinh(stretching * t) / np.sinh(stretching)
    slope = length / 2 * stretching * np.cosh(stretching * t) / np.sinh(stretching)
    step = 2.0 / (n - 1)
    return Axis(
        points,
        slope * step,
        derivative_matrix(n, step, periodic=False) / slope[:, None],
        filter_matrix(n, periodic=False),
        periodic=False,
    )
