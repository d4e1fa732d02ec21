"""A hash grid as a module of tiny-cuda-nn, and as a differentiable function.

In: the architecture. Out: tiny-cuda-nn's configuration; a function of parameters and points, whose
parameter vector is the model's own.
"""

from __future__ import annotations

from typing import Any

import torch

from insitu.engines.torch.functions import Forward
from insitu.models.hash_grid.model import HashGrid

_FUSED = (16, 32, 64, 128)  # widths that FullyFusedMLP has; CutlassMLP has all


def configuration(model: HashGrid) -> tuple[dict[str, Any], dict[str, Any]]:
    """Encoding and network, as in tiny-cuda-nn's documentation."""
    encoding = {
        "otype": "HashGrid",
        "n_levels": model.n_levels,
        "n_features_per_level": model.n_features_per_level,
        "log2_hashmap_size": model.log2_hashmap_size,
        "base_resolution": model.base_resolution,
        "per_level_scale": model.per_level_scale,
    }
    network = {
        "otype": "FullyFusedMLP" if model.n_neurons in _FUSED else "CutlassMLP",
        "activation": "ReLU",
        "output_activation": "None",
        "n_neurons": model.n_neurons,
        "n_hidden_layers": model.n_hidden_layers,
    }
    return encoding, network


def module_of(package: Any, model: HashGrid) -> Any:
    """The module of a model. Raises ValueError where its parameters are not the model's."""
    module = package.NetworkWithInputEncoding(3, model.n_outputs, *configuration(model))
    if module.params.numel() != model.n_params:
        raise ValueError(
            f"model hash_grid: tiny-cuda-nn has {module.params.numel()} parameters, the model "
            f"{model.n_params}: levels of per_level_scale {model.per_level_scale} are rounded "
            "differently; choose a slightly different one"
        )
    return module


def function_of(module: Any) -> Forward:
    """The module as a function of parameters and points; it pads the batch, computes in half
    precision, and gives float32."""

    def forward(params: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = torch.func.functional_call(module, {"params": params}, (points,))
        return outputs.float()

    return forward
