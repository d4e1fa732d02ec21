"""Exact reductions over the owned, valid samples of all ranks.

In: a field expression on each rank's blocks. Out: extrema with their positions, sums, counts,
histograms; bit for bit the same for any number of ranks and any decomposition of the domain.

Extrema, sums, averages and histograms are over finite samples; NaN and infinities are counted
separately. A vertex on a face between two blocks counts once. Sums are rounded once, at the end.
"""

from __future__ import annotations

import atexit
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from insitu.queries import binnings, lineouts
from insitu.queries.block_view import BlockView
from insitu.queries.exact import N_LIMBS, fixed_sum, from_limbs, rounded, to_limbs
from insitu.queries.fields import Field
from insitu.queries.histograms import counted
from insitu.queries.scalars import Binned, Lined, Reduction, Scalar
from insitu.queries.values import NOWHERE, BinAxis, Binning, Extremum, Histogram, Value

_COUNTS = 3  # finite, NaN, infinite


@dataclass(frozen=True)
class Work:
    """All reductions of one field expression, done in one pass over the data."""

    argument: Field
    reductions: tuple[Reduction, ...]

    def asks(self, *operations: str) -> bool:
        return any(r.operation in operations for r in self.reductions)

    @property
    def histograms(self) -> tuple[Reduction, ...]:
        return tuple(r for r in self.reductions if r.operation == "histogram")

    @property
    def binned(self) -> tuple[Binned, ...]:
        return tuple(r for r in self.reductions if isinstance(r, Binned))

    @property
    def lined(self) -> tuple[Lined, ...]:
        return tuple(r for r in self.reductions if isinstance(r, Lined))

    @property
    def n_integers(self) -> int:
        """Length of `Partial.integers`."""
        return _COUNTS + N_LIMBS + sum(r.num_bins for r in self.histograms)


@dataclass
class Partial:
    """Partial result over some of the samples. Two partial results can be added."""

    work: Work
    extrema: NDArray[np.float64] = field(default_factory=lambda: np.full((2, 4), np.inf))
    """The minimum and its z, y, x; the negated maximum and its z, y, x. Infinite without samples or
    if not requested."""
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_COUNTS, np.int64))
    total: int = 0
    """The sum, in units of 2^-1074."""
    histograms: list[NDArray[np.int64]] = field(default_factory=list)
    bins: list[NDArray[np.float64]] = field(default_factory=list)
    """Of binnings, as `binnings.empty` has them."""
    lines: list[NDArray[np.float64]] = field(default_factory=list)
    """Of lineouts, as `lineouts.empty` has them."""

    def __post_init__(self) -> None:
        if not self.bins:
            self.bins = [binnings.empty(r.how, r.num_bins) for r in self.work.binned]
        if not self.lines:
            self.lines = [lineouts.empty(r.samples) for r in self.work.lined]
        if not self.histograms:
            self.histograms = [np.zeros(r.num_bins, np.int64) for r in self.work.histograms]

    def add(self, other: Partial) -> None:
        _smaller(self.extrema, other.extrema)
        self.counts = self.counts + other.counts
        self.total += other.total
        self.histograms = [a + b for a, b in zip(self.histograms, other.histograms, strict=True)]
        self.bins = [
            binnings.added(r.how, a, b)
            for r, a, b in zip(self.work.binned, self.bins, other.bins, strict=True)
        ]
        self.lines = [a + b for a, b in zip(self.lines, other.lines, strict=True)]

    def add_block(
        self, block: BlockView, upper: NDArray[np.float64], parameters: Mapping[Scalar, Any]
    ) -> None:
        """Add the samples of a block. `upper` (3,): upper corner of the domain, x, y, z;
        `parameters`: the numbers in the expression, and the ranges of histograms."""
        for i, line in enumerate(self.work.lined):
            start, end = (parameters[end] for end in line.ends)
            found = lineouts.of_block(block.first, line.samples, start, end, upper)
            self.lines[i] = self.lines[i] + found
        if self.work.lined:
            return
        counted_here = block.unshared(upper)
        for start, region in block.slabs(counted_here, parameters):
            components = self.work.argument.values(region)
            if self.work.binned:
                self._add_bins(components, parameters)
                continue
            if len(components) != 1:
                names = ", ".join(f"'{s.name}'" for s in self.work.argument.samples)
                raise ValueError(f"{names}: {len(components)} components; reduce one of them")
            values = np.broadcast_to(components[0], region.shape)
            self._add_slab(values, start, block, parameters)

    def _add_slab(
        self,
        values: NDArray[Any],
        start: int,
        block: BlockView,
        parameters: Mapping[Scalar, Any],
    ) -> None:
        finite = np.isfinite(values)
        count = int(np.count_nonzero(finite))
        whole = count == values.size
        nan_count = 0 if whole else int(np.count_nonzero(np.isnan(values)))
        self.counts += (count, nan_count, values.size - count - nan_count)
        if count == 0:
            return
        for row, operation, sign, find, neutral in (
            (0, "min", 1.0, np.argmin, np.inf),
            (1, "max", -1.0, np.argmax, -np.inf),
        ):
            if not self.work.asks(operation):
                continue
            candidates = values if whole else np.where(finite, values, neutral)
            z, y, x = np.unravel_index(int(find(candidates)), values.shape)
            value = sign * float(values[z, y, x])
            if value > self.extrema[row, 0]:
                continue  # its position does not matter
            place = block.place(start + int(z), int(y), int(x))
            _smaller(self.extrema[row : row + 1], np.array([[value, *place]]))
        numbers = values if whole else values[finite]
        if self.work.asks("sum", "avg"):
            self.total += fixed_sum(numbers)
        for i, histogram in enumerate(self.work.histograms):
            low, high = (parameters[end] for end in histogram.ends)
            if not math.isnan(low + high):
                self.histograms[i] = self.histograms[i] + counted(
                    numbers, histogram.num_bins, low, high
                )

    def _add_bins(
        self, components: Sequence[NDArray[Any]], parameters: Mapping[Scalar, Any]
    ) -> None:
        """Components: the reduced variable, and those of the axes."""
        for i, r in enumerate(self.work.binned):
            home = binnings.homes(components[1:], axes_of(r, parameters))
            found = binnings.of_samples(r.how, components[0], home, r.num_bins)
            self.bins[i] = binnings.added(r.how, self.bins[i], found)

    @property
    def integers(self) -> NDArray[np.int64]:
        """All additive results as integers, (work.n_integers,)."""
        return np.concatenate([self.counts, to_limbs(self.total), *self.histograms])


def axes_of(reduction: Binned, parameters: Mapping[Scalar, Any]) -> list[BinAxis]:
    """The axes with their ends at this step; an axis whose ends are no range has no samples."""
    found = []
    for axis in reduction.axes:
        if axis.edges:
            found.append(BinAxis(axis.name, axis.edges, clamp=axis.clamp))
            continue
        low, high = (float(parameters[end]) for end in axis.ends)
        proper = low < high
        if not proper:
            low, high = math.nan, math.nan
        found.append(binnings.uniform(axis.name, axis.num_bins, low, high, axis.clamp and proper))
    return found


def reduce(
    comm: MPI.Comm, partials: Sequence[Partial], parameters: Mapping[Scalar, Any]
) -> dict[Reduction, Value] | None:
    """Combine all ranks' partial results on rank 0; None elsewhere. Collective: two reductions, and
    one for each binning and lineout.

    partials: of the same works on all ranks.
    """
    if not partials:
        return {}
    extrema = np.concatenate([p.extrema for p in partials])  # (2 * works, 4)
    integers = np.concatenate([p.integers for p in partials])
    all_extrema, all_integers = np.empty_like(extrema), np.empty_like(integers)
    operation, record = _least()
    comm.Reduce([extrema, len(extrema), record], [all_extrema, len(extrema), record], operation, 0)
    comm.Reduce(integers, all_integers, MPI.SUM, root=0)
    for partial in partials:
        for i, r in enumerate(partial.work.binned):
            least = r.how in ("min", "max")
            partial.bins[i] = _reduced(comm, partial.bins[i], MPI.MIN if least else MPI.SUM)
        partial.lines = [_reduced(comm, line, MPI.SUM) for line in partial.lines]
    if comm.rank:
        return None
    found: dict[Reduction, Value] = {}
    place = 0
    for i, partial in enumerate(partials):
        work = partial.work
        theirs = all_integers[place : place + work.n_integers]
        place += work.n_integers
        found.update(_values(work, all_extrema[2 * i : 2 * i + 2], theirs, parameters))
        for r, bins in zip(work.binned, partial.bins, strict=True):
            values = binnings.result(r.how, bins, r.empty)
            found[r] = Binning(values, r.reduced, r.how, tuple(axes_of(r, parameters)))
        for line, samples in zip(work.lined, partial.lines, strict=True):
            found[line] = lineouts.result(samples, line.empty)
    return found


def _reduced(comm: MPI.Comm, mine: NDArray[np.float64], operation: MPI.Op) -> NDArray[np.float64]:
    """Of all ranks, on rank 0. Collective."""
    everyone = np.empty_like(mine)
    comm.Reduce(mine, everyone, operation, root=0)
    return everyone


def _values(
    work: Work,
    extrema: NDArray[np.float64],
    integers: NDArray[np.int64],
    parameters: Mapping[Scalar, Any],
) -> dict[Reduction, Value]:
    """The values of the reductions of one expression."""
    count, nan_count, inf_count = (int(n) for n in integers[:_COUNTS])
    total = from_limbs(integers[_COUNTS : _COUNTS + N_LIMBS])
    values: dict[str, Value] = {
        "min": _extremum(extrema[0], 1.0),
        "max": _extremum(extrema[1], -1.0),
        "sum": rounded(total),
        "avg": rounded(total, count) if count else math.nan,
        "count": float(count),
        "nan_count": float(nan_count),
        "inf_count": float(inf_count),
    }
    found: dict[Reduction, Value] = {}
    place = _COUNTS + N_LIMBS
    for reduction in work.reductions:
        if reduction.operation in ("binning", "lineout"):
            continue
        if reduction.operation != "histogram":
            found[reduction] = values[reduction.operation]
            continue
        bins = tuple(float(n) for n in integers[place : place + reduction.num_bins])
        place += reduction.num_bins
        low, high = (parameters[end] for end in reduction.ends)
        found[reduction] = Histogram(bins, low, high)
    return found


def _extremum(record: NDArray[np.float64], sign: float) -> Extremum:
    value, z, y, x = (float(n) for n in record)
    return (
        Extremum(sign * value, (x, y, z)) if math.isfinite(value) else Extremum(math.nan, NOWHERE)
    )


def _smaller(mine: NDArray[np.float64], other: NDArray[np.float64]) -> None:
    """Replace rows (n, 4) of `mine` by those of `other` that come before them."""
    for row, candidate in zip(mine, other, strict=True):
        if tuple(candidate) < tuple(row):
            row[:] = candidate


@functools.cache
def _least() -> tuple[MPI.Op, MPI.Datatype]:
    """The MPI operation on extrema (4,), and the datatype of one."""

    def combine(lower: Any, upper: Any, _: MPI.Datatype) -> None:
        theirs = np.frombuffer(lower, dtype=np.float64).reshape(-1, 4)
        _smaller(np.frombuffer(upper, dtype=np.float64).reshape(-1, 4), theirs)

    operation = MPI.Op.Create(combine, commute=True)
    record = MPI.DOUBLE.Create_contiguous(4).Commit()

    def free() -> None:
        if not MPI.Is_finalized():  # a program may finalize MPI before it exits
            operation.Free()
            record.Free()

    atexit.register(free)  # before MPI_Finalize; some MPIs complain otherwise
    return operation, record
