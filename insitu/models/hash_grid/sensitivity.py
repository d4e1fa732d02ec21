"""Sensitivity of the output to noise in each array of a hash grid's parameters.

In: a network, its parameter vector, points. Out: one value per array, by backpropagation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from insitu.models import mlp
from insitu.models.hash_grid.reference import encode

if TYPE_CHECKING:
    from insitu.models.hash_grid.model import HashGrid

Floats = NDArray[np.float32]


def sensitivity(network: HashGrid, params: Floats, points: Floats, scale: Floats) -> Floats:
    """(n_arrays,): mean squared change of the output per unit variance of noise in an array.

    To first order, independent noise in every weight w of an array changes the outputs y by a mean
    square of var * sum_w (scale dy/dw)^2, averaged over points and components. This is that sum,
    one value for each of `HashGrid.arrays`. points (n, 3) in the unit cube, scale (n_outputs,).

    The derivatives with respect to a level's table are its feature's, times the trilinear weights.
    """
    matrices = network.weights(params)
    with np.errstate(over="ignore", invalid="ignore"):  # huge weights: the caller checks the sum
        features = encode(network, params, points)
        layers = mlp.forward(matrices, features, network.n_outputs)[:-1]
        total = np.zeros(len(matrices) + network.n_levels * network.n_features_per_level)
        for component, unit in enumerate(scale):
            of_matrices, above = mlp.sensitivity(matrices, layers, component, unit)
            total[: len(matrices)] += of_matrices
            total[len(matrices) :] += _of_features(network, points, above)
    return np.asarray(total / len(scale), np.float32)


def _of_features(network: HashGrid, points: Floats, above: Floats) -> Floats:
    """`sensitivity` of each feature of each level, from the derivatives by features, `above`
    (n, n_inputs)."""
    f = network.n_features_per_level
    sums = []
    for i, level in enumerate(network.levels):
        position = points * np.float32(level.scale) + np.float32(0.5)
        fraction = position - np.floor(position)
        corners = (fraction**2 + (1 - fraction) ** 2).prod(axis=1)  # sum of squared weights, (n,)
        sums.append(corners @ np.square(above[:, i * f : (i + 1) * f]) / len(points))
    return np.concatenate(sums)
