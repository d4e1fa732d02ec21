"""The xarray engine for records (extra `xarray`): xarray.open_dataset(path, engine="insitu").

In: the folder of a record. Out: lazy arrays (time, z, y, x); slicing decodes only what it needs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray, BackendEntrypoint
from xarray.core import indexing

from insitu.core.arrays import Array
from insitu.core.box import Box
from insitu.store.block_grid import BlockGrid, GridError
from insitu.store.record import Record, Series, open_record
from insitu.store.record_writer import MANIFEST


class InsituEntrypoint(BackendEntrypoint):
    """The xarray backend `insitu`.

    There is one variable per field; vectors have `component` as their last axis. Coordinates are
    those of the samples: x, y, z, or x_node, y_node, z_node for fields at grid nodes if the record
    also has fields at cells. `time` contains the steps of all fields, and `cycle` is a second
    coordinate along it; a field that was not recorded at a step is NaN there.
    """

    description = "Records of insitu: compressed fields, decoded when they are sliced"
    url = "https://insitu.readthedocs.io"
    open_dataset_parameters = ("filename_or_obj", "drop_variables")

    def open_dataset(  # type: ignore[override]
        self,
        filename_or_obj: str | os.PathLike[Any],
        *,
        drop_variables: str | Iterable[str] | None = None,
    ) -> xr.Dataset:
        """Open a record. Values are decoded later, when they are sliced.

        Raises FileNotFoundError and FrameError as `open_record`; GridError (a ValueError) if fields
        at cells, or fields at nodes, have different grids. Exclude fields with `drop_variables`.
        When values are decoded, GridError if the grid changes over time.
        """
        record = open_record(Path(filename_or_obj))
        dropped = {drop_variables} if isinstance(drop_variables, str) else set(drop_variables or ())
        fields = [name for name in record.fields if name not in dropped and len(record[name])]
        times = {
            step["cycle"]: np.nan if step["time"] is None else step["time"]
            for name in fields
            for step in record.steps[name]
        }
        cycles = sorted(times)
        grids = {name: record[name].sel(step=0).grid for name in fields}
        kinds = {grid.association for grid in grids.values()}
        found: dict[str, BlockGrid] = {}
        variables: dict[str, xr.Variable] = {}
        for name, grid in grids.items():
            if not found.setdefault(grid.association, grid).same_as(grid):
                raise GridError(
                    f"{record.path}: {name} is on another grid; exclude it with drop_variables"
                )
            suffix = "_node" if grid.association == "vertex" and len(kinds) > 1 else ""
            dims = ("time", *(axis + suffix for axis in "zyx"))
            dims += ("component",) if grid.n_components > 1 else ()
            data = indexing.LazilyIndexedArray(_FieldArray(record[name], grid, cycles))
            attributes = {"units": record[name].unit} if record[name].unit else {}
            attributes["association"] = grid.association
            variables[name] = xr.Variable(dims, data, attributes)
            for axis, at in zip("xyz", grid.coordinates, strict=True):
                variables[axis + suffix] = xr.Variable(axis + suffix, at, _units(record, "length"))
        coordinates = {"time": ("time", [times[c] for c in cycles], _units(record, "time"))}
        coordinates["cycle"] = ("time", cycles, {})
        return xr.Dataset(variables, attrs={"n_ranks": record.n_ranks}).assign_coords(coordinates)

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Whether the path is the folder of a record."""
        try:
            return (Path(filename_or_obj) / MANIFEST).is_file()
        except TypeError:  # an open file
            return False


def _units(record: Record, of: str) -> dict[str, str]:
    unit = getattr(record.units, of)
    return {"units": unit} if unit else {}


class _FieldArray(BackendArray):
    """A field over time, decoded when it is indexed."""

    def __init__(self, series: Series, grid: BlockGrid, cycles: list[int]) -> None:
        self.series, self.grid, self.cycles = series, grid, cycles
        vector = (grid.n_components,) if grid.n_components > 1 else ()
        self.shape = (len(cycles), *grid.shape, *vector)
        self.dtype = grid.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self._decode
        )

    def _decode(self, key: tuple[int | slice, ...]) -> Array:
        """The values for integers and slices along time, z, y, x[, component].

        At each step, the smallest box that contains the selected samples is decoded.
        """
        at, *along = (np.arange(n)[part] for n, part in zip(self.shape, key, strict=True))
        z, y, x = (
            slice(int(np.min(part)), int(np.max(part)) + 1) if np.size(part) else slice(0, 0)
            for part in along[:3]
        )
        inner = [part - axis.start for part, axis in zip(along[:3], (z, y, x), strict=True)]
        steps = [
            _taken(self._step(self.cycles[i], (z, y, x)), [*inner, *along[3:]])
            for i in np.atleast_1d(at)
        ]
        if not np.ndim(at):
            return steps[0]
        sizes = [np.size(part) for part in along if np.ndim(part)]
        return np.stack(steps) if steps else np.empty([0, *sizes], self.dtype)

    def _step(self, cycle: int, box: Box) -> Array:
        if cycle not in self.series.cycles:
            sizes = [axis.stop - axis.start for axis in box]
            return np.full([*sizes, *self.shape[4:]], np.nan, self.dtype)
        grid = self.series.sel(cycle=cycle).grid
        if not grid.same_as(self.grid):
            raise GridError(
                f"{self.series.name}: the grid at cycle {cycle} differs from the first one"
            )
        return grid.read(box)


def _taken(values: Array, along: list[Array]) -> Array:
    """Samples at all combinations of the indices; axes with an integer index are dropped."""
    picked = values[np.ix_(*(np.atleast_1d(part) for part in along))]
    return picked.reshape([np.size(part) for part in along if np.ndim(part)])
