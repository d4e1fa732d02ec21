"""Adam in PyTorch (Kingma and Ba 2015, algorithm 1), on one parameter vector, in place.

In: parameters, their gradient, the step size. Out: updated parameters; a zeroed gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from insitu.models.base import Model


@dataclass(frozen=True)
class Adam:
    """beta1 and beta2, epsilon, L2 regularization of the matrices of an MLP: see
    `insitu.engines.options.TrainerOptions`."""

    beta1: float
    beta2: float
    epsilon: float
    l2: float

    def step_size(self, rate: float, iteration: int) -> float:
        """Step size of the update after a given number of others."""
        return float(rate / (1 - self.beta1 ** (iteration + 1)))

    def correction(self, iteration: int) -> float:
        """Correction of the second moment's root, at the same update."""
        return float(1 / (1 - self.beta2 ** (iteration + 1)) ** 0.5)

    def __call__(
        self,
        params: torch.Tensor,
        gradient: torch.Tensor,
        first: torch.Tensor,
        second: torch.Tensor,
        decayed: torch.Tensor,
        step_size: torch.Tensor,
        correction: torch.Tensor,
    ) -> None:
        """One update. params, gradient, first and second moment (n_params,), decayed as
        `in_matrices` has it, step_size (), correction ()."""
        n = len(decayed)
        gradient[:n] += decayed * params[:n] * self.l2
        first.mul_(self.beta1).add_(gradient, alpha=1 - self.beta1)
        second.mul_(self.beta2).addcmul_(gradient, gradient, value=1 - self.beta2)
        params -= step_size * first / (second.sqrt() * correction + self.epsilon)
        gradient.zero_()


def in_matrices(model: Model, device: torch.device) -> torch.Tensor:
    """1 where a parameter belongs to a matrix of an MLP, otherwise 0; for the parameters up to the
    last such one."""
    marks = np.zeros(model.n_params, np.float32)
    for array in model.arrays(marks):
        if array.role == "matrix":
            array.values[...] = 1
    marked = np.flatnonzero(marks)
    return torch.tensor(marks[: marked[-1] + 1 if len(marked) else 0], device=device)
