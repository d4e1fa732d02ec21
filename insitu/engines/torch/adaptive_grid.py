"""The adaptive grids of AMGSRN in PyTorch: `insitu.models.adaptive_grid.reference`, differentiable.

In: the architecture. Out: a function of parameters and points; the objective that moves the grids.
"""

from __future__ import annotations

import math

import torch

from insitu.engines.torch.functions import Auxiliary, Forward, register, register_auxiliary
from insitu.engines.torch.mlp import mlp, splitter
from insitu.models.adaptive_grid.model import AdaptiveGrid
from insitu.models.adaptive_grid.placement import BEYOND, TINY


def _local(transforms: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """transforms (g, 3, 4), points (n, 3) -> local coordinates (g, n, 3)."""
    world = 2 * points - 1
    return world @ transforms[..., :3].transpose(1, 2) + transforms[:, None, :, 3]


@register("adaptive_grid")
def adaptive_grid(model: AdaptiveGrid, device: torch.device) -> Forward:
    """The function of an AdaptiveGrid: the features of all grids, then the MLP."""
    n_grids, r, n_features = model.n_grids, model.resolution, model.n_features
    split = splitter(
        model.matrix_shapes, model.n_params - model.n_mlp_params, model.n_encoded, model.n_outputs
    )
    corner = torch.arange(8, device=device)
    corners = torch.stack([corner & 1, corner >> 1 & 1, corner >> 2 & 1], dim=1)  # (8, 3)
    first = torch.arange(n_grids, device=device)[:, None, None] * r**3

    def forward(params: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        matrices, rest = split(params)
        transforms, tables = rest.split([12 * n_grids, len(rest) - 12 * n_grids])
        position = (_local(transforms.view(n_grids, 3, 4), points) + 1) * (0.5 * (r - 1))
        position = position.clamp(-1, r)
        cell = position.detach().floor()
        fraction = (position - cell)[:, :, None]  # (g, n, 1, 3)
        at = cell.long()[:, :, None] + corners  # (g, n, 8, 3)
        sides = torch.where(corners == 1, fraction, 1 - fraction)
        weight = torch.where((at >= 0) & (at < r), sides, 0).prod(dim=3)
        x, y, z = at.clamp(0, r - 1).unbind(dim=3)
        vertex = first + x + r * (y + r * z)
        values = tables.view(-1, n_features).index_select(0, vertex.reshape(-1))
        values = values.view(n_grids, -1, 8, n_features)
        features = (weight[..., None] * values).sum(dim=2)  # (g, n, f)
        return mlp(matrices, features.transpose(0, 1).flatten(1))

    return forward


@register_auxiliary("adaptive_grid")
def placement(model: AdaptiveGrid) -> Auxiliary:
    """As `insitu.models.adaptive_grid.placement.placement_gradient`."""
    part, n_grids = model.transform_slice, model.n_grids

    def objective(
        params: torch.Tensor, points: torch.Tensor, errors: torch.Tensor, counts: torch.Tensor
    ) -> torch.Tensor:
        transforms = params[part].view(n_grids, 3, 4)
        local = _local(transforms, points).clamp(-BEYOND, BEYOND)
        bells = torch.exp(-0.5 * (local**20).sum(dim=2))  # (g, n)
        a, b, c = transforms[..., :3].unbind(dim=1)
        amounts = (a * torch.linalg.cross(b, c)).sum(dim=1) / (2 * math.pi) ** 1.5
        density = torch.where(counts, amounts @ bells, 0)
        q = (density / density.detach().sum()).clamp(min=0) + TINY
        with torch.no_grad():
            # In double precision: the exponent is large where the error is small.
            error = torch.where(counts, errors, torch.inf).double()
            mean = torch.where(counts, errors, 0).double().sum() / counts.sum()
            target = torch.exp(q.double().log() * (mean / (error + TINY)))
            target = torch.where(counts, target, 0)
            target = target / target.sum() + TINY
            log_target = target.log().float()
            target = target.float()
        return torch.where(counts, target * (log_target - q.log()), 0).sum()

    return objective
