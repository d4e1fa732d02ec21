"""Sums of Gaussians in PyTorch: `insitu.models.gaussians.reference`, differentiable.

In: the architecture. Out: a function of parameters and points; a trainer on points. Which Gaussians
may reach which points is found by the same cell lists, on the CPU.
"""

from __future__ import annotations

import numpy as np
import torch

from insitu.core.arrays import Floats
from insitu.engines.base import Doubles, Singles
from insitu.engines.options import TrainerOptions
from insitu.engines.point_training import ReferenceTrainer
from insitu.engines.points import PointSampler
from insitu.engines.torch.device import computing
from insitu.engines.torch.functions import Forward, register
from insitu.models.gaussians.model import N_SHAPE, Gaussians
from insitu.models.gaussians.neighbours import REACH, SIZES, pairs
from insitu.models.gaussians.reference import BACKGROUND


@register("gaussians")
def gaussians(model: Gaussians, device: torch.device) -> Forward:
    """The function of Gaussians."""

    def forward(params: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        rows = params.view(model.n_rows, model.n_gaussians)
        with torch.no_grad():
            found = pairs(rows[:N_SHAPE].detach().cpu().numpy(), points.detach().cpu().numpy())
            point, which = (torch.as_tensor(index, device=device) for index in found)
        own = rows[:, which]
        x, y, z = points.T[:, point] - own[:3]
        xy, xz, yz = own[6:N_SHAPE]
        local = torch.exp(-own[3:6].clamp(*SIZES)) * torch.stack(
            [x + xy * y + xz * z, y + yz * z, z]
        )
        weight = (1 - local.square().sum(dim=0) / REACH).clamp(min=0) ** 4
        coefficients = own[N_SHAPE:].view(model.n_outputs, model.n_terms, -1)
        terms = coefficients[:, 0]
        if model.degree:
            terms = terms + (coefficients[:, 1:] * local).sum(dim=1)
        summed = torch.cat([weight[None], weight * terms])
        sums = summed.new_zeros((len(summed), len(points))).index_add(1, point, summed)
        return (sums[1:] / (sums[0] + BACKGROUND)).T

    return forward


class GaussianTrainer(ReferenceTrainer):
    """Trains by autograd on one device; the update is made in NumPy, in double precision."""

    def __init__(
        self,
        model: Gaussians,
        device: torch.device,
        params: Singles,
        sampler: PointSampler,
        origin: Doubles,
        extent: Doubles,
        error_scale: Doubles,
        options: TrainerOptions,
    ) -> None:
        super().__init__(model, params, sampler, origin, extent, error_scale, options)
        self._device, self._forward = device, gaussians(model, device)

    def _of_batch(self, points: Floats, targets: Floats) -> tuple[Floats, Floats]:
        with computing(self._device):
            params = torch.tensor(self.params, device=self._device, requires_grad=True)
            at, wanted = (torch.as_tensor(a, device=self._device) for a in (points, targets))
            difference = self._forward(params, at) - wanted
            (gradient,) = torch.autograd.grad(difference.square().mean(), params)
            return np.asarray(gradient.cpu().numpy(), np.float64), difference.detach().cpu().numpy()
