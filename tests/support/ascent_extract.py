"""An Ascent for tests of the extract, as far as a script sees it.

Ascent and conduit cannot be installed from PyPI, so what a script is given there stands in: its
names, and the tree of a real run of 4 ranks, without a `pipeline:`: always a list node of domains,
an empty node on a rank without, one element as a scalar, vector components as strided views.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from tests.support.moving import Moving
from tests.support.trees import Node

SCRIPT = Path(__file__).resolve().parents[2] / "adapters/ascent/insitu_extract.py"


class Published(Moving):
    """`Moving`, as Ascent hands it to a script."""

    def node(self) -> Node:
        trees = self.mesh()
        if trees is None:
            return Node(None)
        for tree in trees:
            velocity = tree["fields"]["velocity"]["values"]
            interleaved = np.stack([velocity[name] for name in "uvw"], axis=1)
            for i, name in enumerate("uvw"):
                velocity[name] = interleaved[:, i]
            for name, kind in (("cycle", np.int64), ("time", np.float64), ("domain_id", np.int64)):
                tree["state"][name] = np.array([tree["state"][name]], kind)
        return Node(trees)


class Ascent:
    """Runs the script as Ascent does: its text, in names that outlive the call."""

    def __init__(self, folder: Path, comm: MPI.Comm | None = MPI.COMM_WORLD) -> None:
        """folder: where the script seems to lie. comm: None for an Ascent without MPI."""
        self.text = SCRIPT.read_text()
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.names["__file__"] = str(folder / SCRIPT.name)
        if comm is not None:
            self.names["ascent_mpi_comm_id"] = comm.py2f

    def execute(self, node: Node) -> None:
        self.names["ascent_data"] = lambda: node
        exec(compile(self.text, self.names["__file__"], "exec"), self.names)
        del self.names["ascent_data"]
