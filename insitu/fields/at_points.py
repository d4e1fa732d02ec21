"""Values of many blocks at points, each block's own: all models in one call of their engine.

In: blocks, and points sorted by block. Out: values. No loop over points; over blocks only where one
is no model, or has a correction.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.engines import for_model
from insitu.fields.block_field import BlockField
from insitu.fields.model_field import ModelField


def values_of(fields: Sequence[BlockField], unit: Floats, ends: Sequence[int]) -> Floats:
    """Values (n, n_components) at points of the blocks' unit cubes (n, 3), float64.

    fields: of one dtype and number of components. ends: increasing; the points of fields[i] end
    before ends[i], and begin where those of the field before end. The last one is n. Not
    collective.
    """
    counts = np.diff([0, *ends])
    models = [_model_alone(field) for field in fields]
    kind = next((type(model.model) for model in models if model is not None), None)
    together = [
        model if model is not None and type(model.model) is kind else None for model in models
    ]
    values = np.empty((len(unit), fields[0].n_components), fields[0].dtype)
    alone = np.array([model is not None for model in together])
    if alone.any():
        mine = np.repeat(alone, counts)
        found = [model for model in together if model is not None]
        values[mine] = _evaluated(found, unit[mine], counts[alone])
    for i in np.flatnonzero(~alone).tolist():
        piece = slice(ends[i] - counts[i], ends[i])
        values[piece] = fields[i].at(unit[piece])
    return values


def _model_alone(field: BlockField) -> ModelField | None:
    """The field, if its values are those of a model, scaled, and nothing else."""
    model = field if isinstance(field, ModelField) and field.model_alone else None
    return None if model is None or model.model is None or model.holes is not None else model


def _evaluated(fields: Sequence[ModelField], unit: Floats, counts: NDArray[np.int64]) -> Floats:
    shapes = [field.model for field in fields if field.model is not None]
    outputs = for_model(shapes[0], fields[0].engine).evaluate_blocks(
        shapes,
        [field.params for field in fields],
        unit.astype(np.float32),
        np.cumsum(counts).tolist(),
    )
    origin = np.repeat([field.zero for field in fields], counts, axis=0)
    extent = np.repeat([np.ptp(field.range, axis=1) for field in fields], counts, axis=0)
    return np.asarray(origin + extent * outputs, np.float64)
