"""The filter histsampling: few points that keep what is rare.

In: a volume. Out: points with the wanted fields: samples of the mesh, drawn so that each value of a
field is as likely as any other, as far as it occurs (A. Biswas et al.: In situ data-driven
adaptive sampling for large-scale simulation data summarization, ISAV 2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.geometry import Lines
from insitu.core.parallel import together
from insitu.core.place_hash import random_at
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.pipeline import Data, Names, VolumeData
from insitu.filters.ranges import magnitudes, value_range
from insitu.filters.schema import POINTS, DataSchema
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True)
class HistSampling:
    """Draws a share of the samples by a histogram of a field; for a vector, of its magnitude."""

    field: str
    bins: int = 128
    sample_rate: float = 0.1
    type: str = "histsampling"

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: DataSchema) -> DataSchema:
        given.volume(self.type)
        given.field(self.field)
        return given.became(POINTS, self.type)

    def reads(self, wanted: Names) -> Names:
        return wanted | {self.field}

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        assert isinstance(data, VolumeData)
        blocks = data.fields[self.field]
        low, high = value_range(comm, blocks)
        upper = np.asarray(data.bounds[1])
        places: list[Floats] = []
        values = np.empty(0)
        bins = np.empty(0, np.int64)
        with together(comm, self.type):
            places = [_samples(block, upper) for block in blocks]
            found = [magnitudes(np.asarray(b(p))) for b, p in zip(blocks, places, strict=True)]
            values = np.concatenate([np.empty(0), *found])
            share = (values - low) / (high - low) if high > low else 0 * values
            finite = np.isfinite(values)
            bins = np.clip((np.where(finite, share, 0) * self.bins).astype(int), 0, self.bins - 1)
        counts = comm.allreduce(np.bincount(bins[np.isfinite(values)], minlength=self.bins))
        chance = acceptance(counts, self.sample_rate)
        points, given = np.empty((0, 3)), {}
        with together(comm, self.type):
            where = np.concatenate([np.empty((0, 3)), *places])
            drawn = np.isfinite(values) & (random_at(where.T, 0.0) < chance[bins])
            points = where[drawn]
            ends = np.cumsum([0, *map(len, places)])
            for name in sorted(wanted):
                pieces = [
                    np.asarray(block(place[drawn[start:end]]), np.float64)
                    for block, place, start, end in zip(
                        data.fields[name], places, ends, ends[1:], strict=False
                    )
                ]
                given[name] = np.concatenate(pieces) if pieces else np.empty(0)
        return Lines(points, np.arange(len(points) + 1), given)


def acceptance(counts: np.ndarray, rate: float) -> Floats:
    """The chance (bins,) of a sample in each bin to be drawn, so that a share `rate` of all is: as
    many of each bin as of any other, and all of those that are fewer."""
    chance = np.zeros(len(counts))
    left = rate * counts.sum()
    order = [i for i in np.argsort(counts, kind="stable") if counts[i]]
    for done, i in enumerate(order):
        each = left / (len(order) - done)
        taken = min(each, counts[i])
        chance[i] = taken / counts[i]
        left -= taken
    return chance


def _samples(block: SampledBlock, upper: Floats) -> Floats:
    """The places (n, 3) of a block's samples; those on a face are of the block above it."""
    lines: list[Floats] = []
    for line, end in zip(block.nodes, upper, strict=True):
        if block.association == "element":
            lines.append(0.5 * (line[1:] + line[:-1]))
        else:
            last = line[-1] >= end - 0.5 * (line[-1] - line[-2])
            lines.append(line if last else line[:-1])
    z, y, x = np.meshgrid(*reversed(lines), indexing="ij")
    return np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
