"""Checks of the options of rendering, for engines in Python.

In: options, a block's shape and grid lines. Out: nothing, or ValueError.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.engines.options import MarchOptions, View

MOST_SAMPLES = 65000  # on a ray


def check_rectangle(view: View) -> None:
    """Raises ValueError for a rectangle that is not within the image."""
    y0, y1, x0, x1 = view.rectangle
    if not (0 <= y0 <= y1 <= view.size[1] and 0 <= x0 <= x1 <= view.size[0]):
        raise ValueError("rectangle: not within the image")


def check_table(table: NDArray[Any]) -> None:
    """Raises ValueError for a table that is not (n, 4), n >= 2."""
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] != 4:
        raise ValueError("table: expected shape (n, 4), n >= 2")


def check_march(
    components: int,
    cells: tuple[int, int, int],
    nodes: tuple[Floats, Floats, Floats],
    options: MarchOptions,
) -> None:
    """For `Engine.march` of a block of `cells` (nz, ny, nx): raises ValueError for nodes, a table,
    a rectangle, a range, a step, a component or a surface that do not fit."""
    check_rectangle(options.view)
    check_table(options.table)
    for name, axis, n in zip("xyz", nodes, cells[::-1], strict=True):
        if np.shape(axis) != (n + 1,):
            raise ValueError(f"{name}: expected nodes of shape ({n + 1},)")
        if not (np.diff(axis) > 0).all():
            raise ValueError(f"{name}: nodes must increase")
    if not options.range[0] <= options.range[1]:
        raise ValueError("range: expected lo <= hi")
    if not options.step > 0:
        raise ValueError("step: must be positive")
    diagonal = float(np.linalg.norm(np.subtract(options.domain[1], options.domain[0])))
    if diagonal / options.step > MOST_SAMPLES:
        raise ValueError("step: more than 65000 samples on the domain's diagonal")
    if not -1 <= options.component < components:
        raise ValueError(f"component: {options.component} of {components}")
    if options.surface is not None:
        y0, y1, x0, x1 = options.view.rectangle
        rgba, depth = options.surface
        if rgba.shape != (y1 - y0, x1 - x0, 4) or depth.shape != (y1 - y0, x1 - x0):
            raise ValueError("surface: expected rgba (h, w, 4) and depth (h, w) of the rectangle")
