"""The hash grid in PyTorch: `insitu.models.hash_grid.reference`, differentiable.

In: the architecture. Out: a function of parameters and points, differentiable by both.

All levels are read with one gather from the tables, which are consecutive in the parameter vector:
at a batch of 1024, the overhead of calls into PyTorch dominates an eager step.
"""

from __future__ import annotations

import torch

from insitu.engines.torch.functions import Forward, register
from insitu.engines.torch.mlp import mlp, splitter
from insitu.models.hash_grid.model import HashGrid
from insitu.models.hash_grid.reference import PRIMES


@register("hash_grid")
def hash_grid(model: HashGrid, device: torch.device) -> Forward:
    """The network: encoding and MLP."""
    encode = _encoding(model, device)
    n_features = model.n_features_per_level
    split = splitter(
        model.matrix_shapes,
        model.n_params - model.n_mlp_params,
        model.n_levels * n_features,
        model.n_outputs,
    )

    def forward(params: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        matrices, tables = split(params)
        return mlp(matrices, encode(tables.view(-1, n_features), points))

    return forward


def _encoding(model: HashGrid, device: torch.device) -> Forward:
    """Tables (rows, features), points (n, 3) -> features (n, n_levels * features)."""
    # Resolutions never decrease, and tables are limited in size: hashed levels come last.
    dense = [level for level in model.levels if not level.hashed]
    hashed = model.levels[len(dense) :]
    n_dense, n_levels, n_features = len(dense), model.n_levels, model.n_features_per_level

    def column(values: list[int]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.int64, device=device)[:, None]

    scales = [level.scale for level in model.levels]
    scale = torch.tensor(scales, dtype=torch.float32, device=device)[:, None]
    first_row = column([(lv.offset - model.n_mlp_params) // n_features for lv in model.levels])
    resolution = column([level.resolution for level in dense])
    size = column([level.size for level in dense])
    mask = column([level.size - 1 for level in hashed])  # of hashed levels, size is a power of two
    corner = torch.arange(8, device=device)
    corners = torch.stack([corner & 1, corner >> 1 & 1, corner >> 2 & 1])[:, None, None]
    prime_y, prime_z = int(PRIMES[1]), int(PRIMES[2])

    def entries(vertex: torch.Tensor) -> torch.Tensor:
        """vertex (3, n, n_levels, 8) -> entry in its level's table (n, n_levels, 8)."""
        x, y, z = vertex[:, :, :n_dense].unbind()
        of_dense = (x + resolution * (y + resolution * z)) % size
        x, y, z = vertex[:, :, n_dense:].unbind()
        # Vertices are below 2^21, so products fit 64 bits; only the low bits matter.
        of_hashed = (x ^ (y * prime_y) ^ (z * prime_z)) & mask
        return torch.cat([of_dense, of_hashed], dim=1)

    def encode(tables: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        position = points.T[:, :, None, None] * scale + 0.5  # (3, n, n_levels, 1)
        cell = position.detach().floor()
        fraction = position - cell
        row = entries(cell.long() + corners) + first_row
        side = torch.where(corners == 1, fraction, 1 - fraction)  # (3, n, n_levels, 8)
        weight = side[0] * side[1] * side[2]
        # index_select: its gradient is added in place, on CUDA by atomics.
        values = tables.index_select(0, row.reshape(-1)).view(-1, n_levels, 8, n_features)
        return (weight[..., None] * values).sum(dim=2).view(-1, n_levels * n_features)

    return encode
