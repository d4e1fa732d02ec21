"""One block as the browser gets it: a model where it has a shader for that kind, else samples.

In: a block's field. Out: a description (plain data) and bytes.

Kinds of models with a shader are in SHADERS; each has a module of that name in `page/models`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines.sparse_kernels import Numbers
from insitu.fields import sparse_grid
from insitu.fields.block_field import BlockField
from insitu.fields.correction import SparseCorrection
from insitu.fields.model_field import ModelField
from insitu.models.base import Model
from insitu.models.dense_grid.model import DenseGrid
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid
from insitu.viewer import interpolation, model_arrays, sparse_pack
from insitu.viewer.model_arrays import Sent
from insitu.viewer.rans import Encoder

STEP = 1 / 2046
"""Of samples: with half precision in the browser, errors are below 1/1000 of the range."""
MOST_SAMPLES = 128
"""Per axis of a block that is sent as samples; a finer one is sampled at this resolution."""
_CHAIN = 7
"""Steps of a sparse grid that a jump in time may have to decode before."""
_WIDEST = 64  # neurons: a fragment shader keeps a layer in registers


@dataclass(frozen=True)
class PackedBlock:
    """A block for the browser."""

    entry: dict[str, Any]
    data: bytes
    recoded: str = ""
    """Why it is sent as samples; empty for a model."""
    sent: tuple[Model, Sent] | None = None
    """Its model and the values of the arrays, which went to the encoder."""
    numbers: Sequence[Numbers] | None = None
    """Of a sparse grid."""
    follows: int = 0
    """How many steps back these are counted from whole ones."""


def _hash_grid(model: Model) -> dict[str, Any]:
    assert isinstance(model, HashGrid)
    levels = [
        {"scale": at.scale, "resolution": at.resolution, "size": at.size, "hashed": at.hashed}
        for at in model.levels
    ]
    return {"levels": levels, "features": model.n_features_per_level}


def _dense_grid(model: Model) -> dict[str, Any]:
    assert isinstance(model, DenseGrid)
    return {
        "resolution": list(model.resolution),
        "features": model.n_features,
        "frequencies": model.n_frequencies,
    }


SHADERS: dict[str, Callable[[Model], dict[str, Any]]] = {
    "hash_grid": _hash_grid,
    "dense_grid": _dense_grid,
}
"""Kind -> what its shader needs to know of the architecture, beside the MLP's matrices."""


def pack(field: BlockField, before: PackedBlock | None, encoder: Encoder) -> PackedBlock:
    """A block, with its model if a shader evaluates it, whose arrays go to the encoder.

    before: the same block at the step before, if the page will have it.
    """
    reason = _no_shader(field)
    if reason:
        return samples(field.decode(_shape(field)), field.association == "vertex", reason)
    assert isinstance(field, ModelField)
    entry: dict[str, Any] = {
        "kind": "constant",
        **_ends(field.zero, field.range[:, 1] - field.range[:, 0]),
    }
    data, sent, numbers, follows = b"", None, None, 0
    if isinstance(field.model, SparseGrid):
        earlier = before if before is not None and before.follows < _CHAIN else None
        grid, data, numbers = sparse_pack.grid(field, earlier.numbers if earlier else None)
        follows = earlier.follows + 1 if earlier and grid["relative"] else 0
        # Faces that neighbours share count from the exact origin.
        entry |= {"kind": "sparse_grid", "origin": field.zero.tolist(), **grid}
    elif field.model is not None:
        known = None if before is None or before.sent is None else before.sent
        values = known[1] if known is not None and known[0] == field.model else None
        sent = field.model, model_arrays.write(field.model, field.weights, values, encoder)
        entry |= {"kind": field.model.kind, **SHADERS[field.model.kind](field.model)}
        arrays = field.model.arrays(field.params)
        entry["arrays"] = [[array.name, list(array.values.shape)] for array in arrays]
    if isinstance(field.residual, SparseCorrection):
        entry["correction"], more = sparse_pack.correction(field.residual)
        data += more
    if field.holes is not None:
        data += np.packbits(field.holes.mask).tobytes()
        entry["mask"] = {"shape": list(field.holes.shape), "vertex": field.holes.vertex}
    return PackedBlock(entry, data, sent=sent, numbers=numbers, follows=follows)


def samples(values: Floats, vertex: bool, reason: str) -> PackedBlock:
    """A block as samples (nz, ny, nx) or (nz, ny, nx, n_components), each component to `STEP` / 2
    of its range: numbers of `interpolation`, and the samples that are not finite as bits."""
    grid = values if values.ndim == 4 else values[..., None]
    finite = np.isfinite(grid).all(axis=-1)
    low, extent, numbers = [], [], []
    for c in range(grid.shape[-1]):
        one = np.where(finite, grid[..., c], np.nan).astype(np.float64)
        least, most = (float(np.nanmin(one)), float(np.nanmax(one))) if finite.any() else (0.0, 0.0)
        low.append(least)
        extent.append(most - least)
        numbers.append(interpolation.numbers((one - least) / ((most - least) or 1.0), STEP))
    kind, data = model_arrays.planes(np.concatenate(numbers))
    entry = {
        "kind": "samples",
        **_ends(np.array(low), np.array(extent)),
        "shape": list(grid.shape[:3]),
        "vertex": vertex,
        "type": kind,
        "step": STEP,
    }
    if not finite.all():
        entry["mask"] = {"shape": list(grid.shape[:3]), "vertex": vertex}
        data += np.packbits(~finite).tobytes()
    return PackedBlock(entry, data, reason)


def _ends(origin: Floats, extent: Floats) -> dict[str, list[float]]:
    """The values of outputs 0, and of outputs 1 less these, to 1e-8 of the extents."""
    found: dict[str, list[float]] = {"origin": [], "extent": []}
    for zero, wide in zip(origin.tolist(), extent.tolist(), strict=True):
        digits = 8 - math.floor(math.log10(wide)) if 0 < wide < math.inf else 17
        short = round(zero, digits) if digits < 300 else zero
        found["origin"].append(short if math.isfinite(short) else zero)
        found["extent"].append(float(f"{wide:.9g}"))
    return found


def _shape(field: BlockField) -> tuple[int, int, int]:
    nz, ny, nx = (min(n, MOST_SAMPLES) for n in field.shape)
    return nz, ny, nx


def _no_shader(field: BlockField) -> str:
    """Why the browser cannot evaluate the block; empty if it can."""
    if not isinstance(field, ModelField):
        return field.codec
    if field.transform is not None:
        return "model behind a transform"
    if field.residual is not None and not isinstance(field.residual, SparseCorrection):
        return "model with a residual"
    if not np.isfinite(field.range).all():
        return "values that are not finite"
    model = field.model
    sparse = isinstance(model, SparseGrid) and field.weights.codec == sparse_grid.CODEC
    if (sparse or field.residual is not None) and not sparse_pack.fits(field):
        return "sparse grids of more samples than the page can hold"
    if model is None:
        return ""
    if not sparse and model.kind not in SHADERS:
        return f"model {model.kind}"
    if getattr(model, "n_neurons", 0) > _WIDEST:
        return f"model {model.kind} with more than {_WIDEST} neurons"
    return ""
