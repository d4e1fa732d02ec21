"""Exact statistics of the present step's raw data, over all ranks.

In: each rank's partitions of a field.
Out: FieldStatistics, the same on every rank: extrema with their places, sum, counts.
"""

from __future__ import annotations

import atexit
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI

from insitu.parallel import together

if TYPE_CHECKING:
    from insitu.mesh.partition import Partition

AXES = ("x", "y", "z")
_CHUNK = 1 << 18  # samples looked at together: 2 MiB of temporaries in float64

# A record, the layout of what is reduced: minimum and its z, y, x; minus the maximum and its
# z, y, x; sum; and the numbers of finite, NaN and infinite samples.
_MINIMUM, _MAXIMUM, _SUMS, _RECORD = slice(0, 4), slice(4, 8), slice(8, 12), 12


@dataclass(frozen=True, order=True)
class FieldReference:
    """A scalar that an expression reads: a field, or one component ("x", "y", "z") of it."""

    name: str
    component: str = ""

    def __str__(self) -> str:
        return f"field('{self.name}', '{self.component}')" if self.component else self.name


@dataclass(frozen=True)
class Extremum:
    """A least or greatest value, and where it is, in world coordinates x, y, z.

    Where several places have the same value it is the one with the least z, then y, then x. An
    element's place is its centre.
    """

    value: float
    position: tuple[float, float, float]


@dataclass(frozen=True)
class FieldStatistics:
    """Statistics of a scalar over the owned samples of all ranks; NaN and Inf only counted.

    Every sample counts once: a vertex on a face between two blocks belongs to the upper block.
    Without any finite sample extrema and average are NaN.
    """

    min: Extremum
    max: Extremum
    sum: float
    count: int
    """Finite samples."""
    nan_count: int
    inf_count: int

    @property
    def avg(self) -> float:
        """Mean of the finite samples, each with the same weight whatever its cell's size."""
        return self.sum / self.count if self.count else math.nan


def field_statistics(
    comm: MPI.Comm, partitions: Mapping[FieldReference, Sequence[Partition]]
) -> dict[FieldReference, FieldStatistics]:
    """Reduce scalars over all ranks, the same result on every rank. Collective.

    One pass over the data, no copy of it beyond 2 MiB, and for all scalars together an allreduce
    of their bounds, a reduce and a broadcast of 96 bytes for each.

    Args:
        partitions: for each scalar this rank's blocks of its field, maybe none; the same scalars
            on every rank. The blocks of all ranks fill a box.

    Raises: RemoteError on every rank, if a field has several components and none was named or
        has not the one named.
    """
    names = sorted(partitions)
    if not names:
        return {}
    upper = _upper_bounds(comm, [partitions[name] for name in names])
    records = np.empty((len(names), _RECORD))
    with together(comm, "statistics"):
        for row, name in enumerate(names):
            records[row] = _no_samples()
            for partition in partitions[name]:
                _combine_into(records[row], _record(partition, name, upper[row]))
    total = np.empty_like(records)
    operation, record_type = _reduction()
    comm.Reduce([records, len(names), record_type], [total, len(names), record_type], operation, 0)
    comm.Bcast(total, root=0)
    return {name: _from_record(record) for name, record in zip(names, total, strict=True)}


def _upper_bounds(comm: MPI.Comm, partitions: Sequence[Sequence[Partition]]) -> np.ndarray:
    """The upper corners x, y, z of what each scalar covers on all ranks: (n_scalars, 3)."""
    mine = np.full((len(partitions), 3), -np.inf)
    for row, blocks in enumerate(partitions):
        for block in blocks:
            mine[row] = np.maximum(mine[row], [axis[-1] for axis in block.nodes])
    upper = np.empty_like(mine)
    comm.Allreduce(mine, upper, op=MPI.MAX)
    return upper


def _record(partition: Partition, name: FieldReference, upper: np.ndarray) -> np.ndarray:
    """The record (12,) of one block."""
    values = partition.owned[_component(partition, name)]  # (nz, ny, nx)
    coordinates = _coordinates(partition)
    if partition.association == "vertex":
        values = values[_not_shared(partition, upper)]
    record = _no_samples()
    for start, chunk in _chunks(values):
        _combine_into(record, _chunk_record(chunk, start, coordinates))
    return record


def _component(partition: Partition, name: FieldReference) -> int:
    """The index of the component that `name` asks for."""
    held = AXES[: partition.n_components]
    if not name.component and partition.n_components == 1:
        return 0
    if name.component in held and partition.n_components > 1:
        return held.index(name.component)
    if partition.n_components == 1:
        raise ValueError(f"field '{name.name}' has no components, but {name} asks for one")
    raise ValueError(
        f"field '{name.name}' is a vector: take one of its components {', '.join(held)}, "
        f"as in field('{name.name}', 'x')"
    )


def _not_shared(partition: Partition, upper: np.ndarray) -> tuple[slice, slice, slice]:
    """What to take of the vertices z, y, x: not the upper face, unless it ends the domain."""
    ends = [
        nodes[-1] >= upper[axis] - 0.5 * (nodes[-1] - nodes[-2])
        for axis, nodes in enumerate(partition.nodes)
    ]
    z, y, x = (slice(None) if end else slice(None, -1) for end in reversed(ends))
    return z, y, x


def _coordinates(partition: Partition) -> list[np.ndarray]:
    """World coordinates of the owned samples along z, y, x."""
    nodes = partition.nodes[::-1]
    if partition.association == "vertex":
        return list(nodes)
    return [0.5 * (axis[:-1] + axis[1:]) for axis in nodes]


def _chunks(values: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Slabs of `values` (nz, ny, nx) of about _CHUNK samples, each with its first z index."""
    if values.size == 0:
        return
    planes = max(1, _CHUNK * values.shape[0] // values.size)
    for start in range(0, values.shape[0], planes):
        yield start, values[start : start + planes]


def _chunk_record(chunk: np.ndarray, start: int, coordinates: list[np.ndarray]) -> np.ndarray:
    """The record (12,) of a slab (n, ny, nx) whose first plane has the z index `start`."""
    record = _no_samples()
    finite = np.isfinite(chunk)
    count = int(np.count_nonzero(finite))
    nan_count = 0 if count == chunk.size else int(np.count_nonzero(np.isnan(chunk)))
    total = chunk.sum(dtype=np.float64, where=finite) if count else 0.0
    record[_SUMS] = total, count, nan_count, chunk.size - count - nan_count
    if count == 0:
        return record
    for part, sign, find, neutral in (
        (_MINIMUM, 1.0, np.argmin, np.inf),
        (_MAXIMUM, -1.0, np.argmax, -np.inf),
    ):
        candidates = chunk if count == chunk.size else np.where(finite, chunk, neutral)
        z, y, x = np.unravel_index(int(find(candidates)), chunk.shape)
        place = coordinates[0][start + z], coordinates[1][y], coordinates[2][x]
        record[part] = (sign * float(chunk[z, y, x]), *place)
    return record


def _no_samples() -> np.ndarray:
    record = np.zeros(_RECORD)
    record[_MINIMUM] = record[_MAXIMUM] = np.inf
    return record


def _combine_into(record: np.ndarray, other: np.ndarray) -> None:
    """Add the samples of `other` to `record`, both (12,)."""
    for part in (_MINIMUM, _MAXIMUM):
        if tuple(other[part]) < tuple(record[part]):
            record[part] = other[part]
    record[_SUMS] += other[_SUMS]


def _from_record(record: np.ndarray) -> FieldStatistics:
    count = int(record[_SUMS][1])
    if count == 0:
        record = np.where(np.isinf(record), np.nan, record)
    least, greatest = record[_MINIMUM], record[_MAXIMUM]
    total, _, nan_count, inf_count = record[_SUMS]
    return FieldStatistics(
        min=Extremum(float(least[0]), _place(least)),
        max=Extremum(-float(greatest[0]), _place(greatest)),
        sum=float(total),
        count=count,
        nan_count=int(nan_count),
        inf_count=int(inf_count),
    )


def _place(extremum: np.ndarray) -> tuple[float, float, float]:
    _, z, y, x = extremum
    return float(x), float(y), float(z)


@functools.cache
def _reduction() -> tuple[MPI.Op, MPI.Datatype]:
    """The MPI operation on records, and the datatype of one."""

    def combine(lower: Any, upper: Any, _: MPI.Datatype) -> None:
        mine = np.frombuffer(lower, dtype=np.float64).reshape(-1, _RECORD)
        result = np.frombuffer(upper, dtype=np.float64).reshape(-1, _RECORD)
        for record, other in zip(result, mine, strict=True):
            _combine_into(record, other)

    # Not commutative, so that the sums are added in the order of the ranks every time.
    operation = MPI.Op.Create(combine, commute=False)
    record = MPI.DOUBLE.Create_contiguous(_RECORD).Commit()
    atexit.register(operation.Free)  # before MPI ends, which some MPIs complain of otherwise
    atexit.register(record.Free)
    return operation, record
