"""The MLP at the end of models, in PyTorch: ReLU, no biases, matrices padded to 16.

In: one parameter vector. Out: its matrices and its table of features; outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

Split = Callable[[torch.Tensor], tuple[list[torch.Tensor], torch.Tensor]]


def splitter(
    shapes: Sequence[tuple[int, int]], n_table: int, n_features: int, n_outputs: int
) -> Split:
    """A function that splits a parameter vector into the matrices of `shapes`, without the padding
    of inputs and outputs, and `n_table` values."""
    # split instead of slices: its gradient is written once, not once per part.
    sizes = [*(rows * columns for rows, columns in shapes), n_table]

    def split(params: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        *flat, table = params.split(sizes)
        matrices = [part.view(shape) for part, shape in zip(flat, shapes, strict=True)]
        matrices[0] = matrices[0][:, :n_features]
        matrices[-1] = matrices[-1][:n_outputs]
        return matrices, table

    return split


def mlp(matrices: Sequence[torch.Tensor], features: torch.Tensor) -> torch.Tensor:
    """features (n, n_features) -> outputs (n, n_outputs)."""
    layer = features
    for matrix in matrices[:-1]:
        layer = torch.relu(layer @ matrix.T)
    return layer @ matrices[-1].T
