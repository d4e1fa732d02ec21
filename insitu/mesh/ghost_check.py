"""A debugging check that published ghost values equal the values of their owners.

In: every rank's partitions of one field, with their published ghost layers.
Out: `GhostReport`: how many ghost samples differ, by how much, and the warning to print.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Array
from insitu.mesh.ghost_exchange import Surroundings, surroundings
from insitu.mesh.ghosts import VALID
from insitu.mesh.partition import Partition

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True)
class GhostReport:
    """Published ghosts compared with their owners, over all ranks; the same on every rank.

    Attributes:
        field: the field's name.
        compared: number of ghost samples that some partition owns.
        stale: number of these that differ by more than the tolerance.
        max_difference: largest finite difference, as a fraction of the field's range.
    """

    field: str
    compared: int
    stale: int
    max_difference: float

    @property
    def fraction(self) -> float:
        """Stale fraction of the compared samples, 0..1."""
        return self.stale / self.compared if self.compared else 0.0

    @property
    def warning(self) -> str | None:
        """One line for the log, or None when no ghost is stale."""
        if not self.stale:
            return None
        return (
            f"fields/{self.field}: {100 * self.fraction:.3g} % of {self.compared} published ghost "
            f"values differ from their owners', by up to {100 * self.max_difference:.3g} % of the "
            f"field's range; use ghosts: exchange or ignore"
        )


def check(comm: MPI.Comm, partitions: list[Partition], tolerance: float = 1e-6) -> GhostReport:
    """Compare published ghost layers with the values of their owners. Collective.

    Costs as much as `exchange`, plus three small reductions; meant for debugging. Ghosts without
    an owner (at boundaries of the domain) are not compared. NaN equals NaN.

    Args:
        comm: a private communicator.
        partitions: this rank's, read with ghosts="trust"; [] on a rank that has none.
        tolerance: a sample is stale when one of its components differs by more than this fraction
            of the field's range (over all components).

    Raises:
        MeshError: on every rank, when ranks pass different fields.
    """
    from mpi4py import MPI

    around = surroundings(comm, partitions)
    names = comm.allgather(partitions[0].field if partitions else "")
    extent = _range(comm, partitions)
    counts = np.zeros(2, dtype=np.int64)
    largest = 0.0
    for partition, fresh in zip(partitions, around, strict=True):
        compared, stale, difference = _compare(partition, fresh, tolerance * extent)
        counts += compared, stale
        largest = max(largest, difference / extent)
    total = np.empty_like(counts)
    comm.Allreduce(counts, total, op=MPI.SUM)
    largest = comm.allreduce(largest, op=MPI.MAX)
    return GhostReport(max(names), int(total[0]), int(total[1]), largest)


def _range(comm: MPI.Comm, partitions: list[Partition]) -> float:
    """Range (max - min) of the owned finite values of all ranks; 1 when they are all equal."""
    from mpi4py import MPI

    ends = np.array([np.inf, np.inf])  # minimum, -maximum
    for partition in partitions:
        for owned in partition.owned:
            finite = owned[np.isfinite(owned)]
            if finite.size:
                ends = np.minimum(ends, [finite.min(), -float(finite.max())])
    lowest = np.empty_like(ends)
    comm.Allreduce(ends, lowest, op=MPI.MIN)
    width = -lowest[1] - lowest[0]
    return float(width) if np.isfinite(width) and width > 0 else 1.0


def _compare(partition: Partition, fresh: Surroundings, allowed: float) -> tuple[int, int, float]:
    """(number compared, number that differs by more than `allowed`, largest finite difference)."""
    published = tuple(
        slice(1 - low, 1 + n + high)
        for n, (low, high) in zip(partition.shape, partition.ghost_layers, strict=True)
    )
    known = fresh.flags[published] == VALID
    stale = np.zeros(np.count_nonzero(known), dtype=bool)
    largest = 0.0
    for ours, theirs in zip(partition.components, fresh.components, strict=True):
        apart, differs = _difference(ours[known], theirs[published][known], allowed)
        stale |= differs
        largest = max(largest, apart)
    return stale.size, int(np.count_nonzero(stale)), largest


def _difference(ours: Array, theirs: Array, allowed: float) -> tuple[float, Array]:
    """(largest finite difference, mask of differences above `allowed`) of two (n,) arrays."""
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore"):
        apart = np.where(same, 0.0, np.abs(ours - theirs))
    finite = apart[np.isfinite(apart)]
    return float(finite.max()) if finite.size else 0.0, ~(apart <= allowed)
