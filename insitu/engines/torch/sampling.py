"""Sample points of training in PyTorch: counter-based, equal to those of the NumPy engine.

In: seed, iteration, size of a batch. Out: points of the unit cube, the same on every device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

_MASK = 0xFFFFFFFF


@dataclass(frozen=True)
class Batch:
    """Options of drawing a batch, see `insitu.engines.options.TrainerOptions`."""

    size: int
    seed: int
    boundary_share: float
    boundary_sigma: float

    @property
    def n_boundary(self) -> int:
        """Number of samples close to the faces, which are the first ones."""
        return int(float(np.float32(self.boundary_share)) * self.size + 0.5)

    def draw(self, iteration: torch.Tensor) -> torch.Tensor:
        """The points (size, 3) of an iteration, int64 (), which is a tensor so that a compiled or
        captured step draws different points each time. DVNR, eq. (2)."""
        counter = torch.arange(self.size, device=iteration.device)
        seed = torch.full_like(counter, self.seed)
        bits = pcg3d(counter, (iteration & _MASK).expand(self.size), seed)
        points = torch.stack([_uniform(word) for word in bits], dim=1)
        n = self.n_boundary
        return points if n == 0 else torch.cat([self._near(bits, points[:n]), points[n:]])

    def _near(self, bits: tuple[torch.Tensor, ...], points: torch.Tensor) -> torch.Tensor:
        """Points (n, 3) moved along one axis to a half-Gaussian distance from a face."""
        n = len(points)
        face, radius, angle = pcg3d(*(word[:n] for word in bits))
        face = face % 6
        u = _uniform(radius) + 2.0**-24  # in (0, 1]
        normal = torch.sqrt(-2 * torch.log(u)) * torch.cos(2 * math.pi * _uniform(angle))
        distance = (normal.abs() * self.boundary_sigma).clamp(max=1)
        place = torch.where(face % 2 == 1, 1 - distance, distance)
        axis = torch.arange(3, device=face.device)
        return torch.where((face // 2)[:, None] == axis, place[:, None], points)


def pcg3d(x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Hash of 3 words to 3 words, each (n,) of 32 bits in int64: Jarzynski and Olano, JCGT 2020."""
    x, y, z = ((word * 1664525 + 1013904223) & _MASK for word in (x, y, z))
    x, y, z = _mix(x, y, z)
    return _mix(*(word ^ (word >> 16) for word in (x, y, z)))


def _mix(x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> tuple[torch.Tensor, ...]:
    x = (x + _times(y, z)) & _MASK
    y = (y + _times(z, x)) & _MASK
    z = (z + _times(x, y)) & _MASK
    return x, y, z


def _times(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """a * b, exact in its low 32 bits: a product of 64 would not fit a signed word."""
    return a * (b & 0xFFFF) + ((a * (b >> 16) & 0xFFFF) << 16)


def _uniform(bits: torch.Tensor) -> torch.Tensor:
    """Uniform in [0, 1), 24 bits, float32."""
    return (bits >> 8).float() * 2.0**-24
