"""The PyTorch engine.

In: models that have a function in PyTorch, parameters, blocks. Out: the operations of
`insitu.engines.base`, except for rendering, which is left to another engine.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch

from insitu.core.arrays import Floats
from insitu.engines.base import Doubles, Engine, Layers, Sampler, Singles, Trainer, check_samples
from insitu.engines.options import Errors, TrainerOptions
from insitu.engines.points import PointSampler
from insitu.engines.torch.arrays import params_of, points_of
from insitu.engines.torch.device import computing, describe, device
from insitu.engines.torch.functions import Forward, function_of, supports
from insitu.engines.torch.gaussians import GaussianTrainer
from insitu.engines.torch.measure import measure
from insitu.engines.torch.sampler import GridSampler
from insitu.engines.torch.sampling import Batch
from insitu.engines.torch.trainer import TorchTrainer
from insitu.models.base import Model
from insitu.models.gaussians.model import Gaussians

# Modules in which functions of models are registered.
for _module in ("hash_grid", "dense_grid", "adaptive_grid", "gaussians"):
    importlib.import_module(f"insitu.engines.torch.{_module}")

# Points evaluated at once: intermediate values that fit a CPU's cache, or fill a GPU.
_CHUNK = {"cpu": 2**13}
_LARGE_CHUNK = 2**18


class TorchEngine(Engine):
    """Computes on one device, chosen when the engine is loaded (`insitu.engines.torch.device`)."""

    name: ClassVar[str] = "torch"
    accelerated: ClassVar[bool] = True
    """Whether training steps may be compiled, and captured as CUDA graphs."""

    def __init__(self) -> None:
        self._device = device()
        self._chunk = _CHUNK.get(self._device.type, _LARGE_CHUNK)

    @property
    def device(self) -> str:
        return describe(self._device)

    @property
    def reproducible(self) -> bool:
        return self._device.type == "cpu"  # elsewhere, gradients are added by atomic operations

    def supports(self, model: Model) -> bool:
        return supports(model)

    def sampler(
        self,
        components: Sequence[Floats],
        ghost_layers: Layers,
        cells: tuple[int, int, int],
        vertex: bool,
    ) -> GridSampler:
        return GridSampler(components, ghost_layers, cells, vertex, self._device)

    def draw(
        self, seed: int, boundary_share: float, boundary_sigma: float, iteration: int, batch: int
    ) -> Singles:
        with computing(self._device):
            at = torch.tensor(iteration, device=self._device)
            drawn = Batch(batch, seed, boundary_share, boundary_sigma).draw(at)
            points: Singles = drawn.cpu().numpy()
            return points

    def trainer(
        self,
        model: Model,
        params: Singles,
        sampler: Sampler,
        origin: Doubles,
        extent: Doubles,
        error_scale: Doubles,
        options: TrainerOptions,
    ) -> Trainer:
        return TorchTrainer(
            model, self.training_function(model), params, _block(sampler), origin, extent,
            error_scale, options, accelerated=self.accelerated,
        )  # fmt: skip

    def point_trainer(
        self,
        model: Model,
        params: Singles,
        sampler: PointSampler,
        origin: Doubles,
        extent: Doubles,
        error_scale: Doubles,
        options: TrainerOptions,
    ) -> Trainer:
        if not isinstance(model, Gaussians):
            return super().point_trainer(
                model, params, sampler, origin, extent, error_scale, options
            )
        return GaussianTrainer(
            model, self._device, params, sampler, origin, extent, error_scale, options
        )

    def training_function(self, model: Model) -> Forward:
        """The function that is trained. Raises ValueError for a model that has none."""
        return function_of(model, self._device)

    def evaluate(self, model: Model, params: Singles, points: Floats) -> Singles:
        forward = function_of(model, self._device)
        with computing(self._device), torch.no_grad():
            weights, at = params_of(model, params, self._device), points_of(points, self._device)
            return _joined([forward(weights, some) for some in at.split(self._chunk)])

    def evaluate_grid(
        self, model: Model, params: Singles, xs: Floats, ys: Floats, zs: Floats
    ) -> Singles:
        forward = function_of(model, self._device)
        with computing(self._device), torch.no_grad():
            weights = params_of(model, params, self._device)
            x, y, z = (
                torch.as_tensor(np.array(axis, np.float32), device=self._device)
                for axis in (xs, ys, zs)
            )
            shape = (len(z), len(y), len(x), model.n_outputs)
            number = torch.arange(len(z) * len(y) * len(x), device=self._device)
            outputs = []
            for some in number.split(self._chunk):
                line = some // len(x)
                at = [x[some % len(x)], y[line % len(y)], z[line // len(y)]]
                outputs.append(forward(weights, torch.stack(at, dim=1)))
            return _joined(outputs).reshape(shape)

    def gradient(self, model: Model, params: Singles, points: Floats) -> Singles:
        forward = function_of(model, self._device)
        with computing(self._device):
            weights, at = params_of(model, params, self._device), points_of(points, self._device)
            return _joined([_slopes(forward, weights, some) for some in at.split(self._chunk)])

    def measure(
        self,
        model: Model | None,
        params: Singles,
        sampler: Sampler,
        origin: Doubles,
        extent: Doubles,
        begin: int,
        end: int,
        every: int = 1,
    ) -> list[Errors]:
        block = _block(sampler)
        check_samples(block.samples, begin, end, every)
        with computing(self._device), torch.no_grad():
            forward = None if model is None else function_of(model, self._device)
            weights = None if model is None else params_of(model, params, self._device)
            return measure(
                forward, weights, block, origin, extent, (begin, end, every), self._chunk
            )


def _slopes(forward: Forward, params: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """(n, n_outputs, 3)."""
    at = points.clone().requires_grad_()
    outputs = forward(params, at)
    slopes = [
        torch.autograd.grad(column.sum(), at, retain_graph=True)[0] for column in outputs.unbind(1)
    ]
    return torch.stack(slopes, dim=1)


def _joined(parts: list[torch.Tensor]) -> Singles:
    joined: Singles = torch.cat(parts).cpu().numpy()
    return joined


def _block(sampler: Sampler) -> GridSampler:
    if not isinstance(sampler, GridSampler):
        raise TypeError(f"sampler: {type(sampler).__name__} was not created by engine torch")
    return sampler
