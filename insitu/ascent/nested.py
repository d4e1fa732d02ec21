"""A nested Ascent inside of an extract: its renderers, Cinema and Relay on meshes of ours.

In: this rank's domains by path, Ascent's actions. Out: whatever the actions write.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from insitu.core.parallel import together

if TYPE_CHECKING:
    from mpi4py import MPI


def run(
    comm: MPI.Comm, domains: Sequence[Mapping[str, Any]], actions: Sequence[Any], *, mpi: bool
) -> None:
    """Open an Ascent, hand it the domains, have it do the actions, close it. Collective.

    Args:
        domains: paths and arrays, copied; none on a rank without.
        actions: as plain data, in Ascent's words.
        mpi: whether it is the Ascent with MPI; without, every rank has its own.

    Raises:
        RemoteError: on every rank, where one does not find the modules conduit and ascent, which
            the Ascent that runs the extract brings along, or where Ascent refuses what it is given.
    """
    with together(comm, "nested Ascent"):
        conduit = importlib.import_module("conduit")
        module = importlib.import_module("ascent.mpi" if mpi else "ascent")
        mesh, options, todo = conduit.Node(), conduit.Node(), conduit.Node()
        for domain in domains:
            child = mesh.append()
            for path, value in domain.items():
                child[path] = value
        if mpi:
            options["mpi_comm"] = comm.py2f()
        options["actions_file"] = ""  # or it does the simulation's actions once more
        todo.parse(json.dumps(list(actions)), "json")
    with together(comm, "nested Ascent"):  # which fails on all ranks or none
        ascent = module.Ascent()
        ascent.open(options)
        try:
            ascent.publish(mesh)
            ascent.execute(todo)
        finally:
            ascent.close()
