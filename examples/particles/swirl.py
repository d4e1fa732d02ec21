"""Particles in a cellular flow, each with a temperature: points without connectivity.

In: a communicator, a number of particles, steps. Out: a Blueprint mesh of points at every step.
"""

from typing import Any

import numpy as np
from mpi4py import MPI


class Swirl:
    """step(), mesh(), cycle, time and done, as `insitu.run` wants them.

    u = (sin x cos y, -cos x sin y, 0.3 sin x sin y) in a box of side pi with z periodic. A warm
    ball cools towards its surroundings while the flow winds it up. Ranks have particles from all
    over the box, in any order.
    """

    def __init__(self, comm: MPI.Comm, particles: int = 20000, steps: int = 20) -> None:
        self.steps, self.cycle, self.time, self.rank = steps, 0, 0.0, comm.rank
        start = np.pi * np.random.default_rng(0).random((particles, 3))
        self.x = start[comm.rank :: comm.size]
        away = np.linalg.norm(self.x - [1.0, 1.6, 1.6], axis=1)
        self.temperature = 0.5 * (1 - np.tanh((away - 0.7) / 0.15))

    @property
    def done(self) -> bool:
        return self.cycle >= self.steps

    def step(self) -> None:
        dt = 0.1
        middle = self.x + 0.5 * dt * self._velocity(self.x)
        self.x = self.x + dt * self._velocity(middle)
        self.x[:, 2] %= np.pi
        self.temperature *= np.exp(-0.02 * dt)
        self.cycle += 1
        self.time += dt

    def mesh(self) -> dict[str, Any]:
        return {
            "state": {"cycle": self.cycle, "time": self.time, "domain_id": self.rank},
            "coordsets": {
                "coords": {"type": "explicit", "values": dict(zip("xyz", self.x.T, strict=True))}
            },
            "topologies": {"particles": {"type": "points", "coordset": "coords"}},
            "fields": {
                "temperature": {
                    "association": "vertex",
                    "topology": "particles",
                    "values": self.temperature,
                }
            },
        }

    @staticmethod
    def _velocity(at: np.ndarray) -> np.ndarray:
        x, y, _ = at.T
        return np.stack(
            [np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y), 0.3 * np.sin(x) * np.sin(y)], axis=1
        )
