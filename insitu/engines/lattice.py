"""The lattice of a block: the points whose values are rendered.

In: cells along an axis, vertex or element data. Out: unit coordinates; scalars of vectors.
Along each axis it has the grid nodes for vertex data; the cell centers and the two faces for
element data. Trilinear interpolation of these points equals that of the raw block, and neighboring
blocks share the points on their faces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats

if TYPE_CHECKING:
    from insitu.engines.base import Doubles, Engine, ReadBox, Singles
    from insitu.models.base import Model


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


def lattice_reader(
    engine: Engine,
    model: Model | None,
    params: Singles,
    origin: Doubles,
    extent: Doubles,
    cells: tuple[int, int, int],
    vertex: bool,
) -> ReadBox:
    """A function that reads origin + extent * output at lattice points, as evaluated by `engine`;
    with model None, the constant `origin`. cells: (nz, ny, nx)."""

    def read(low: list[int], high: list[int], component: int) -> Floats:
        axes = [lattice(n, vertex)[a:b] for n, a, b in zip(cells[::-1], low, high, strict=True)]
        if model is None:
            shape = (*(len(axis) for axis in axes[::-1]), len(origin))
            return scalars(np.broadcast_to(origin, shape), component)
        outputs = engine.evaluate_grid(model, params, *axes).astype(np.float64)
        return scalars(origin + extent * outputs, component)

    return read
