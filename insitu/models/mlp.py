"""A multilayer perceptron with ReLU and without biases, from features to outputs.

In: a shape, the matrices, features of points. Out: outputs, gradients, sensitivity. A plain NumPy
implementation; engines have faster ones.

The layout is that of tiny-cuda-nn: matrices row-major (outputs, inputs), consecutive, with the
inputs of the first and the outputs of the last one padded to a multiple of 16.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.arrays import ParameterArray
from insitu.core.arrays import Floats

ALIGNMENT = 16
Shape = tuple[int, int]


def padded(n: int) -> int:
    """n rounded up to a multiple of 16."""
    return -(-n // ALIGNMENT) * ALIGNMENT


def matrix_shapes(n_features: int, n_neurons: int, n_hidden: int, n_outputs: int) -> list[Shape]:
    """(rows, columns) of each matrix."""
    hidden = [(n_neurons, n_neurons)] * (n_hidden - 1)
    return [(n_neurons, padded(n_features)), *hidden, (padded(n_outputs), n_neurons)]


def check(n_neurons: int, n_hidden: int, n_outputs: int) -> None:
    """Raises ValueError if no engine supports an MLP of this shape."""
    if n_neurons % ALIGNMENT or not 16 <= n_neurons <= 256:
        raise ValueError(f"n_neurons: {n_neurons} is not a multiple of 16 in 16..256")
    if not 1 <= n_hidden <= 64:
        raise ValueError(f"n_hidden_layers: {n_hidden} is not in 1..64")
    if not 1 <= n_outputs <= 16:
        raise ValueError(f"n_outputs: {n_outputs} is not in 1..16")


def matrices(shapes: Sequence[Shape], params: NDArray[Any]) -> list[NDArray[Any]]:
    """Views (rows, columns) of the matrices at the start of params."""
    views, offset = [], 0
    for rows, columns in shapes:
        views.append(params[offset : offset + rows * columns].reshape(rows, columns))
        offset += rows * columns
    return views


def initialise(
    matrices: Sequence[Floats], rng: np.random.Generator, n_features: int, n_outputs: int
) -> None:
    """Xavier uniform, in place; the padding becomes zero."""
    for matrix in matrices:
        limit = math.sqrt(6.0 / sum(matrix.shape))
        matrix[:] = rng.uniform(-limit, limit, matrix.shape)
    matrices[0][:, n_features:] = 0
    matrices[-1][n_outputs:] = 0


def arrays(matrices: Sequence[Floats], n_features: int, n_outputs: int) -> list[ParameterArray]:
    """The matrices without their padding."""
    parts = list(matrices)
    parts[0] = parts[0][:, :n_features]
    parts[-1] = parts[-1][:n_outputs]
    return [ParameterArray(f"mlp.{i}", "matrix", "mlp", m) for i, m in enumerate(parts)]


def forward(matrices: Sequence[Floats], features: Floats, n_outputs: int) -> list[Floats]:
    """features (n, padded) -> activations: features, each hidden layer after ReLU, outputs."""
    layers = [features]
    for matrix in matrices[:-1]:
        layers.append(np.maximum(layers[-1] @ matrix.T, 0))
    return [*layers, layers[-1] @ matrices[-1][:n_outputs].T]


def backward(
    matrices: Sequence[Floats],
    layers: Sequence[Floats],
    output_gradient: Floats,
    gradients: Sequence[Floats],
) -> Floats:
    """Adds the matrices' gradients to `gradients`; returns those by the features, (n, padded)."""
    above = output_gradient
    for i in reversed(range(len(matrices))):
        matrix = matrices[i][: above.shape[1]]
        gradients[i][: above.shape[1]] += above.T @ layers[i]
        above = above @ matrix
        if i > 0:
            above = np.where(layers[i] > 0, above, 0)
    return above


def sensitivity(
    matrices: Sequence[Floats], layers: Sequence[Floats], component: int, unit: float
) -> tuple[NDArray[np.float64], Floats]:
    """Sensitivity of one output: for each matrix, the sum over its weights of squared derivatives,
    averaged over the points, times unit^2; and the derivatives by the features (n, padded), times
    unit.

    The derivatives of a sample by a matrix are the outer product of the backpropagated gradient and
    the layer's input, so the sum of their squares is a product of two sums.
    """
    total = np.zeros(len(matrices))
    above: Floats = np.full((len(layers[0]), 1), unit, np.float32)
    matrix = matrices[-1][component : component + 1]
    for i in reversed(range(len(matrices))):
        total[i] = np.mean(np.square(above).sum(axis=1) * np.square(layers[i]).sum(axis=1))
        above = above @ matrix
        if i > 0:
            above = np.where(layers[i] > 0, above, 0)
            matrix = matrices[i - 1]
    return total, above
