"""The global range of a field's values.

In: each rank's blocks, or its piece of a surface or of lines. Out: minimum and maximum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.parallel import together
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.derived_block import DerivedBlock
from insitu.filters.pipeline import Data, VolumeData

if TYPE_CHECKING:
    from mpi4py import MPI

Range = tuple[float, float]


def value_range(comm: MPI.Comm, blocks: Sequence[SampledBlock]) -> Range:
    """Minimum and maximum finite value of blocks (for vectors, bounds of the magnitude); 0 and 0
    if there is none. Collective: one reduction."""
    mine: list[Range] = []
    with together(comm, "range of values"):
        mine = [_block_range(block) for block in blocks]
    return _of_all(comm, mine)


def data_range(comm: MPI.Comm, data: Data, field: str) -> Range:
    """As `value_range`, of a field on the result of a pipeline. Collective."""
    if isinstance(data, VolumeData):
        return value_range(comm, data.fields[field])
    mine: list[Range] = []
    with together(comm, f"range of {field}"):
        values = magnitudes(data.values[field])
        values = values[np.isfinite(values)]
        mine = [(float(values.min()), float(values.max()))] if values.size else []
    return _of_all(comm, mine)


def magnitudes(values: Floats) -> Floats:
    """Magnitudes (n,) of scalars (n,) or vectors (n, n_components)."""
    return np.linalg.norm(values, axis=1) if values.ndim == 2 else values


def _of_all(comm: MPI.Comm, mine: Iterable[Range]) -> Range:
    ends = np.array([np.inf, np.inf])  # the minimum, and the negated maximum
    for low, high in mine:
        ends = np.fmin(ends, [low, -high])
    least, negative = (float(v) for v in comm.allreduce(ends, op=_fmin))
    return (least, -negative) if least <= -negative else (0.0, 0.0)


def _block_range(block: SampledBlock) -> Range:
    ranges = np.asarray(block.sampled_range if isinstance(block, DerivedBlock) else block.range)
    if len(ranges) == 1:
        return float(ranges[0, 0]), float(ranges[0, 1])
    if not np.isfinite(ranges).any():
        return np.nan, np.nan
    # A magnitude is at most that of the vector of the largest components.
    return 0.0, float(np.linalg.norm(np.nanmax(np.abs(ranges), axis=1)))


def _fmin(a: Floats, b: Floats) -> Floats:
    return np.fmin(a, b)
