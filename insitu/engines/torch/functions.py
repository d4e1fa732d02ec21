"""The models that this engine supports, each as one differentiable function in PyTorch.

In: a kind of model, and a factory for its function. Out: that function, of parameters and points.
Everything else (training, gradients, errors) follows from it by autograd.
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
"""A factory: model, and the device on which its function will be called -> that function."""

_makers: dict[str, Make] = {}


def register(kind: str) -> Callable[[Make], Make]:
    """Decorator that registers the factory of functions for a kind of model.

    Models of other packages need not be registered: a method `torch_forward(params, points)` of
    the class is sufficient. Data that depend on the architecture only, such as tables of constants,
    are made once, outside the function: on CUDA, a step is captured as a graph, in which no values
    may be exchanged between Python and the device.
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
    """The function of a model: its own `torch_forward`, or else the one of its kind. The same
    object for equal models. Raises ValueError where there is neither."""
    own: Forward | None = getattr(model, "torch_forward", None)
    if own is not None:
        return own
    if model.kind not in _makers:
        raise ValueError(
            f"model {model.kind!r}: no PyTorch implementation; define torch_forward, or "
            "register a function with insitu.engines.torch.functions"
        )
    return _makers[model.kind](model, device)
