"""The training loop of one model, in PyTorch: steps, averages, schedule.

In: a model, its initial parameters, a block, options. Out: trained parameters. A step works on
tensors of the device; five sums per step are copied back to control the loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch

from insitu.engines.base import Doubles, Singles
from insitu.engines.options import TrainerOptions
from insitu.engines.torch.acceleration import CudaGraph, compiled, pays
from insitu.engines.torch.adam import Adam, in_matrices
from insitu.engines.torch.arrays import params_of
from insitu.engines.torch.device import computing, precise
from insitu.engines.torch.functions import Forward, auxiliary_of
from insitu.engines.torch.objective import Objective
from insitu.engines.torch.sampler import GridSampler
from insitu.engines.torch.sampling import Batch
from insitu.engines.training_loop import TrainingLoop
from insitu.models.base import Model


class TorchTrainer(TrainingLoop):
    """Implements `insitu.engines.base.Trainer`."""

    def __init__(
        self,
        model: Model,
        function: Forward,
        params: Singles,
        block: GridSampler,
        origin: Doubles,
        extent: Doubles,
        error_scale: Doubles,
        options: TrainerOptions,
        *,
        accelerated: bool,
    ) -> None:
        """function: of the model, on the block's device. accelerated: whether steps may be
        compiled, and captured as graphs where the device is a GPU of CUDA."""
        if block.components != model.n_outputs:
            raise ValueError(
                f"sampler: {block.components} components, the model has {model.n_outputs} outputs"
            )
        for name, values in (
            ("origin", origin), ("extent", extent), ("error_scale", error_scale)
        ):  # fmt: skip
            if len(values) != model.n_outputs:
                raise ValueError(
                    f"{name}: {len(values)} values, expected one value per component, of which "
                    f"there are {model.n_outputs}"
                )
        if options.batch < 1:
            raise ValueError(f"batch: {options.batch}, expected at least 1")
        device = self._device = block.device
        super().__init__(options)
        self._adam = Adam(options.beta1, options.beta2, options.epsilon, options.l2)
        batch = Batch(options.drawn, options.seed, options.boundary_share, options.boundary_sigma)
        chosen = options.chosen if options.chosen < options.drawn else None
        self._auxiliary, moving = model.auxiliary(), slice(0, 0)
        if self._auxiliary:
            moving = self._auxiliary.parameters
        objective = Objective(
            function, block.grid, batch, options.huber, auxiliary_of(model), moving.start,
            moving.stop, chosen,
        )  # fmt: skip
        with computing(device):
            self._volume = block.normalized(
                [float(low) for low in origin],
                [_inverse(e, p.dtype) for e, p in zip(extent, block.parts, strict=True)],
            )
            self._error_scale = torch.tensor(
                np.asarray(error_scale), dtype=torch.float32, device=device
            )
            self._params = params_of(model, params, device).clone().requires_grad_()
            self._gradient = torch.zeros_like(self._params, requires_grad=False)
            self._first = torch.zeros_like(self._gradient)
            self._second = torch.zeros_like(self._gradient)
            self._decayed = in_matrices(model, device)
            # Inputs and outputs of a step; tensors, so that a graph can read and write them.
            self._counter = torch.zeros((), dtype=torch.int64, device=device)
            # One step size, or one of each parameter where some have a rate of their own.
            self._step_size = torch.zeros(model.n_params if moving.stop else (), device=device)
            self._active = torch.zeros((), device=device)
            self._correction = torch.ones((), device=device)
            exact = torch.float64 if precise(device) == device else torch.float32
            self._sums = torch.zeros(5, dtype=exact, device=device)
            fast = accelerated and pays(options)
            self._objective = compiled(objective) if fast else objective
            self._optimise = compiled(self._adam) if fast else self._adam
            self._add_gradient: Callable[[], None] = self._eager_gradient
            self._update: Callable[[], None] = self._eager_update
            if accelerated and device.type == "cuda":
                self._add_gradient, self._update = self._captured()

    def _captured(self) -> tuple[Callable[[], None], Callable[[], None]]:
        """Gradient and update as CUDA graphs."""
        # The rate is still 0, so the calls for the graphs do not change the parameters.
        graphs = CudaGraph(self._eager_gradient), CudaGraph(self._eager_update)
        for tensor in (self._gradient, self._first, self._second):
            tensor.zero_()
        return graphs

    def _eager_gradient(self) -> None:
        loss, sums = self._objective(
            self._params, self._counter, self._volume, self._error_scale, self._active
        )
        (gradient,) = torch.autograd.grad(loss, self._params)
        self._gradient += gradient
        self._sums.copy_(sums)

    def _eager_update(self) -> None:
        with torch.no_grad():
            self._optimise(
                self._params, self._gradient, self._first, self._second, self._decayed,
                self._step_size, self._correction,
            )  # fmt: skip

    @property
    def params(self) -> Singles:
        return _copy(self._params)

    @property
    def gradient(self) -> Singles:
        return _copy(self._gradient)

    def step(self) -> None:
        with computing(self._device):
            rate = self._rate()  # by the averages before this batch
            objective = self._take_gradient()
            step_size = self._adam.step_size(rate, self.iteration)
            self._step_size.fill_(step_size)
            if self._auxiliary:
                active = self._is_active()
                own = step_size * self._auxiliary.rate if active else 0
                self._step_size[self._auxiliary.parameters] = own
                if active and math.isfinite(objective):
                    self._auxiliary.add(objective)
            self._correction.fill_(self._adam.correction(self.iteration))
            self._update()
            self.iteration += 1

    def compute_gradient(self) -> None:
        with computing(self._device):
            self._take_gradient()

    def _is_active(self) -> bool:
        """Whether the auxiliary objective trains in this step."""
        auxiliary = self._auxiliary
        return bool(auxiliary and auxiliary.active(self.iteration, self._options.iterations))

    def _take_gradient(self) -> float:
        """Returns the auxiliary objective."""
        self._counter.fill_(self.iteration)
        self._active.fill_(self._is_active())
        self._add_gradient()
        *sums, objective = self._sums.tolist()  # waits for the device
        self._average(*sums)
        return float(objective)


def _inverse(extent: float, dtype: torch.dtype) -> float:
    """1 / extent; 0 for a constant component, or a range that has no inverse in the precision of
    the data: there is nothing to learn."""
    return 1 / float(extent) if extent >= torch.finfo(dtype).tiny else 0.0


def _copy(vector: torch.Tensor) -> Singles:
    copied: Singles = vector.detach().to("cpu", copy=True).numpy()
    return copied
