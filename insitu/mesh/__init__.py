"""Reading what a simulation publishes: from a Blueprint tree to partitions with valid ghosts."""

from insitu.mesh.blueprint import field_names, partitions, state, verify
from insitu.mesh.ghost_check import GhostReport, check
from insitu.mesh.ghost_exchange import exchange
from insitu.mesh.grid_selection import GridChoice, finer_grid
from insitu.mesh.partition import Partition
from insitu.mesh.plain_arrays import rectilinear, uniform
from insitu.mesh.published_step import PublishedStep, State
from insitu.mesh.resample import Resampler
from insitu.mesh.resampling_error import ResamplingError
from insitu.mesh.tree import MeshError, domains

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
