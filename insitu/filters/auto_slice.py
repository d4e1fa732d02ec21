"""The filter auto_slice: of several parallel planes the one with the most information.

In: a volume. Out: a surface: the plane on which the field's values have the greatest entropy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.parallel import together
from insitu.filters.geometry.slice import slice_plane
from insitu.filters.pipeline import Data, Names, VolumeData
from insitu.filters.ranges import magnitudes, value_range
from insitu.filters.schema import DataSchema
from insitu.filters.surface_filters import SurfaceFilter, fields_of
from insitu.store.timestep import TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI

Vector = tuple[float, float, float]

BINS = 256


@dataclass(frozen=True)
class AutoSlice(SurfaceFilter):
    """Compares planes at even distances through the domain."""

    field: str
    normal: Vector
    levels: int
    type: str = "auto_slice"

    def outline(self, given: DataSchema) -> DataSchema:
        surface = super().outline(given)
        given.field(self.field)
        return surface

    def reads(self, wanted: Names) -> Names:
        return wanted | {self.field}

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        assert isinstance(data, VolumeData)
        low, high = (np.asarray(end, np.float64) for end in data.bounds)
        center, along = 0.5 * (low + high), np.array(self.normal)
        along = along / np.linalg.norm(along)
        reach = 0.5 * float((high - low) @ np.abs(along))
        share = (np.arange(self.levels) + 1) / (self.levels + 1)
        points = center + (2 * share - 1)[:, None] * reach * along
        blocks = {self.field: data.fields[self.field]}
        ends = value_range(comm, blocks[self.field])
        counts = np.zeros((self.levels, BINS), np.int64)
        for row, point in zip(counts, points, strict=True):
            values = slice_plane(comm, blocks, point, self.normal).values[self.field]
            with together(comm, self.type):
                row += _counts(values, ends)
        everywhere = comm.allreduce(counts)
        best = int(np.argmax([_entropy(row) for row in everywhere]))
        return slice_plane(comm, fields_of(data, wanted), points[best], self.normal)


def _counts(values: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    found = magnitudes(values)
    low, high = ends
    if not low < high:
        high = low + 1
    return np.histogram(found[np.isfinite(found)], BINS, (low, high))[0]


def _entropy(counts: np.ndarray) -> float:
    share = counts[counts > 0] / max(1, counts.sum())
    return float(-(share * np.log(share)).sum())
