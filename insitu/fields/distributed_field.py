"""One field of one time step over all ranks: each rank has its own blocks and a global summary.

In: this rank's compressed blocks. Out: global bounds, range, quality; the local blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats
from insitu.fields.block_field import BlockField
from insitu.fields.fidelity import Fidelity
from insitu.fields.metrics import FieldMetrics

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True)
class Choice:
    """Blocks for which `model: auto` chose a kind of model at this step."""

    kind: str
    n_blocks: int
    nbytes: int
    other_nbytes: int
    """Bytes that the other kind takes, about; measured or estimated when they were compared."""


@dataclass(frozen=True)
class Summary:
    """Global properties of a distributed field, known on every rank."""

    name: str
    cycle: int
    time: float
    bounds: tuple[Floats, Floats]
    """Lower and upper corner of the whole domain, each (3,) x, y, z."""
    range: Floats
    """(n_components, 2): minimum and maximum over all owned, finite samples."""
    metrics: FieldMetrics
    nbytes: int
    """Compressed bytes on all ranks."""
    n_blocks: int
    choices: tuple[Choice, ...] = ()
    """What `model: auto` chose, one entry for each kind; empty with a given model."""
    fidelity: Fidelity | None = None
    """Errors between samples and of gradients, where these were measured."""

    @property
    def extents(self) -> Floats:
        """(n_components,): max - min."""
        return np.asarray(self.range[:, 1] - self.range[:, 0])

    @property
    def psnr_db(self) -> float:
        """PSNR of the whole field in dB, relative to its global range."""
        return self.metrics.psnr_db(self.extents.tolist())

    @property
    def ratio(self) -> float:
        """Compression ratio: raw bytes over compressed bytes."""
        return self.metrics.raw_nbytes / self.nbytes


@dataclass(frozen=True)
class DistributedField:
    """The blocks of this rank (none, one or several), and the global summary."""

    fields: tuple[BlockField, ...]
    summary: Summary

    @staticmethod
    def gather(
        comm: MPI.Comm,
        fields: Sequence[BlockField],
        choices: Sequence[Choice] = (),
        fidelity: Fidelity | None = None,
    ) -> DistributedField | None:
        """Combine every rank's blocks of one field. Collective: one small reduction.

        choices: of the models of this rank's blocks. fidelity: of these blocks. Returns None where
        no rank has a block.
        """
        own = _summarise(fields)
        if own is not None:
            own = replace(own, choices=_join_choices(choices), fidelity=fidelity)
        summary = comm.allreduce(own, op=_merge)
        return None if summary is None else DistributedField(tuple(fields), summary)

    @staticmethod
    def join(fields: Sequence[BlockField]) -> DistributedField:
        """Combine blocks that are all on this rank. ValueError without any. Not collective."""
        summary = _summarise(fields)
        if summary is None:
            raise ValueError("fields: expected at least one block")
        return DistributedField(tuple(fields), summary)


def _summarise(fields: Sequence[BlockField]) -> Summary | None:
    if not fields:
        return None
    lows, highs = zip(*(f.bounds for f in fields), strict=True)
    return Summary(
        name=fields[0].name,
        cycle=fields[0].cycle,
        time=fields[0].time,
        bounds=(np.min(lows, axis=0), np.max(highs, axis=0)),
        range=_join_ranges([f.range for f in fields]),
        metrics=FieldMetrics.total(f.metrics for f in fields),
        nbytes=sum(f.nbytes for f in fields),
        n_blocks=len(fields),
    )


def _merge(a: Summary | None, b: Summary | None) -> Summary | None:
    if a is None or b is None:
        return a or b
    return Summary(
        name=a.name,
        cycle=a.cycle,
        time=a.time,
        bounds=(
            np.minimum(a.bounds[0], b.bounds[0]),
            np.maximum(a.bounds[1], b.bounds[1]),
        ),
        range=_join_ranges([a.range, b.range]),
        metrics=FieldMetrics.total([a.metrics, b.metrics]),
        nbytes=a.nbytes + b.nbytes,
        n_blocks=a.n_blocks + b.n_blocks,
        choices=_join_choices([*a.choices, *b.choices]),
        fidelity=a.fidelity + b.fidelity if a.fidelity and b.fidelity else a.fidelity or b.fidelity,
    )


def _join_choices(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """One entry for each kind, in the order of their names."""
    kinds = sorted({choice.kind for choice in choices})
    same = [[choice for choice in choices if choice.kind == kind] for kind in kinds]
    return tuple(
        Choice(
            of_kind[0].kind,
            sum(choice.n_blocks for choice in of_kind),
            sum(choice.nbytes for choice in of_kind),
            sum(choice.other_nbytes for choice in of_kind),
        )
        for of_kind in same
    )


def _join_ranges(ranges: Sequence[Floats]) -> Floats:
    """Union of (n_components, 2) ranges; a block without finite values has the range NaN."""
    stacked = np.stack(ranges)
    return np.stack([np.fmin.reduce(stacked[..., 0]), np.fmax.reduce(stacked[..., 1])], axis=1)
