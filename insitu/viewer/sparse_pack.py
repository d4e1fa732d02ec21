"""Sparse grids for the page, which decodes and synthesises them itself (`page/worker`).

In: a sparse grid's payload, or a correction's. Out: a description (plain data), and coded
numbers: in the first coding, whatever the payload's, since the page decodes no other one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from insitu.engines.sparse_kernels import Numbers, sparse_kernels
from insitu.fields import sparse_grid
from insitu.fields.correction import SparseCorrection
from insitu.fields.model_field import ModelField
from insitu.fields.sparse_grid import Component
from insitu.models.sparse_grid.coder import FIRST

MOST_SAMPLES = 2**25
"""Of all components of a block: the page has them as floats, twice."""
MOST_AXIS = 2048  # of a 3-D texture


def fits(field: ModelField) -> bool:
    """Whether the page can hold the samples."""
    count = math.prod(field.shape) * field.n_components
    return count <= MOST_SAMPLES and max(field.shape) < MOST_AXIS - 1


def grid(
    field: ModelField, before: Sequence[Numbers] | None
) -> tuple[dict[str, Any], bytes, list[Numbers]]:
    """Description, coded numbers, and the numbers: relative to those of the step before, where that
    takes fewer bytes. Raises FrameError where the payload is corrupt."""
    components, splits = sparse_grid.unpack(field.weights.payload, field.shape, field.n_components)
    numbers = [component.numbers for component in components]
    coded = sparse_kernels().encode(numbers, splits, [], FIRST)
    relative = False
    if before is not None and [n.shape for n in before] == [n.shape for n in numbers]:
        differs = sparse_kernels().encode(numbers, splits, before, FIRST)
        relative = len(differs) < len(coded)
        coded = differs if relative else coded
    shared = components[0].shared
    entry = {
        "shape": list(numbers[0].shape[::-1]),
        "splits": "".join(map(str, splits)),
        "ends": 0 if shared is None else shared.ends,
        "scales": [_scale(component) for component in components],
        "vertex": field.association == "vertex",
        "relative": relative,
        "coded": len(coded),
    }
    return entry, coded, numbers


def correction(residual: SparseCorrection) -> tuple[dict[str, Any], bytes]:
    """Description, and the coded numbers of all pieces, one after the other."""
    pieces, data = [], b""
    for box, payloads in residual.parts:
        nz, ny, nx = (at.stop - at.start for at in box)
        for payload, of_levels in zip(payloads, (True, False), strict=True):
            if not payload:
                continue
            components, splits = sparse_grid.unpack(payload, (nz, ny, nx), residual.n_components)
            splits = splits if of_levels else []  # single samples: the page has no other layout
            coded = sparse_kernels().encode([c.numbers for c in components], splits, [], FIRST)
            piece = {
                "at": [at.start for at in box[::-1]],
                "shape": [nx, ny, nz],
                "splits": "".join(map(str, splits)),
                "scales": [_scale(component) for component in components],
                "length": len(coded),
            }
            pieces.append(piece)
            data += coded
    shape = list(residual.shape[::-1])
    return {"shape": shape, "units": np.asarray(residual.units).tolist(), "pieces": pieces}, data


def _scale(component: Component) -> list[Any]:
    """As `Scale` of `page/worker/decode.js`."""
    found: list[Any] = [component.step, *component.points]
    if component.shared is not None:
        digits = "".join(f"{k:x}" for k in component.shared.coarseness)
        found += [component.shared.step, digits]
    return found
