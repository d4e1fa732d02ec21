"""The equations of a dense grid, in NumPy.

In: the architecture (`DenseGrid`), parameters, points of the unit cube. Out: values, gradients,
sensitivity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.models import mlp

if TYPE_CHECKING:
    from insitu.models.dense_grid.model import DenseGrid


CORNERS = np.array([[c & 1, c >> 1 & 1, c >> 2 & 1] for c in range(8)])  # (8, 3): x, y, z


def _corners(model: DenseGrid, points: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Vertices (n, 8) around points (n, 3), and the positions in their cells (n, 3), 0..1."""
    resolution = np.array(model.resolution)
    position = points * (resolution - 1).astype(points.dtype)
    cell = np.clip(np.floor(position), 0, resolution - 2).astype(np.int64)
    at = cell[:, None, :] + CORNERS  # (n, 8, 3)
    rx, ry, _ = model.resolution
    index = at[..., 0] + rx * (at[..., 1] + ry * at[..., 2])
    return index, (position - cell).astype(points.dtype)


def _sides(fraction: Floats) -> Floats:
    """(n, 8, 3): factor of each axis in the trilinear weight of each corner."""
    sides: Floats = np.where(CORNERS == 1, fraction[:, None, :], 1 - fraction[:, None, :])
    return sides


def _angles(model: DenseGrid, points: Floats) -> Floats:
    """(n, n_frequencies, 3): pi 2^k x modulo 2 pi; the reduction is exact."""
    powers = 2.0 ** np.arange(model.n_frequencies).astype(points.dtype)
    turned = points[:, None, :] * powers[:, None]
    return np.asarray(np.pi * (turned - 2 * np.floor(turned / 2)), points.dtype)


def encode(model: DenseGrid, params: Floats, points: Floats) -> Floats:
    """points (n, 3) -> inputs of the MLP (n, padded), zero beyond `n_encoded`."""
    index, fraction = _corners(model, points)
    encoded = np.zeros((len(points), model.matrix_shapes[0][1]), params.dtype)
    weight = _sides(fraction).prod(axis=2)
    encoded[:, : model.n_features] = (weight[..., None] * model.table(params)[index]).sum(axis=1)
    if model.n_frequencies:
        angles = _angles(model, points)
        waves = np.stack([np.sin(angles), np.cos(angles)], axis=2)  # (n, k, 2, 3)
        encoded[:, model.n_features : model.n_encoded] = waves.reshape(len(points), -1)
    return encoded


def _forward(model: DenseGrid, params: Floats, points: Floats) -> list[Floats]:
    return mlp.forward(model.weights(params), encode(model, params, points), model.n_outputs)


def evaluate(model: DenseGrid, params: Floats, points: Floats) -> Floats:
    """points (n, 3) -> outputs (n, n_outputs)."""
    return _forward(model, params, points)[-1]


def backward(
    model: DenseGrid, params: Floats, points: Floats, output_gradient: Floats
) -> tuple[Floats, Floats]:
    """Gradients for output_gradient (n, n_outputs): by params (n_params,), by points (n, 3)."""
    gradient = np.zeros_like(params)
    layers = _forward(model, params, points)
    above = mlp.backward(model.weights(params), layers, output_gradient, model.weights(gradient))
    index, fraction = _corners(model, points)
    sides = _sides(fraction)
    g = above[:, None, : model.n_features]  # (n, 1, f)
    np.add.at(model.table(gradient), index, sides.prod(axis=2)[..., None] * g)
    along = (model.table(params)[index] * g).sum(axis=2)  # (n, 8)
    of_points = np.zeros_like(points)
    for axis in range(3):
        others = sides[..., (axis + 1) % 3] * sides[..., (axis + 2) % 3]
        sign = np.where(CORNERS[:, axis] == 1, 1, -1)
        of_points[:, axis] = (model.resolution[axis] - 1) * (sign * others * along).sum(axis=1)
    if model.n_frequencies:
        shape = (len(points), model.n_frequencies, 2, 3)
        waves = above[:, model.n_features : model.n_encoded].reshape(shape)
        angles = _angles(model, points)
        slope = waves[:, :, 0] * np.cos(angles) - waves[:, :, 1] * np.sin(angles)
        rate = np.pi * 2.0 ** np.arange(model.n_frequencies)
        of_points += (slope * rate[:, None]).sum(axis=1).astype(points.dtype)
    return gradient, of_points


def sensitivity(model: DenseGrid, params: Floats, points: Floats, scale: Floats) -> Floats:
    """As `Model.sensitivity`, in one pass: the derivatives by the grid are those by the feature,
    times the trilinear weights."""
    matrices = model.weights(params)
    _, fraction = _corners(model, points)
    squared = (fraction**2 + (1 - fraction) ** 2).prod(axis=1)  # sum of squared weights, (n,)
    total = np.zeros(len(matrices) + model.n_features)
    with np.errstate(over="ignore", invalid="ignore"):  # huge weights: the caller checks the sum
        layers = _forward(model, params, points)[:-1]
        for component, unit in enumerate(scale):
            of_matrices, above = mlp.sensitivity(matrices, layers, component, unit)
            total[: len(matrices)] += of_matrices
            of_grid = squared @ np.square(above[:, : model.n_features])
            total[len(matrices) :] += of_grid / len(points)
    return np.asarray(total / len(scale), np.float32)
