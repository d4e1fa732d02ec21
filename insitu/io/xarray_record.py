"""Records as xarray datasets: variables, coordinates and chunks.

In: an open record. Out: a dataset that decodes nothing before it is sliced.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import xarray as xr
from xarray.core import indexing

from insitu.core.arrays import Array
from insitu.io.xarray_lazy import FieldOverTime
from insitu.store.block_grid import BlockGrid, GridError
from insitu.store.record import Record, Series
from insitu.store.stored_block import StoredBlock


def of_record(record: Record, dropped: Collection[str]) -> xr.Dataset:
    """The fields of a record but those that are dropped. Raises GridError as the engine does."""
    names = [name for name in record.fields if name not in dropped and len(record[name])]
    times = {
        step["cycle"]: np.nan if step["time"] is None else step["time"]
        for name in names
        for step in record.steps[name]
    }
    cycles = sorted(times)
    grids = {name: record[name].sel(step=0).grid for name in names}
    kinds = {grid.association for grid in grids.values()}
    vectors = {grid.n_components for grid in grids.values()} - {1}
    found: dict[str, dict[int, BlockGrid]] = {}  # by association and cycle
    variables: dict[str, xr.Variable] = {}
    for name, grid in grids.items():
        here = _grids(record[name], grid)
        there = found.setdefault(grid.association, {})
        if any(not there.setdefault(c, g).same_as(g) for c, g in here.items()):
            raise GridError(f"{record.path}: {name} has a grid of its own; use drop_variables")
        suffix = "_node" if grid.association == "vertex" and len(kinds) > 1 else ""
        axes = "zyx"[3 - grid.dimension :]
        dims = ("time", *(axis + suffix for axis in axes))
        chunks: dict[str, Any] = {"time": 1}
        pieces = chunks_of(grid.cuts, grid.shape)[3 - grid.dimension :]
        chunks |= dict(zip(dims[1:], pieces, strict=True))
        if grid.n_components > 1:
            component = "component" if len(vectors) == 1 else f"component_{grid.n_components}"
            dims += (component,)
            chunks[component] = grid.n_components
            if grid.n_components <= 3:
                labels = list("xyz"[: grid.n_components])
                variables[component] = xr.Variable(component, labels)
        data = indexing.LazilyIndexedArray(FieldOverTime(record[name], grid, cycles))
        attributes = {"units": record[name].unit} if record[name].unit else {}
        attributes["association"] = grid.association
        variables[name] = xr.Variable(dims, data, attributes)
        variables[name].encoding["preferred_chunks"] = chunks
    coordinates: dict[str, Any] = {}
    for association, there in found.items():
        suffix = "_node" if association == "vertex" and len(kinds) > 1 else ""
        flat = next(iter(there.values())).dimension == 2
        for number, axis in enumerate("xy" if flat else "xyz"):
            lines = {cycle: grid.coordinates[number] for cycle, grid in there.items()}
            coordinates |= _axis(axis + suffix, lines, cycles, _units(record, "length"))
    coordinates["time"] = ("time", [times[c] for c in cycles], _units(record, "time"))
    coordinates["cycle"] = ("time", cycles, {})
    return xr.Dataset(variables, attrs={"n_ranks": record.n_ranks}).assign_coords(coordinates)


def _grids(series: Series, first: BlockGrid) -> dict[int, BlockGrid]:
    """The grid at each cycle; the first one's object as long as it does not move."""
    found: dict[int, BlockGrid] = {}
    for step, cycle in enumerate(series.cycles.tolist()):
        blocks = series.record.blocks(series.name, step)
        grid = first if _same_lines(blocks, first.blocks) else BlockGrid(blocks)
        if grid.shape != first.shape:
            raise GridError(
                f"{series.record.path}: {series.name} has {grid.shape} samples at cycle {cycle}, "
                f"and {first.shape} at the first; insitu.open_record reads them step by step"
            )
        found[cycle] = grid
    return found


def _same_lines(a: Sequence[StoredBlock], b: Sequence[StoredBlock]) -> bool:
    """Whether blocks have the same grid lines, one by one."""
    return len(a) == len(b) and all(
        np.array_equal(one, other)
        for mine, theirs in zip(a, b, strict=True)
        for one, other in zip(mine.nodes, theirs.nodes, strict=True)
    )


def _axis(
    name: str, lines: dict[int, Array], cycles: Sequence[int], attributes: dict[str, str]
) -> dict[str, Any]:
    """The coordinate of an axis, given its values by cycle; of a moving one, (time, axis)."""
    first = next(iter(lines.values()))
    if all(line is first or np.array_equal(line, first) for line in lines.values()):
        return {name: (name, first, attributes)}
    empty = np.full(first.shape, np.nan)
    values = np.stack([lines.get(cycle, empty) for cycle in cycles])
    return {f"{name}_t": (("time", name), values, attributes)}


def chunks_of(cuts: Sequence[Sequence[int]], shape: Sequence[int]) -> list[tuple[int, ...]]:
    """Samples of each block along z, y, x."""
    ends = ([0, *inner, n] for inner, n in zip(cuts, shape, strict=True))
    return [tuple(np.diff(axis).tolist()) for axis in ends]


def _units(record: Record, of: str) -> dict[str, str]:
    unit = getattr(record.units, of)
    return {"units": unit} if unit else {}
