"""Sums of Gaussians by the extension: values, slopes, training on points.

In: a model, its parameters, points. Out: what the engine of C++ returns for them.
"""

from __future__ import annotations

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines.base import Doubles, Singles
from insitu.engines.cpu.native import lib
from insitu.engines.options import TrainerOptions
from insitu.engines.point_training import PointTrainer, Sums
from insitu.engines.points import PointSampler
from insitu.engines.threads import threads
from insitu.models.gaussians.model import Gaussians


def evaluate(
    model: Gaussians, params: Singles, points: Floats, *, derivatives: bool = False
) -> Singles:
    """points (n, 3) -> outputs (n, n_outputs), or their derivatives by x, y, z (n, n_outputs, 3).
    Raises ValueError for parameters of another shape than (n_params,)."""
    if params.shape != (model.n_params,):
        raise ValueError(f"params: expected shape ({model.n_params},), found {params.shape}")
    return lib.evaluate_gaussians(
        params, model.n_outputs, model.degree > 0, points, derivatives, threads()
    )


def evaluate_grid(model: Gaussians, params: Singles, xs: Floats, ys: Floats, zs: Floats) -> Singles:
    """Outputs at all points of a grid, (nz, ny, nx, n_outputs)."""
    points = np.empty((len(zs), len(ys), len(xs), 3), np.float32)
    points[..., 0], points[..., 1] = xs, np.asarray(ys)[:, None]
    points[..., 2] = np.asarray(zs)[:, None, None]
    return evaluate(model, params, points.reshape(-1, 3)).reshape(*points.shape[:3], -1)


class GaussianTrainer(PointTrainer):
    """Trains in C++, a step at a time."""

    def __init__(
        self,
        model: Gaussians,
        params: Singles,
        sampler: PointSampler,
        origin: Doubles,
        extent: Doubles,
        error_scale: Doubles,
        options: TrainerOptions,
    ) -> None:
        super().__init__(model, params, sampler, origin, extent, error_scale, options)
        self._native = lib.PointTrainer(
            params, model.n_outputs, model.degree > 0, self._points, self._targets,
            model.rates(params), self._error_scale, self._batch, options.seed, threads(),
        )  # fmt: skip

    @property
    def params(self) -> Singles:
        return self._native.params

    @property
    def gradient(self) -> Singles:
        return self._native.gradient

    def _add_gradient(self) -> Sums:
        return self._native.compute_gradient()

    def _update(self, step_size: float, correction: float) -> None:
        o = self._options
        self._native.update(step_size, correction, o.beta1, o.beta2, o.epsilon)
