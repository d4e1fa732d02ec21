"""A derived field over all ranks.

In: each rank's blocks of a field, and what is computed of each. Out: each rank's derived blocks,
and the bounds and the measured range of the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from insitu.extract.decomposition import Blocks, blocks_of
from insitu.extract.derived_block import DerivedBlock
from insitu.fields.sampled_block import SampledBlock
from insitu.parallel import together

if TYPE_CHECKING:
    from mpi4py import MPI

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class DerivedSummary:
    """What every rank knows of a derived field."""

    name: str
    cycle: int
    time: float
    bounds: tuple[Floats, Floats]
    """Lowest and highest corner of the whole domain, each (3,) x, y, z."""
    range: Floats
    """(n_components, 2): minimum and maximum of the finite values at all samples, measured."""
    n_blocks: int


@dataclass(frozen=True)
class DerivedField:
    """The derived blocks of this rank (none, one or several), and what all ranks know."""

    fields: tuple[DerivedBlock, ...]
    summary: DerivedSummary


def derive(
    comm: MPI.Comm, field: Blocks, operation: Callable[[SampledBlock], DerivedBlock]
) -> DerivedField:
    """`operation`, such as `vorticity`, of every block of a field. Collective: one gather.

    Each rank evaluates the derived field once at every sample, for its range; nothing of it is
    kept.

    Raises RemoteError on every rank if one fails; ValueError if no rank has a block.
    """
    with together(comm, "derived field"):
        blocks = tuple(operation(block) for block in blocks_of(field))
        mine = [
            DerivedSummary(b.name, b.cycle, b.time, b.bounds, b.sampled_range, 1) for b in blocks
        ]
    summaries = [summary for theirs in comm.allgather(mine) for summary in theirs]
    if not summaries:
        raise ValueError("blocks: no rank has one")
    return DerivedField(blocks, reduce(_merge, summaries))


def _merge(a: DerivedSummary, b: DerivedSummary) -> DerivedSummary:
    return DerivedSummary(
        name=a.name,
        cycle=a.cycle,
        time=a.time,
        bounds=(np.minimum(a.bounds[0], b.bounds[0]), np.maximum(a.bounds[1], b.bounds[1])),
        range=np.stack(
            [np.fmin(a.range[:, 0], b.range[:, 0]), np.fmax(a.range[:, 1], b.range[:, 1])], axis=1
        ),
        n_blocks=a.n_blocks + b.n_blocks,
    )
