"""Reading what a simulation publishes: from a Blueprint tree to partitions with valid ghosts."""

import importlib
from typing import TYPE_CHECKING, Any

from insitu.mesh.blueprint import field_names, partitions, state, verify
from insitu.mesh.ghost_check import GhostReport, check
from insitu.mesh.ghost_exchange import exchange
from insitu.mesh.partition import Partition
from insitu.mesh.plain_arrays import rectilinear, uniform
from insitu.mesh.published_step import PublishedStep, State
from insitu.mesh.tree import MeshError, domains

if TYPE_CHECKING:
    from insitu.mesh.grid_selection import GridChoice, finer_grid
    from insitu.mesh.resample import Resampler
    from insitu.mesh.resampling_error import ResamplingError

__all__ = [
    "GhostReport",
    "GridChoice",
    "MeshError",
    "Partition",
    "PublishedStep",
    "Resampler",
    "ResamplingError",
    "State",
    "check",
    "domains",
    "exchange",
    "field_names",
    "finer_grid",
    "partitions",
    "rectilinear",
    "state",
    "uniform",
    "verify",
]

_OF_CELLS = {
    "GridChoice": "grid_selection",
    "Resampler": "resample",
    "ResamplingError": "resampling_error",
    "finer_grid": "grid_selection",
}


def __getattr__(name: str) -> Any:
    """Load what only meshes of cells need when it is first used."""
    if name in _OF_CELLS:
        return getattr(importlib.import_module(f"insitu.mesh.{_OF_CELLS[name]}"), name)
    raise AttributeError(f"module 'insitu.mesh' has no attribute {name!r}")
