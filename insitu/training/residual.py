"""What a network misses of a block, added to it so that a bound on every value holds.

In: a neural field, its block, bounds. Out: the field with a residual in bricks, decoded and
compared with the block before it is accepted; without one where the network alone keeps them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codec.bricks import Bricks
from insitu.fields.neural_field import NeuralField
from insitu.mesh.partition import Partition
from insitu.training.bounds import keeps

Floats = NDArray[np.floating[Any]]

CODEC = "sz3"
# The sum is rounded to the field's dtype, which takes a part of the bound; where more than half
# a unit in the last place of the largest value is missing, less is asked for.
_SHARES = (1.0, 0.5, 0.25)


def with_residual(field: NeuralField, partition: Partition, bounds: Floats) -> NeuralField | None:
    """The field such that `decode` is within `bounds` (n_components,) of every finite value and
    gives the others as they are; its metrics are still those of `field`. None where rounding does
    not allow it.
    """
    if keeps(field.decode(), partition, bounds):
        return field
    network = field.network_grid(field.shape)
    residuals, tight = [], []
    for c, (raw, bound) in enumerate(zip(partition.owned, bounds, strict=True)):
        finite = np.isfinite(raw)
        with np.errstate(invalid="ignore", over="ignore"):
            missing = np.where(finite, raw.astype(np.float64) - network[..., c], raw)
            residuals.append(np.ascontiguousarray(missing.astype(field.dtype)))
        unit = np.spacing(np.abs(raw[finite]).max(initial=0.0).astype(field.dtype))
        tight.append(bound - unit / 2 if bound > unit else bound / 2)
    for share in _SHARES:
        bricks = Bricks.encode(residuals, CODEC, [share * bound for bound in tight])
        corrected = replace(field, residual=bricks)
        if keeps(corrected.decode(), partition, bounds):
            return corrected
    return None
