"""The filter uniform_grid: fields sampled on a uniform grid.

In: a volume. Out: the part of it that the grid covers, with values at the grid's lines, trilinear
between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.box import Bounds
from insitu.core.parallel import together
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.clip import clip
from insitu.filters.geometry.resampled_block import GridBlock
from insitu.filters.geometry.shapes import Box
from insitu.filters.pipeline import Data, Names, VolumeData
from insitu.filters.schema import DataSchema
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI

Vector = tuple[float, float, float]
Lines = tuple[Floats, Floats, Floats]

MOST_POINTS = 4096
"""Along an axis."""


@dataclass(frozen=True)
class UniformGrid:
    """Samples all fields, or one, at the lines of a grid and at the faces between blocks."""

    dims: tuple[int | None, int | None, int | None] = (None, None, None)
    """Points along x, y, z; default, as Ascent's: one more than the domain is long."""
    origin: tuple[float | None, float | None, float | None] = (None, None, None)
    """World x y z; default: the domain's lower corner."""
    spacing: Vector = (1.0, 1.0, 1.0)
    """World."""
    field: str | None = None
    """The only field to keep; default: all."""
    invalid_value: float | None = None
    """The value at points of the grid outside of the domain; None: the grid ends with it."""
    type: str = "uniform_grid"

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: DataSchema) -> DataSchema:
        given.volume(self.type)
        if given.cut_by:
            raise ValueError(
                f"type: {self.type} needs complete fields; put it before {given.cut_by[-1]}"
            )
        if self.field is not None:
            given = replace(given, fields={self.field: given.field(self.field)})
        found = given
        for name, components in given.fields.items():
            found = found.plus(name, components)
        return replace(found, cut_by=(*given.cut_by, self.type))

    def reads(self, wanted: Names) -> Names:
        return wanted

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        assert isinstance(data, VolumeData)
        lines = self.lines(data.bounds)  # the same on every rank, failures too
        sampled = data
        with together(comm, self.type):
            fields = {
                name: [self._sampled(block, lines, data.bounds) for block in blocks]
                for name, blocks in data.fields.items()
            }
            sampled = VolumeData(fields, self.bounds(data.bounds))
        low, high = (_triple(line[end] for line in lines) for end in (0, -1))
        near = 1e-6 * (np.asarray(data.bounds[1]) - data.bounds[0])
        if (low <= data.bounds[0] + near).all() and (high >= data.bounds[1] - near).all():
            return sampled
        left = clip(comm, sampled.fields, Box(low, high), invert=True)
        return VolumeData(left.fields, sampled.bounds, left.surface)

    @property
    def moves(self) -> bool:
        return self.invalid_value is not None

    def bounds(self, before: Bounds) -> Bounds:
        """The domain, and what of the grid is outside of it."""
        if self.invalid_value is None:
            return before
        low, high = (np.array([line[end] for line in self.lines(before)]) for end in (0, -1))
        return np.minimum(before[0], low), np.maximum(before[1], high)

    def lines(self, bounds: Bounds) -> Lines:
        """The coordinates x, y, z of the grid's lines on a domain. ValueError for a default that
        is no number of points for it."""
        x, y, z = (
            self._line(axis, float(bounds[0][axis]), float(bounds[1][axis])) for axis in range(3)
        )
        return x, y, z

    def _line(self, axis: int, low: float, high: float) -> Floats:
        start, n = self.origin[axis], self.dims[axis]
        if n is None:
            n = int(high - low) + 1
            if not 2 <= n <= MOST_POINTS:
                raise ValueError(
                    f"uniform_grid: dims: the domain is {high - low:g} long along {'xyz'[axis]}, "
                    f"which makes {n} points by default; expected 2 to {MOST_POINTS}: give dims "
                    "and spacing"
                )
        return (low if start is None else start) + self.spacing[axis] * np.arange(n)

    def _sampled(self, block: SampledBlock, lines: Lines, domain: Bounds) -> GridBlock:
        """A block on the grid; at a face of the domain, with the lines beyond it."""
        found = []
        for axis, line in enumerate(lines):
            first, last = (float(end[axis]) for end in block.bounds)
            near = 1e-6 * (last - first)
            inside = _between(line, first, last)
            if self.invalid_value is not None:
                if first <= domain[0][axis] + near:
                    inside = np.concatenate([line[line < first - near], inside])
                if last >= domain[1][axis] - near:
                    inside = np.concatenate([inside, line[line > last + near]])
            found.append(inside)
        return GridBlock(block.name, block, (found[0], found[1], found[2]), self.invalid_value)


def _triple(values: Iterable[float]) -> Vector:
    """The three values as floats."""
    x, y, z = (float(value) for value in values)
    return x, y, z


def _between(line: Floats, first: float, last: float) -> Floats:
    """The lines in a block, and its faces; none closer to a face than a millionth of its size."""
    near = 1e-6 * (last - first)
    inside = line[(line > first + near) & (line < last - near)]
    return np.concatenate([[first], inside, [last]])
