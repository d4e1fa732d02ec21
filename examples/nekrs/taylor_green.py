"""The Taylor-Green vortex, published as nekRS publishes its fields through nekAscent.

In: how fine, how viscous, a communicator. Out: step(), mesh(), cycle, time, done for insitu.run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from elements import Elements
from mpi4py import MPI
from spectral import Spectral


class TaylorGreen:
    """u = (sin x cos y cos z, -cos x sin y cos z, 0) at first (Taylor and Green 1937).

    A Fourier solver advances it; its series are evaluated, exactly, at the points of spectral
    elements. The tree is that of nekAscent: explicit coordinates, unstructured `hex`, order^3
    hexahedra per element, shared points given once per element, scalars per vertex, a vector as
    three of them that end in _x, _y, _z, no ghosts.
    """

    def __init__(
        self,
        comm: MPI.Comm,
        n: int = 48,
        elements: int = 6,
        order: int = 7,
        reynolds: float = 400.0,
        dt: float = 0.02,
        steps: int = 400,
    ) -> None:
        """Collective.

        Args:
            n: points of the solver along an axis, even.
            elements, order: spectral elements along an axis, and their polynomials' order.
            reynolds: of velocity and length 1.
            dt: of time; below about pi / n for stability.
            steps: after which it is done.
        """
        self.comm, self.dt, self.steps = comm, dt, steps
        self.cycle, self.time = 0, 0.0
        self.solver = Spectral(comm, n, 1 / reynolds)
        z, y, x = self.solver.points
        start = np.stack(
            [np.sin(x) * np.cos(y) * np.cos(z), -np.cos(x) * np.sin(y) * np.cos(z), 0 * (x + y + z)]
        )
        self._u = self.solver.forward(start)
        self.elements = Elements(elements, order, comm.rank, comm.size)
        x, y, z = self.elements.coordinates
        self._geometry = {
            "coordsets": {"coords": {"type": "explicit", "values": {"x": x, "y": y, "z": z}}},
            "topologies": {
                "mesh": {
                    "type": "unstructured",
                    "coordset": "coords",
                    "elements": {"shape": "hex", "connectivity": self.elements.connectivity},
                }
            },
        }

    @property
    def done(self) -> bool:
        return self.cycle >= self.steps

    def step(self) -> None:
        """Collective."""
        self._u = self.solver.advanced(self._u, self.dt)
        self.cycle += 1
        self.time = self.cycle * self.dt

    def mesh(self) -> Any:
        """Collective."""
        u = self.solver.gathered(self._u)
        p = self.solver.gathered(self.solver.pressure(self._u)[None])
        names = [*(f"velocity_{letter}" for letter in "xyz"), "pressure"]
        fields = {
            name: {
                "association": "vertex",
                "topology": "mesh",
                "values": self.elements.values(amplitudes),
            }
            for name, amplitudes in zip(names, [*u, *p], strict=True)
        }
        state = {"cycle": self.cycle, "time": self.time}
        return {**self._geometry, "fields": fields, "state": state}

    @property
    def energy(self) -> float:
        """Kinetic energy per volume. Collective."""
        weights = np.where((self.solver.kx == 0) | (self.solver.kx == self.solver.n // 2), 0.5, 1.0)
        return float(self.comm.allreduce(np.sum(weights * np.abs(self._u) ** 2)))
