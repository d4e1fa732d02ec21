"""What a session kept, as meshes for a nested Ascent: surfaces, slices, decoded steps.

In: the window's fields, what the run file's `ascent` asks for. Out: this rank's domains.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from insitu.config.ascent import PublishConfig
from insitu.core.geometry import Surface
from insitu.core.parallel import together
from insitu.fields.distributed_field import DistributedField
from insitu.filters.geometry.isosurface import isosurface
from insitu.filters.geometry.slice import slice_plane
from insitu.io.blueprint import to_blueprint
from insitu.io.blueprint_blocks import blocks_to_blueprint
from insitu.store.window import Window

if TYPE_CHECKING:
    from mpi4py import MPI

Domains = list[dict[str, Any]]


def domains(comm: MPI.Comm, window: Window, wanted: PublishConfig) -> Domains | None:
    """This rank's domains, by path, with the step's cycle and time. Collective.

    None on all ranks where there is nothing to show: no such step yet, or a surface that is empty.

    Raises:
        RemoteError: on every rank, where a step cannot be opened or a mesh not be made of it.
    """
    back = -wanted.decoded.step if wanted.decoded else 0
    steps: dict[str, DistributedField] = {}
    with together(comm, "steps to publish"):
        steps = _opened(window, wanted.fields, back)
    if not steps:  # on all ranks: windows agree on their steps
        return None
    mine = _domains(comm, steps, wanted)
    if not comm.allreduce(len(mine)):
        return None
    summary = next(iter(steps.values())).summary
    when = {"state/cycle": summary.cycle, "state/time": summary.time}
    return [domain | when for domain in mine]


def _opened(window: Window, names: Sequence[str], back: int) -> dict[str, DistributedField]:
    """The fields at the step so many before the newest; none where it is not in the window."""
    if not all(name in window.names and len(window.entries(name)) > back for name in names):
        return {}
    return {name: window.entries(name)[-1 - back].open() for name in names}


def _domains(comm: MPI.Comm, steps: dict[str, DistributedField], wanted: PublishConfig) -> Domains:
    if wanted.isosurface is not None:
        surface = isosurface(
            comm,
            steps[wanted.isosurface.field],
            wanted.isosurface.isovalues,
            component=wanted.isosurface.component,
            color_by={name: steps[name] for name in wanted.isosurface.color_by},
        )
        return _of_surface(comm, surface)
    if wanted.slice is not None:
        return _of_surface(comm, slice_plane(comm, steps, wanted.slice.origin, wanted.slice.normal))
    blocks = {name: step.fields for name, step in steps.items()}
    made: Domains = []
    first_id = sum(comm.allgather(len(next(iter(blocks.values()))))[: comm.rank])
    with together(comm, "decode a step"):
        made = blocks_to_blueprint(blocks, first_id)
    return made


def _of_surface(comm: MPI.Comm, surface: Surface) -> Domains:
    domain = to_blueprint(surface, comm.rank)
    return [domain] if domain else []
