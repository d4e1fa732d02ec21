"""From world coordinates to a block's unit cube: its owned box in index space.

In: world points, the block's grid lines. Out: unit coordinates and their derivatives.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from insitu.core.arrays import Floats

Nodes = tuple[Floats, Floats, Floats]


def to_unit(points: ArrayLike, nodes: Nodes) -> tuple[Floats, NDArray[np.bool_]]:
    """World points (n, 3) -> unit coordinates (n, 3), float64, and whether each point is in the
    box. Points outside get the coordinates of some point inside. Raises ValueError for any other
    shape."""
    points = np.atleast_2d(np.asarray(points, np.float64))
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"points: shape {points.shape}, expected (n, 3)")
    unit = np.empty(points.shape)
    inside = np.ones(len(points), bool)
    for axis, lines in enumerate(nodes):
        x = points[:, axis]
        inside &= (x >= lines[0]) & (x <= lines[-1])
        unit[:, axis] = np.interp(x, lines, np.linspace(0, 1, len(lines)))
    unit[~inside] = 0.5
    return unit, inside


def to_world(unit: Floats, nodes: Nodes) -> Floats:
    """Points of the unit cube (n, 3) -> world points (n, 3), float64."""
    return np.stack(
        [
            np.interp(unit[:, axis], np.linspace(0, 1, len(lines)), lines)
            for axis, lines in enumerate(nodes)
        ],
        axis=1,
    )


def unit_per_world(points: ArrayLike, nodes: Nodes) -> Floats:
    """Derivatives of unit by world coordinates, per axis, at world points (n, 3) -> (n, 3)."""
    points = np.atleast_2d(np.asarray(points, np.float64))
    slopes = np.empty(points.shape)
    for axis, lines in enumerate(nodes):
        cell = np.searchsorted(lines, points[:, axis], side="right") - 1
        cell = np.clip(cell, 0, len(lines) - 2)
        slopes[:, axis] = 1 / ((len(lines) - 1) * np.diff(lines)[cell])
    return slopes
