"""A simulation for tests: a bump that moves through the unit cube, known at every point and time.

The cube is cut into slabs along x, one per rank; the last rank may have none, or two domains.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from mpi4py import MPI

CELLS = (16, 16, 24)  # (nz, ny, nx) of the whole cube


class Moving:
    """step(), mesh(), cycle, time and done, as `insitu.run` wants them."""

    def __init__(
        self,
        comm: MPI.Comm,
        steps: int = 12,
        domains: Callable[[int, int], int] = lambda rank, size: 1,
        cells: tuple[int, int, int] = CELLS,
    ) -> None:
        self.comm, self.steps, self.whole = comm, steps, tuple(cells)
        self.cycle, self.time = 0, 0.0
        counts = [domains(rank, comm.size) for rank in range(comm.size)]
        first, total = sum(counts[: comm.rank]), sum(counts)
        self.slabs = [
            (i, self.whole[2] * i // total, self.whole[2] * (i + 1) // total)
            for i in range(first, first + counts[comm.rank])
        ]
        self.arrays: dict[tuple[int, str], np.ndarray] = {}
        self._fill()

    @property
    def done(self) -> bool:
        return self.cycle >= self.steps

    def step(self) -> None:
        self.cycle += 1
        self.time = self.cycle * 0.05
        self._fill()

    def mesh(self) -> Any:
        """One tree per domain, or None without any."""
        return [self._tree(*slab) for slab in self.slabs] or None

    def density(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        r2 = (x - 0.3 - 0.5 * self.time) ** 2 + (y - 0.5) ** 2 + (z - 0.45) ** 2
        return 0.2 + (1 + self.time) * np.exp(-20 * r2)

    def _fill(self) -> None:
        nz, ny, nx = self.whole
        for i, low, high in self.slabs:
            # One ghost layer everywhere; beyond the cube it is garbage, and flagged so.
            x, y, z = (
                (np.arange(a, b) + 0.5) / n
                for a, b, n in ((low - 1, high + 1, nx), (-1, ny + 1, ny), (-1, nz + 1, nz))
            )
            z3, y3, x3 = np.meshgrid(z, y, x, indexing="ij")
            self.arrays[i, "density"] = self.density(x3, y3, z3)
            inside = (x3 > 0) & (x3 < 1) & (y3 > 0) & (y3 < 1) & (z3 > 0) & (z3 < 1)
            flags = np.where(inside, 1, 2).astype(np.int32)
            flags[1:-1, 1:-1, 1:-1] = 0
            self.arrays[i, "flags"] = flags
            zn, yn, xn = np.meshgrid(
                *(np.arange(-1, n + 2) / n for n in (nz, ny)),
                np.arange(low - 1, high + 2) / nx,
                indexing="ij",
            )
            self.arrays[i, "u"] = np.cos(3 * yn + self.time)
            self.arrays[i, "v"] = np.sin(2 * xn) * zn
            self.arrays[i, "w"] = np.full_like(xn, 0.25)

    def _tree(self, i: int, low: int, high: int) -> dict[str, Any]:
        nz, ny, nx = self.whole
        element = {"association": "element", "topology": "mesh"}
        velocity = {axis: self.arrays[i, axis].ravel() for axis in "uvw"}
        return {
            "state": {"cycle": self.cycle, "time": self.time, "domain_id": i},
            "coordsets": {
                "coords": {
                    "type": "rectilinear",
                    "values": {
                        "x": np.arange(low - 1, high + 2) / nx,
                        "y": np.arange(-1, ny + 2) / ny,
                        "z": np.arange(-1, nz + 2) / nz,
                    },
                }
            },
            "topologies": {"mesh": {"type": "rectilinear", "coordset": "coords"}},
            "fields": {
                "density": {**element, "values": self.arrays[i, "density"].ravel()},
                "ascent_ghosts": {**element, "values": self.arrays[i, "flags"].ravel()},
                "velocity": {"association": "vertex", "topology": "mesh", "values": velocity},
            },
        }
