"""The same network in PyTorch, with a training step as a user without our engine would write it.

In: a HashGrid, its parameters, a volume. Out: a step function and a read function; eager, or
compiled by torch.compile. Needs the `torch` extra.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import grid_sample

from insitu.engines.torch.hash_grid import hash_grid
from insitu.models.hash_grid.model import HashGrid


class TorchNetwork(torch.nn.Module):
    """Hash-grid encoding and ReLU MLP: the function of insitu's engine `torch`, as a module."""

    def __init__(self, network: HashGrid, params: np.ndarray) -> None:
        super().__init__()
        self.params = torch.nn.Parameter(torch.from_numpy(params.copy()))
        self.function = hash_grid(network, torch.device("cpu"))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """points (n, 3) -> outputs (n, n_outputs)."""
        return self.function(self.params, points)


class TorchTraining:
    """DVNR's training step: 15 % of the batch next to the faces, trilinear targets, L1, Adam."""

    def __init__(self, model: TorchNetwork, volume: np.ndarray, batch: int) -> None:
        self.model, self.batch = model, batch
        self.near = round(0.15 * batch)
        low, high = float(volume.min()), float(volume.max())
        self.volume = torch.from_numpy((volume - low) / (high - low))[None, None].float()
        self.optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def draw(self) -> torch.Tensor:
        """The batch (batch, 3)."""
        points = torch.rand(self.batch, 3)
        distance = (0.005 * torch.randn(self.near)).abs().clamp(max=1)
        side = torch.rand(self.near) < 0.5
        axis = torch.randint(3, (self.near, 1))
        near = torch.where(side, distance, 1 - distance)[:, None]
        points[: self.near].scatter_(1, axis, near)
        return points

    def loss(self, points: torch.Tensor) -> torch.Tensor:
        grid = (points * 2 - 1)[None, None, None]  # (1, 1, 1, n, 3), x y z in [-1, 1]
        target = grid_sample(
            self.volume, grid, mode="bilinear", padding_mode="border", align_corners=False
        )
        return (self.model(points)[:, 0] - target.reshape(-1)).abs().mean()

    def stepper(self, compiled: bool) -> Callable[[], None]:
        """A function that trains on one batch."""
        loss = torch.compile(self.loss) if compiled else self.loss

        def step() -> None:
            value = loss(self.draw())
            self.optimizer.zero_grad(set_to_none=False)
            value.backward()
            self.optimizer.step()

        return step


def reader(model: TorchNetwork, compiled: bool) -> Callable[[torch.Tensor], torch.Tensor]:
    """A function from points (n, 3) to outputs, without gradients."""
    forward = torch.compile(model) if compiled else model

    def read(points: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return forward(points)

    return read
