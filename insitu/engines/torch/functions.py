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

Auxiliary = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""params (n_params,), points (n, 3), squared errors (n,), which of them count (n,) -> the auxiliary
objective of a batch (`insitu.models.base.AuxiliaryObjective`), summed over its points."""

Make = Callable[[Any, torch.device], Forward]
"""A factory: model, and the device on which its function will be called -> that function."""

_makers: dict[str, Make] = {}
_auxiliaries: dict[str, Callable[[Any], Auxiliary]] = {}


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


def register_auxiliary(
    kind: str,
) -> Callable[[Callable[[Any], Auxiliary]], Callable[[Any], Auxiliary]]:
    """Decorator that registers the factory of auxiliary objectives for a kind of model."""

    def remember(make: Callable[[Any], Auxiliary]) -> Callable[[Any], Auxiliary]:
        _auxiliaries[kind] = make
        return make

    return remember


@lru_cache(maxsize=64)
def auxiliary_of(model: Model) -> Auxiliary | None:
    """The auxiliary objective of a model, the same object for equal models; None where it has none.
    Raises ValueError where it has one, but not in PyTorch."""
    if model.auxiliary() is None:
        return None
    if model.kind not in _auxiliaries:
        raise ValueError(f"model {model.kind!r}: its auxiliary objective is not there in PyTorch")
    return _auxiliaries[model.kind](model)


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
