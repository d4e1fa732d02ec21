"""A bump that moves through the unit cube, one slab of it per rank: a simulation to try a model on.

In: a communicator, cells along an axis, steps. Out: a Blueprint mesh at every step.
"""

from typing import Any

import numpy as np
from mpi4py import MPI


class Pulse:
    """step(), mesh(), cycle, time and done, as `insitu.run` wants them."""

    def __init__(self, comm: MPI.Comm, cells: int = 16, steps: int = 6) -> None:
        self.steps, self.cycle, self.time = steps, 0, 0.0
        low, high = (cells * rank // comm.size for rank in (comm.rank, comm.rank + 1))
        self.lines = [np.linspace(0, 1, cells + 1)] * 2 + [np.arange(low, high + 1) / cells]
        self.rank = comm.rank

    @property
    def done(self) -> bool:
        return self.cycle >= self.steps

    def step(self) -> None:
        self.cycle += 1
        self.time = self.cycle / self.steps

    def mesh(self) -> dict[str, Any]:
        x, y, z = (0.5 * (line[1:] + line[:-1]) for line in self.lines)
        r2 = (x - 0.3 - 0.4 * self.time) ** 2 + (y[:, None] - 0.5) ** 2
        density = np.exp(-12 * (r2 + (z[:, None, None] - 0.5) ** 2))
        return {
            "state": {"cycle": self.cycle, "time": self.time, "domain_id": self.rank},
            "coordsets": {
                "coords": {
                    "type": "rectilinear",
                    "values": dict(zip("xyz", self.lines, strict=True)),
                }
            },
            "topologies": {"mesh": {"type": "rectilinear", "coordset": "coords"}},
            "fields": {
                "density": {
                    "association": "element",
                    "topology": "mesh",
                    "values": density.ravel(),
                }
            },
        }
