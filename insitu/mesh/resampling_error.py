"""Resampling error: boxes evaluated at the mesh's own points, compared with the values published.

In: points and values of this rank's cells, and the boxes of all ranks.
Out: sums of errors over all ranks.
"""

from __future__ import annotations

import math
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

# Rounding tolerance of a point's coordinates, in cells: a point this close to a sample takes its
# value alone, because the sample's neighbors may be outside the domain.
_ON_SAMPLE = 1e-6


@dataclass(frozen=True)
class ResamplingError:
    """Boxes, trilinearly interpolated, compared with the published values at the mesh's points.

    A point that is published several times, such as once per element, is counted each time.
    """

    components: tuple[ErrorSums, ...]
    """In the field's units, over all ranks."""
    n_points: int
    """Number of points with finite values, over all ranks and components. Points whose surrounding
    samples are not all in the domain have no value in the boxes, and are not in `components`."""
    covered: float
    """Fraction of the grid's samples that lie in the domain."""

    @property
    def psnr_db(self) -> float:
        """Relative to the published values' range, combined over components as for a field."""
        return joint_psnr_db(
            [sums.sum_of_squares for sums in self.components],
            [sums.n for sums in self.components],
            [sums.high - sums.low for sums in self.components],
            [sums.exponent for sums in self.components],
        )

    @property
    def rms(self) -> float:
        """Root mean square error, for vectors of the error's length. In the field's units."""
        return math.hypot(*(sums.root_mean_square for sums in self.components))

    @property
    def read(self) -> float:
        """Fraction of the points at which boxes have a value; NaN where there are no points."""
        return sum(s.n for s in self.components) / self.n_points if self.n_points else np.nan


def error_sums(
    comm: MPI.Comm,
    points: Array,
    truth: Array,
    goes_to: Sequence[Array],
    block: Partition | None,
) -> tuple[tuple[ErrorSums, ...], int]:
    """Error sums per component over all ranks, and the number of finite values. Collective.

    points: (k, 3), with values `truth` (k, c). goes_to: per rank, the points in its box. block:
    this rank's box, with its neighbors' samples around it for element fields.
    """
    came = send_rows(comm, np.concatenate([points, truth], axis=1), goes_to)
    width = came.shape[1]
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


def send_rows(comm: MPI.Comm, rows: Array, goes_to: Sequence[Array]) -> Array:
    """The rows (k, width) that all ranks have for this one, by increasing rank, float64. goes_to:
    per rank, indices of the rows that it gets. Collective."""
    packed = rows[np.concatenate(goes_to)].astype(np.float64)
    width = packed.shape[1]
    sent = [len(indices) * width for indices in goes_to]
    received = comm.alltoall(sent)
    incoming = np.empty(sum(received))
    comm.Alltoallv([packed.ravel(), sent], [incoming, received])
    return incoming.reshape(-1, width)


def _places(block: Partition, points: Array) -> tuple[list[Array], list[Array]]:
    """Per axis z, y, x: the sample below each point, and the fraction 0..1 towards the next.
    Beyond the outermost samples, this gives constant extrapolation."""
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
        # Samples of weight 0 are not read, so that a NaN affects only its own cells.
        total += np.where(weight == 0, 0, weight * values[index])
    return total
