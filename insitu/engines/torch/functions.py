"""The models that this engine knows, each as one differentiable function in PyTorch.

In: a kind of model, and what makes a function of its shape. Out: that function, of parameters and
points. Everything else - training, gradients, errors - follows from it by autograd.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch

from insitu.models.base import Model

Forward = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""params (n_params,), points (n, 3) -> outputs (n, n_outputs), all float32 and on one device."""

Make = Callable[[Any, torch.device], Forward]
"""A model, and the device on which its function will be called -> that function."""

_makers: dict[str, Make] = {}


def register(kind: str) -> Callable[[Make], Make]:
    """Decorator: this is what makes the function of a model of a kind.

    A model of another package need not be registered: a method `torch_forward(params, points)` of
    its class does as well. What depends on the shape alone, such as tables of constants, is made
    once, outside the function: a step is captured as a graph on CUDA, where no values may pass
    between Python and the device.
    """

    def remember(make: Make) -> Make:
        _makers[kind] = make
        return make

    return remember


def supports(model: Model) -> bool:
    """Whether there is a function for the model."""
    return hasattr(model, "torch_forward") or model.kind in _makers


@lru_cache(maxsize=64)
def function_of(model: Model, device: torch.device) -> Forward:
    """The function of a model: its own `torch_forward`, else the one of its kind. The same object
    for the same model. ValueError where there is neither."""
    own: Forward | None = getattr(model, "torch_forward", None)
    if own is not None:
        return own
    if model.kind not in _makers:
        raise ValueError(
            f"model {model.kind!r}: no function in PyTorch; give it a method torch_forward, or "
            "register one (insitu.engines.torch.functions)"
        )
    return _makers[model.kind](model, device)
