"""The objective of a training step: the Huber loss at a batch of samples, in PyTorch.

In: parameters, the index of the step, a block's normalized samples. Out: a scalar with the
gradient of the loss, and error statistics of the batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from insitu.engines.torch.device import precise
from insitu.engines.torch.functions import Auxiliary, Forward
from insitu.engines.torch.grid import Grid
from insitu.engines.torch.sampling import Batch


@dataclass(frozen=True)
class Objective:
    """Objective for one model, block shape and sampling. Hashable: code that is compiled for one
    trainer is reused by the next."""

    forward: Forward
    grid: Grid
    batch: Batch
    huber: float
    auxiliary: Auxiliary | None = None
    begin: int = 0
    """The first of the parameters of the auxiliary objective."""
    end: int = 0
    chosen: int | None = None
    """How many samples of a batch, the hardest, the gradient is of; None: all. The others are
    evaluated without a graph for the gradient."""

    def __call__(
        self,
        params: torch.Tensor,
        iteration: torch.Tensor,
        volume: torch.Tensor,
        error_scale: torch.Tensor,
        active: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A scalar with the gradient of the loss, and sums (5,) over the batch: of absolute errors;
        of squared errors times error_scale^2 over the uniform samples; the number of finite values;
        the number of finite values of uniform samples; the auxiliary objective's mean.

        params (n_params,), iteration () int64, volume (nz, ny, nx, n_outputs) as
        `GridSampler.normalized` has it, error_scale (n_outputs,), active (): 1 where the auxiliary
        objective trains, otherwise 0.
        """
        points = self.batch.draw(iteration)
        targets = self.grid.interpolate(volume, points)
        rated = None
        if self.chosen is not None:
            with torch.no_grad():
                difference, finite = _difference(self.forward(params, points), targets)
                rated = self._sums(difference, finite, error_scale)
                errors = difference.square().sum(dim=1)
                hardest = errors.argsort(descending=True, stable=True)[: self.chosen].sort()[0]
                points, targets = points[hardest], targets[hardest]
        outputs = self.forward(self._trained(params), points)
        with torch.no_grad():
            difference, finite = _difference(outputs, targets)
            slope = (difference / self.huber).clamp(-1, 1) if self.huber else difference.sign()
            slope = slope / difference.numel()
            sums = self._sums(difference, finite, error_scale) if rated is None else rated
        loss = (outputs * slope).sum()
        if self.auxiliary is None:
            return loss, torch.cat([sums, torch.zeros_like(sums[:1])])
        counts = finite.all(dim=1)
        objective = self.auxiliary(params, points, difference.square().sum(dim=1), counts)
        mean = (objective.detach() / counts.sum()).to(sums.dtype)
        return loss + active * objective, torch.cat([sums, mean[None]])

    def _trained(self, params: torch.Tensor) -> torch.Tensor:
        """The parameters, of which those of the auxiliary objective count as constants."""
        if self.auxiliary is None:
            return params
        fixed = params[self.begin : self.end].detach()
        return torch.cat([params[: self.begin], fixed, params[self.end :]])

    def _sums(
        self, difference: torch.Tensor, finite: torch.Tensor, error_scale: torch.Tensor
    ) -> torch.Tensor:
        exact = torch.float64 if precise(finite.device) == finite.device else torch.float32
        uniform = slice(self.batch.n_boundary, None)
        squares = (difference[uniform] * error_scale).square()
        return torch.stack(
            [
                difference.abs().sum(dtype=exact),
                squares.sum(dtype=exact),
                finite.sum(dtype=exact),
                finite[uniform].sum(dtype=exact),
            ]
        )


def _difference(outputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Errors, 0 where a target is not finite, so that these never reach the weights; and where
    targets are finite."""
    finite = targets.isfinite()
    return torch.where(finite, outputs - targets, 0), finite
