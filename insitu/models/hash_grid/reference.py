"""The equations of the hash grid in NumPy: a slow reference for reading and for tests.

In: the architecture (`HashGrid`), parameters, points of the unit cube. Out: values, gradients.

Encoding: Mueller et al., "Instant Neural Graphics Primitives", 2022, section 3, with the layout
of tiny-cuda-nn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from insitu.models import mlp

if TYPE_CHECKING:
    from insitu.models.hash_grid.levels import Level
    from insitu.models.hash_grid.model import HashGrid


Array = NDArray[np.floating]

PRIMES = np.array([1, 2654435761, 805459861], dtype=np.uint32)
CORNERS = np.array([[c & 1, c >> 1 & 1, c >> 2 & 1] for c in range(8)])  # (8, 3): x, y, z


def corners(level: Level, points: Array) -> tuple[NDArray[np.int64], Array, Array]:
    """Table indices and trilinear weights of the 8 corners around each point, at one level.

    points (n, 3) -> index (n, 8), weight (n, 8), fraction (n, 3).
    """
    position = points * np.float32(level.scale) + np.float32(0.5)  # (n, 3)
    cell = np.floor(position)
    fraction = position - cell
    vertex = cell[:, None, :].astype(np.uint32) + CORNERS.astype(np.uint32)  # (n, 8, 3)
    if level.hashed:
        h = vertex * PRIMES  # wraps at 32 bits, as intended
        index = (h[..., 0] ^ h[..., 1] ^ h[..., 2]) % np.uint32(level.size)
    else:
        r = np.uint32(level.resolution)
        index = (vertex[..., 0] + r * (vertex[..., 1] + r * vertex[..., 2])) % np.uint32(level.size)
    side = np.where(CORNERS == 1, fraction[:, None, :], 1 - fraction[:, None, :])  # (n, 8, 3)
    return index.astype(np.int64), side.prod(axis=2), fraction


def encode(network: HashGrid, params: Array, points: Array) -> Array:
    """points (n, 3) -> features (n, n_inputs), zero-padded to a multiple of 16."""
    features = np.zeros((len(points), network.n_inputs), params.dtype)
    f = network.n_features_per_level
    for i, level in enumerate(network.levels):
        index, weight, _ = corners(level, points)
        table = network.table(params, i)  # (size, f)
        features[:, i * f : (i + 1) * f] = (weight[..., None] * table[index]).sum(axis=1)
    return features


def evaluate(network: HashGrid, params: Array, points: Array) -> Array:
    """points (n, 3) -> outputs (n, n_outputs)."""
    return _forward(network, params, points)[-1]


def _forward(network: HashGrid, params: Array, points: Array) -> list[Array]:
    """Activations: features, each hidden layer after ReLU, outputs."""
    features = encode(network, params, points)
    return mlp.forward(network.weights(params), features, network.n_outputs)


def backward(
    network: HashGrid, params: Array, points: Array, output_gradient: Array
) -> tuple[Array, Array]:
    """Gradients for output_gradient (n, n_outputs): by params (n_params,), by points (n, 3)."""
    gradient = np.zeros_like(params)
    above = mlp.backward(
        network.weights(params),
        _forward(network, params, points),
        output_gradient,
        network.weights(gradient),
    )
    return gradient, _encode_backward(network, params, points, above, gradient)


def _encode_backward(
    network: HashGrid, params: Array, points: Array, above: Array, gradient: Array
) -> Array:
    """Adds the tables' gradients to `gradient`; returns the gradient by the points (n, 3)."""
    f = network.n_features_per_level
    point_gradient = np.zeros_like(points)
    for i, level in enumerate(network.levels):
        index, weight, fraction = corners(level, points)
        g = above[:, None, i * f : (i + 1) * f]  # (n, 1, f)
        np.add.at(network.table(gradient, i), index, weight[..., None] * g)
        along = (network.table(params, i)[index] * g).sum(axis=2)  # (n, 8)
        side = np.where(CORNERS == 1, fraction[:, None, :], 1 - fraction[:, None, :])
        for axis in range(3):
            others = side[..., (axis + 1) % 3] * side[..., (axis + 2) % 3]
            sign = np.where(CORNERS[:, axis] == 1, 1, -1)
            point_gradient[:, axis] += level.scale * (sign * others * along).sum(axis=1)
    return point_gradient
