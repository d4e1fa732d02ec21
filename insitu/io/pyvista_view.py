"""A step of a record as a PyVista grid (extra `view`).

In: a record and a step. Out: a grid with the fields as cell and point data.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from insitu.core.errors import ConfigError
from insitu.io import vtk_write
from insitu.io.libraries import library
from insitu.mesh.partition import Association
from insitu.store.block_grid import BlockGrid
from insitu.store.record import Record, open_record

if TYPE_CHECKING:
    import pyvista


def to_pyvista(
    record: Record | Path | str, step: int = -1, fields: Sequence[str] | None = None
) -> pyvista.ImageData | pyvista.RectilinearGrid:
    """Decode fields at one step onto one grid, in memory. Not collective.

    Args:
        record: an open record, or its folder.
        step: index into the steps of the first field, negative from the end; the other fields are
            read at the same cycle.
        fields: default: all fields recorded at that cycle.

    Returns: an ImageData if the grid lines are evenly spaced, otherwise a RectilinearGrid. Fields
        at cells become cell data, fields at nodes point data.

    Raises: ConfigError if PyVista is not installed, there is no field, or the fields' grid lines
        differ; KeyError or IndexError for an unknown field or step.
    """
    wrap = library("pyvista", "view").wrap
    record = record if isinstance(record, Record) else open_record(record)
    names = list(record.fields if fields is None else fields)
    if not names:
        raise ConfigError([f"{record.path}: no fields to decode"])
    cycle = record[names[0]].sel(step=step).summary.cycle
    if fields is None:
        names = [name for name in names if cycle in record[name].cycles]
    grids = {name: record[name].sel(cycle=cycle).grid for name in names}
    first = grids[names[0]]
    out = vtk_write.make_grid(first.nodes, uniform=vtk_write.is_uniform(first.nodes))
    for name, grid in grids.items():
        if not _same_lines(first, grid):
            raise ConfigError([f"{record.path}: {name} and {names[0]} are on different grids"])
        association = cast(Association, grid.association)
        vtk_write.add_values(out, association, name, grid.read(grid.whole))
    return cast("pyvista.ImageData | pyvista.RectilinearGrid", wrap(out))


def _same_lines(a: BlockGrid, b: BlockGrid) -> bool:
    return all(
        one.size == other.size and bool((one == other).all())
        for one, other in zip(a.nodes, b.nodes, strict=True)
    )
