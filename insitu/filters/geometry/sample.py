"""Sampling a field at points and along a line.

In: a field of a record or of a running simulation, points. Out: values, the same on every rank.

Every rank evaluates the points that its blocks own, and one reduction adds up the values of all
ranks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from insitu.core.arrays import Floats
from insitu.core.block_map import BlockMap
from insitu.core.parallel import check_alike, together
from insitu.fields.distributed_field import DistributedField
from insitu.filters.geometry.decomposition import evaluate
from insitu.store.recorded_field import RecordedField

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True)
class LineSample:
    """Values of a field along a line. Immutable."""

    points: Floats
    """(n, 3), world x y z."""
    values: Floats
    """(n,) or (n, n_components), float64; NaN outside the domain."""

    @property
    def distance(self) -> Floats:
        """(n,): distance from the first point, in world units."""
        return np.asarray(np.linalg.norm(self.points - self.points[0], axis=1))


def sample_line(
    field: DistributedField,
    start: ArrayLike,
    end: ArrayLike,
    n: int,
    *,
    comm: MPI.Comm | None = None,
) -> LineSample:
    """Values at n (at least 2) evenly spaced points from start to end, both included.

    Collective if `comm` is given. For comm, values and errors see `sample_points`.
    """
    if n < 2:
        raise ValueError(f"n: {n} points; a line needs at least 2")
    t = np.linspace(0, 1, n)[:, None]
    points = (1 - t) * _point("start", start) + t * _point("end", end)
    return LineSample(points, sample_points(field, points, comm=comm))


def sample_points(
    field: DistributedField, points: ArrayLike, *, comm: MPI.Comm | None = None
) -> Floats:
    """Values at world points (n, 3) -> (n,) or (n, n_components), float64; NaN outside the
    domain. A point on a face between blocks is evaluated by the block on its upper side.

    Collective if `comm` is given, otherwise not.

    Args:
        field: of a record, of which only the blocks that own a point are decoded; or of a running
            simulation, whose blocks are distributed over ranks.
        points: the same on every rank of `comm`.
        comm: communicator whose ranks hold the field's blocks, or share the work on a recorded
            field; None if this process has all of the field.

    Raises ValueError for points of another shape, points that differ between ranks, or if `comm`
    is missing and other ranks have blocks; RemoteError on every rank if one fails to evaluate.
    """
    at = np.atleast_2d(np.asarray(points, np.float64))
    if comm is not None:  # first of all: one rank's wrong points must not leave the others waiting
        check_alike(comm, "points", at)
    if at.ndim != 2 or at.shape[1] != 3:
        raise ValueError(f"points: shape {at.shape}, expected (n, 3)")
    if comm is None:
        if isinstance(field, RecordedField):
            return field(at).astype(np.float64)
        if len(field.fields) < field.summary.n_blocks:
            raise ValueError(
                f"{field.summary.name}: {len(field.fields)} of {field.summary.n_blocks} blocks are "
                "on this rank; pass comm=, on all ranks"
            )
        blocks = BlockMap.of([block.nodes for block in field.fields])
        return _flat(_own_values(field, blocks, 0, at))
    mine = field.share(comm) if isinstance(field, RecordedField) else field
    blocks = BlockMap.of_all_ranks(comm, [block.nodes for block in mine.fields])
    with together(comm, f"samples of {field.summary.name}"):
        values = _own_values(mine, blocks, comm.rank, at)
    total = np.empty_like(values)
    # All summands but one are 0, so the order of summation does not matter.
    comm.Allreduce(values, total)
    return _flat(total)


def _own_values(field: DistributedField, blocks: BlockMap, rank: int, points: Floats) -> Floats:
    """(n, n_components): values at the points that this rank's blocks own; 0 at those of other
    ranks, NaN outside the domain."""
    values = np.zeros((len(points), len(field.summary.range)))
    owners = blocks.owners(points)
    values[owners < 0] = np.nan
    for index, block in zip(blocks.on_rank(rank), field.fields, strict=True):
        held = owners == index
        if held.any():
            values[held] = evaluate(block, points[held])
    return values


def _flat(values: Floats) -> Floats:
    return values[:, 0] if values.shape[1] == 1 else values


def _point(name: str, given: ArrayLike) -> Floats:
    point = np.asarray(given, np.float64)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise ValueError(f"{name}: {given!r} is not a point x, y, z")
    return point
