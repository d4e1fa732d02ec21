"""The same network and training step in PyTorch, as a user without our engine would write it.

In: a HashGrid, its parameters, a volume. Out: a step function and a read function; eager, or
compiled by torch.compile. Needs the `torch` extra.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import grid_sample, relu

from insitu.models.hash_grid.model import HashGrid

PRIMES = (1, 2654435761, 805459861)


class TorchNetwork(torch.nn.Module):
    """Hash-grid encoding and ReLU MLP, with the layout of `insitu.engines.network`."""

    def __init__(self, network: HashGrid, params: np.ndarray) -> None:
        super().__init__()
        self.network = network
        self.tables = torch.nn.ParameterList(
            torch.from_numpy(network.table(params, i).copy()) for i in range(network.n_levels)
        )
        weights = [m.copy() for m in network.weights(params)]
        weights[0] = weights[0][:, : network.n_levels * network.n_features_per_level]
        weights[-1] = weights[-1][: network.n_outputs]
        self.weights = torch.nn.ParameterList(torch.from_numpy(w) for w in weights)
        corners = [[c & 1, c >> 1 & 1, c >> 2 & 1] for c in range(8)]
        self.register_buffer("corners", torch.tensor(corners))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """points (n, 3) -> outputs (n, n_outputs)."""
        x = torch.cat([self._level(i, points) for i in range(self.network.n_levels)], dim=1)
        for weight in self.weights[:-1]:
            x = relu(x @ weight.T)
        return x @ self.weights[-1].T

    def _level(self, i: int, points: torch.Tensor) -> torch.Tensor:
        level = self.network.levels[i]
        position = points * level.scale + 0.5  # (n, 3)
        cell = position.floor()
        fraction = (position - cell)[:, None, :]
        vertex = cell.long()[:, None, :] + self.corners  # (n, 8, 3)
        if level.hashed:
            h = (vertex[..., 0] * PRIMES[0]) ^ (vertex[..., 1] * PRIMES[1])
            index = (h ^ (vertex[..., 2] * PRIMES[2])) & (level.size - 1)
        else:
            r = level.resolution
            index = (vertex[..., 0] + r * (vertex[..., 1] + r * vertex[..., 2])) % level.size
        weight = torch.where(self.corners == 1, fraction, 1 - fraction).prod(dim=2)  # (n, 8)
        return (weight[..., None] * self.tables[i][index]).sum(dim=1)


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
