"""Numbers read off a step: values at points, along a line, on a uniform grid.

In: each rank's blocks, and points that all ranks know. Out: values on rank 0 or on every rank, and
as CSV or NPZ.

Every rank evaluates the points that its blocks have, then the values are added up: the cost is one
reduction of as many numbers as there are values.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from insitu.extract.decomposition import (
    Decomposition,
    Fields,
    Partition,
    evaluate,
    evaluate_grid,
    partitions,
)
from insitu.parallel import together

if TYPE_CHECKING:
    from mpi4py import MPI

Floats = NDArray[np.floating[Any]]

_GRID_POINTS = 2**16  # of a grid, reduced at once


@dataclass(frozen=True)
class Samples:
    """Values of fields at points. Immutable."""

    points: Floats
    """(n, 3), world x y z."""
    values: Mapping[str, Floats]
    """By field, (n,) or (n, n_components), float64; NaN outside of the domain."""

    @property
    def distance(self) -> Floats:
        """(n,): length along the points from the first of them, for plots over a line."""
        steps = np.linalg.norm(np.diff(self.points, axis=0), axis=1)
        return np.concatenate([np.zeros(min(len(self.points), 1)), np.cumsum(steps)])

    def write_csv(self, path: str | os.PathLike[str]) -> Path:
        """One row per point: x, y, z, then a column per field, or per component `name:0`, ...

        Numbers read back as the same float64. Missing folders are made. Not collective.
        """
        names = ["x", "y", "z"]
        columns = [self.points]
        for name, values in self.values.items():
            names += [name] if values.ndim == 1 else [f"{name}:{c}" for c in range(values.shape[1])]
            columns.append(values.reshape(len(values), -1))

        def write(file: IO[bytes]) -> None:
            import io

            with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
                rows = csv.writer(text)
                rows.writerow(names)
                rows.writerows(np.concatenate(columns, axis=1).tolist())

        return _write(path, write)

    def write_npz(self, path: str | os.PathLike[str]) -> Path:
        """Arrays `points` and one per field. Missing folders are made. Not collective.

        Raises ValueError for a field that is named as NumPy's own arguments are, or "points".
        """
        for name in ("points", "file", "allow_pickle"):
            if name in self.values:
                raise ValueError(f"values: a field named '{name}' cannot be written as NPZ")
        arrays: dict[str, Any] = {"points": self.points, **self.values}
        return _write(path, lambda file: np.savez(file, **arrays))


def sample_points(
    comm: MPI.Comm, fields: Fields, points: ArrayLike, *, everywhere: bool = False
) -> Samples | None:
    """Values at world points (n, 3), the same on every rank. Collective.

    On rank 0, None elsewhere; or on every rank. A point on a face between blocks is evaluated by
    one of them, the same for any number of ranks.

    Raises RemoteError on every rank if one fails; ValueError if no rank has a block.
    """
    decomposition = Decomposition.gather(comm, fields)
    with together(comm, "samples at points"):
        at = np.atleast_2d(np.asarray(points, np.float64))
        if at.ndim != 2 or at.shape[1] != 3:
            raise ValueError(f"points: shape {at.shape}, expected (n, 3)")
        width = sum(decomposition.components.values())
        table = np.zeros((len(at), width + 1))
        for index, part in zip(decomposition.mine, partitions(fields), strict=True):
            held = decomposition.holds(index, at)
            inner = at[held]
            values = [evaluate(block, inner) for block in part.values()]
            table[held] = np.concatenate([*values, np.ones((len(inner), 1))], axis=1)
    total = _added(comm, table, everywhere)
    if total is None:
        return None
    return Samples(at, _by_field(decomposition.components, total))


def lineout(
    comm: MPI.Comm,
    fields: Fields,
    start: ArrayLike,
    end: ArrayLike,
    n_samples: int,
    *,
    everywhere: bool = False,
) -> Samples | None:
    """Values at n_samples points, at least 2, from start to end, evenly, both ends included.
    Collective; where and when as `sample_points`."""
    with together(comm, "lineout"):
        if n_samples < 2:
            raise ValueError(f"n_samples: {n_samples}, expected at least 2")
        t = np.linspace(0, 1, n_samples)[:, None]
        ends = [np.asarray(p, np.float64).reshape(3) for p in (start, end)]
        points = (1 - t) * ends[0] + t * ends[1]
    return sample_points(comm, fields, points, everywhere=everywhere)


def uniform_grid(
    comm: MPI.Comm,
    fields: Fields,
    dims: Sequence[int],
    *,
    origin: ArrayLike | None = None,
    spacing: ArrayLike | None = None,
) -> Mapping[str, Floats] | None:
    """Values on a uniform grid of points, Ascent's `uniform_grid`: by field (nz, ny, nx) or
    (nz, ny, nx, n_components) float64 on rank 0, None elsewhere. Collective.

    dims: points along x, y, z. origin: the first point, by default the domain's lowest corner.
    spacing: between points along x, y, z, by default such that the last is the highest corner.
    NaN outside of the domain. Reduced slab by slab: besides the result on rank 0, a rank holds
    2^16 points, or a layer.

    Raises RemoteError on every rank if one fails; ValueError if no rank has a block.
    """
    decomposition = Decomposition.gather(comm, fields)
    with together(comm, "uniform grid"):
        lines = _lines(decomposition, dims, origin, spacing)
        x, y, z = lines
        parts = partitions(fields)
        width = sum(decomposition.components.values())
        grid = np.full((len(z), len(y), len(x), width), np.nan) if comm.rank == 0 else None
    layers = max(1, _GRID_POINTS // (len(x) * len(y)))
    for k in range(0, len(z), layers):
        with together(comm, "uniform grid"):
            slab = np.zeros((len(z[k : k + layers]), len(y), len(x), width + 1))
            for index, part in zip(decomposition.mine, parts, strict=True):
                _fill(slab, decomposition, index, part, (x, y, z[k : k + layers]))
        total = _added(comm, slab, False)
        if grid is not None and total is not None:
            grid[k : k + layers] = total[..., :-1]
    return None if grid is None else _by_field(decomposition.components, grid)


def _lines(
    decomposition: Decomposition,
    dims: Sequence[int],
    origin: ArrayLike | None,
    spacing: ArrayLike | None,
) -> list[Floats]:
    low, high = decomposition.bounds
    if len(dims) != 3 or min(dims) < 1:
        raise ValueError(f"dims: {list(dims)}, expected points along x, y, z, at least 1 each")
    first = low if origin is None else np.asarray(origin, np.float64).reshape(3)
    if spacing is None:
        apart = (high - first) / np.maximum(np.array(dims) - 1, 1)
    else:
        apart = np.asarray(spacing, np.float64).reshape(3)
    if not (apart > 0).all():
        raise ValueError(f"spacing: {apart.tolist()}, expected positive lengths")
    # The last point must not leave the domain by rounding.
    return [
        np.where(np.abs(at - end) < 1e-12 * abs(end - start), end, at)
        for n, f, d, start, end in zip(dims, first, apart, low, high, strict=True)
        for at in [f + d * np.arange(n)]
    ]


def _fill(
    slab: Floats,
    decomposition: Decomposition,
    index: int,
    part: Partition,
    lines: tuple[Floats, Floats, Floats],
) -> None:
    """Values and a one for every point of a part of a grid that the block has."""
    low, high = decomposition.boxes[index]
    inside = [
        np.flatnonzero((at >= a) & (at <= b)) for at, a, b in zip(lines, low, high, strict=True)
    ]
    if min(map(len, inside)) == 0:
        return
    x, y, z = (at[i] for at, i in zip(lines, inside, strict=True))
    points = np.stack(np.meshgrid(z, y, x, indexing="ij")[::-1], axis=-1)
    held = decomposition.holds(index, points.reshape(-1, 3)).reshape(points.shape[:3])
    values = [evaluate_grid(block, (x, y, z)) for block in part.values()]
    found = np.concatenate([*values, np.ones((*held.shape, 1))], axis=-1)
    place = np.ix_(*inside[::-1])
    slab[place] = np.where(held[..., None], found, slab[place])


def _added(comm: MPI.Comm, table: Floats, everywhere: bool) -> Floats | None:
    """The sum over ranks, and NaN where the last column, how many blocks had it, is 0. A value has
    one summand that is not 0, so no order of adding changes it."""
    total = np.empty_like(table) if everywhere or comm.rank == 0 else None
    if everywhere:
        comm.Allreduce(table, total)
    else:
        comm.Reduce(table, total, root=0)
    if total is not None:
        total[total[..., -1] == 0] = np.nan
    return total


def _by_field(components: Mapping[str, int], table: Floats) -> dict[str, Floats]:
    """The columns of each field; further columns are left out."""
    edges = np.cumsum([0, *components.values()])
    return {
        name: np.ascontiguousarray(table[..., a] if b == a + 1 else table[..., a:b])
        for name, a, b in zip(components, edges[:-1], edges[1:], strict=True)
    }


def _write(path: str | os.PathLike[str], write: Callable[[IO[bytes]], None]) -> Path:
    """A file that is whole or not there."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(aside, "wb") as file:
            write(file)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    return path
