"""A model of one's own: a sum of Gaussians, by its equations in NumPy alone.

In: a number of Gaussians. Out: what insitu asks of a model. The rest has defaults in `Model`.
"""

from dataclasses import dataclass

import numpy as np

import insitu.models
from insitu.core.arrays import Floats
from insitu.models.base import Model, ParameterArray, Params


@insitu.models.register
@dataclass(frozen=True)
class Bumps(Model):
    """y(x) = sum_i w_i exp(-e^(s_i) |x - c_i|^2). Parameters: (n, 3 + 1 + n_outputs), c s w."""

    kind = "bumps"
    n: int = 64
    n_outputs: int = 1

    @property
    def n_params(self) -> int:
        return self.n * (4 + self.n_outputs)

    def check(self) -> None:
        if not (1 <= self.n <= 4096 and 1 <= self.n_outputs <= 16):
            raise ValueError("n is not in 1..4096, or n_outputs not in 1..16")

    def arrays(self, params: Floats) -> list[ParameterArray]:
        rows = params.reshape(self.n, -1)
        parts = {"centers": rows[:, :3], "sharpness": rows[:, 3], "weights": rows[:, 4:]}
        return [ParameterArray(name, "coefficients", name, part) for name, part in parts.items()]

    def initial(self, seed: int) -> Params:
        random = np.random.default_rng(seed)
        params = random.uniform(0, 1, (self.n, 4 + self.n_outputs)).astype(np.float32)
        params[:, 3] = np.log(0.5 * self.n ** (2 / 3))  # as wide as they are apart
        params[:, 4:] = 0.2 * params[:, 4:] - 0.1
        return params.ravel()

    def scaled(self, params: Floats, factors: Floats) -> Params:
        rows = params.reshape(self.n, -1).astype(np.float32)
        rows[:, 4:] *= factors.astype(np.float32)
        return rows.ravel()

    def _bumps(self, params: Floats, points: Floats) -> tuple[Floats, Floats]:
        centers, sharpness, _ = (array.values for array in self.arrays(params))
        away = points[:, None] - centers  # (points, n, 3)
        return away, np.exp(-np.exp(sharpness) * np.square(away).sum(axis=2))

    def evaluate(self, params: Floats, points: Floats) -> Floats:
        return self._bumps(params, points)[1] @ params.reshape(self.n, -1)[:, 4:]

    def backward(
        self, params: Floats, points: Floats, output_gradient: Floats
    ) -> tuple[Floats, Floats]:
        _, sharpness, weights = (array.values for array in self.arrays(params))
        away, bumps = self._bumps(params, points)
        slope = np.exp(sharpness) * bumps * (output_gradient @ weights.T)  # (points, n)
        moved = 2 * slope[..., None] * away
        of_sharpness = -(slope * np.square(away).sum(axis=2)).sum(axis=0)
        rows = [moved.sum(axis=0), of_sharpness[:, None], bumps.T @ output_gradient]
        return np.concatenate(rows, axis=1).ravel(), -moved.sum(axis=1)
