"""What resampling costs: boxes read at the mesh's own points, against the values published there.

In: points and their values, as this rank's cells have them, and the boxes of all ranks.
Out: sums of errors over all ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Array
from insitu.core.parallel import together
from insitu.mesh.partition import Partition
from insitu.metrics import ErrorSums, joint_psnr_db

if TYPE_CHECKING:
    from mpi4py import MPI

# Rounding of a point's coordinates, in cells: so near a sample it is the sample, whose neighbours
# (they may be outside of the domain) do not count.
_ON_SAMPLE = 1e-6


@dataclass(frozen=True)
class ResamplingError:
    """Boxes, trilinear between their samples, against the published values at the mesh's points.

    A point that is published several times, once per element, counts as often.
    """

    components: tuple[ErrorSums, ...]
    """In the field's units; of all ranks."""
    n_points: int
    """All points with finite values, of all ranks and components. Those whose surrounding samples
    do not all lie in the domain have no value in the boxes, and are not in `components`."""
    covered: float
    """Share of the grid's samples that lie in the domain."""

    @property
    def psnr_db(self) -> float:
        """Against the range of the published values, joined over components as a field's is."""
        return joint_psnr_db(
            [sums.sum_of_squares for sums in self.components],
            [sums.n for sums in self.components],
            [sums.high - sums.low for sums in self.components],
        )

    @property
    def rms(self) -> float:
        """Root mean square; of a vector, that of the length of the error. In the field's units."""
        return float(np.sqrt(sum(sums.mean_squared_error for sums in self.components)))

    @property
    def read(self) -> float:
        """Share of the points at which boxes have a value; NaN where there are no points."""
        return sum(s.n for s in self.components) / self.n_points if self.n_points else np.nan


def error_sums(
    comm: MPI.Comm,
    points: Array,
    truth: Array,
    goes_to: Sequence[Array],
    block: Partition | None,
) -> tuple[tuple[ErrorSums, ...], int]:
    """Sums per component over all ranks, and how many finite values they are out of. Collective.

    points: (k, 3), and `truth` (k, c) there. goes_to: per rank, those points that lie in its box.
    block: this rank's box, with its neighbours' samples around it where values are per cell.
    """
    order = np.concatenate(goes_to)
    packed = np.concatenate([points, truth], axis=1)[order].astype(np.float64)
    width = packed.shape[1]
    sent = [len(indices) * width for indices in goes_to]
    received = comm.alltoall(sent)
    incoming = np.empty(sum(received))
    comm.Alltoallv([packed.ravel(), sent], [incoming, received])
    came = incoming.reshape(-1, width)
    mine = [ErrorSums()] * (width - 3)
    finite = 0
    with together(comm, "mesh, error of resampling"):
        if block is not None and len(came):
            low, along = _places(block, came[:, :3])
            for c, component in enumerate(block.components):
                published = came[:, 3 + c]
                read = _trilinear(component, low, along)
                known = np.isfinite(published)
                finite += int(known.sum())
                known &= np.isfinite(read)
                mine[c] = ErrorSums.of(read[known], published[known])
    return tuple(comm.allreduce(sums) for sums in mine), comm.allreduce(finite)


def _places(block: Partition, points: Array) -> tuple[list[Array], list[Array]]:
    """Per axis z, y, x: the sample below each point, and how far from it to the next, 0 to 1.
    Beyond the outermost samples they are where the values stay the same."""
    low, along = [], []
    for axis, (n, (before, after)) in enumerate(zip(block.shape, block.ghost_layers, strict=True)):
        nodes = block.nodes[2 - axis]
        place = np.interp(points[:, 2 - axis], nodes, np.arange(len(nodes), dtype=np.float64))
        place += before - (0.0 if block.association == "vertex" else 0.5)
        place = np.clip(place, 0, n + before + after - 1)
        nearest = np.rint(place)
        place = np.where(np.abs(place - nearest) < _ON_SAMPLE, nearest, place)
        low.append(np.minimum(place.astype(np.int64), max(n + before + after - 2, 0)))
        along.append(place - low[-1])
    return low, along


def _trilinear(values: Array, low: list[Array], along: list[Array]) -> Array:
    total = np.zeros(len(low[0]))
    for corner in product((0, 1), repeat=3):
        weight = np.ones(len(total))
        for up, t in zip(corner, along, strict=True):
            weight = weight * (t if up else 1 - t)
        index = tuple(
            np.minimum(i + up, size - 1)
            for i, up, size in zip(low, corner, values.shape, strict=True)
        )
        # What has no weight is not read: a NaN does not reach beyond its own cells.
        total += np.where(weight == 0, 0, weight * values[index])
    return total
