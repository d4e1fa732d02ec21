"""A vortex ring that rises, one slab of its box per rank: something to compare models on.

In: a communicator, cells along an axis, steps. Out: a Blueprint mesh with the vorticity's magnitude
at every step.
"""

from typing import Any

import numpy as np
from mpi4py import MPI

import insitu


class Ring:
    """step(), mesh(), cycle, time and done, as `insitu.run` wants them."""

    def __init__(self, comm: MPI.Comm, cells: int = 32, steps: int = 4) -> None:
        self.steps, self.cycle, self.time, self.rank = steps, 0, 0.0, comm.rank
        low, high = (cells * rank // comm.size for rank in (comm.rank, comm.rank + 1))
        self.lines = [np.linspace(0, 1, cells + 1)] * 2 + [np.arange(low, high + 1) / cells]

    @property
    def done(self) -> bool:
        return self.cycle >= self.steps

    def step(self) -> None:
        self.cycle += 1
        self.time = self.cycle / self.steps

    def mesh(self) -> dict[str, Any]:
        x, y, z = (0.5 * (line[1:] + line[:-1]) for line in self.lines)
        from_axis = np.hypot(x - 0.5, y[:, None] - 0.5)  # (ny, nx)
        height = z[:, None, None] - 0.35 - 0.1 * self.time
        vorticity = np.exp(-200 * ((from_axis - 0.25) ** 2 + height**2))  # (nz, ny, nx)
        return insitu.mesh.rectilinear(
            {"vorticity": vorticity},
            *self.lines,
            cycle=self.cycle,
            time=self.time,
            domain_id=self.rank,
        )
