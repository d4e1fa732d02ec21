"""The dense grid of fV-SRN in PyTorch: `insitu.models.dense_grid.reference`, differentiable.

In: the architecture. Out: a function of parameters and points, differentiable by both.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from insitu.engines.torch.functions import Forward, register
from insitu.engines.torch.mlp import mlp, splitter


@register("dense_grid")
def dense_grid(model: Any, device: torch.device) -> Forward:
    """The function of a DenseGrid: interpolated features and Fourier features, then the MLP."""
    split = splitter(
        model.matrix_shapes,
        model.n_vertices * model.n_features,
        model.n_encoded,
        model.n_outputs,
    )
    n_features = model.n_features
    rx, ry, _ = model.resolution
    last = torch.tensor([n - 1 for n in model.resolution], dtype=torch.float32, device=device)
    corner = torch.arange(8, device=device)
    corners = torch.stack([corner & 1, corner >> 1 & 1, corner >> 2 & 1], dim=1)  # (8, 3)
    powers = 2.0 ** torch.arange(model.n_frequencies, device=device)[:, None]

    def interpolate(table: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """table (n_vertices, n_features), points (n, 3) -> (n, n_features)."""
        position = points * last
        cell = torch.minimum(position.detach().floor().clamp(min=0), last - 1)
        fraction = (position - cell)[:, None]
        x, y, z = (cell.long()[:, None] + corners).unbind(dim=2)  # each (n, 8)
        vertex = x + rx * (y + ry * z)
        weight = torch.where(corners == 1, fraction, 1 - fraction).prod(dim=2)
        values = table.index_select(0, vertex.reshape(-1)).view(-1, 8, n_features)
        return (weight[..., None] * values).sum(dim=1)

    def waves(points: torch.Tensor) -> torch.Tensor:
        """points (n, 3) -> sin and cos of 2^k pi x, (n, 6 n_frequencies)."""
        turned = points[:, None] * powers  # (n, k, 3)
        # The reduction modulo 2 pi is exact.
        angles = math.pi * (turned - 2 * (turned.detach() / 2).floor())
        return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)

    def forward(params: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        matrices, table = split(params)
        features = interpolate(table.view(-1, n_features), points)
        if model.n_frequencies:
            features = torch.cat([features, waves(points)], dim=1)
        return mlp(matrices, features)

    return forward
