"""The equations of adaptive grids, in NumPy.

In: the architecture (`AdaptiveGrid`), parameters, points of the unit cube. Out: values, gradients,
sensitivity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.models import mlp

if TYPE_CHECKING:
    from insitu.models.adaptive_grid.model import AdaptiveGrid


CORNERS = np.array([[c & 1, c >> 1 & 1, c >> 2 & 1] for c in range(8)])  # (8, 3): x, y, z


def world(points: Floats) -> Floats:
    """points (n, 3) of the unit cube -> of [-1, 1]^3."""
    return np.asarray(2 * points - 1, points.dtype)


def local(model: AdaptiveGrid, params: Floats, points: Floats) -> Floats:
    """points (n, 3) -> their coordinates in each grid's own cube (n, n_grids, 3)."""
    transforms = model.transforms(params)
    moved: Floats = np.einsum("gab,nb->nga", transforms[..., :3], world(points))
    return moved + transforms[..., 3]


class _Places(NamedTuple):
    """Where points lie in the grids."""

    vertices: NDArray[np.int64]
    """(n, n_grids, 8): vertices of the cell."""
    sides: Floats
    """(n, n_grids, 8, 3): factor of each axis in the weight of each vertex."""
    slopes: Floats
    """(n, n_grids, 8, 3): its derivative by the position."""


def _places(model: AdaptiveGrid, params: Floats, points: Floats) -> _Places:
    r = model.resolution
    position = (local(model, params, points) + 1) * (0.5 * (r - 1))
    # A point beyond the outermost vertices blends with 0 over one cell, as in the authors' code.
    blended = (position > -1) & (position < r)
    position = np.clip(position, -1, r).astype(points.dtype)
    cell = np.floor(position).astype(np.int64)
    fraction = (position - cell)[:, :, None]
    at = cell[:, :, None] + CORNERS  # (n, g, 8, 3)
    inside = (at >= 0) & (at < r)
    sides = np.where(inside, np.where(CORNERS == 1, fraction, 1 - fraction), 0)
    slopes = np.where(inside & blended[:, :, None], np.where(CORNERS == 1, 1, -1), 0)
    at = np.clip(at, 0, r - 1)
    vertices = at[..., 0] + r * (at[..., 1] + r * at[..., 2])
    return _Places(vertices, sides.astype(points.dtype), slopes)


def _corners(model: AdaptiveGrid, params: Floats, places: _Places) -> Floats:
    """Features at the vertices of the cells (n, n_grids, 8, n_features)."""
    grid = np.arange(model.n_grids)[:, None]
    corners: Floats = model.tables(params)[grid, places.vertices]
    return corners


def _encode(model: AdaptiveGrid, params: Floats, places: _Places) -> Floats:
    """Inputs of the MLP (n, padded), zero beyond `n_encoded`."""
    weight = places.sides.prod(axis=3)[..., None]
    features = (weight * _corners(model, params, places)).sum(axis=2)
    n = len(features)
    encoded = np.zeros((n, model.matrix_shapes[0][1]), params.dtype)
    encoded[:, : model.n_encoded] = features.reshape(n, model.n_encoded)
    return encoded


def _forward(model: AdaptiveGrid, params: Floats, places: _Places) -> list[Floats]:
    encoded = _encode(model, params, places)
    return mlp.forward(model.weights(params), encoded, model.n_outputs)


def evaluate(model: AdaptiveGrid, params: Floats, points: Floats) -> Floats:
    """points (n, 3) -> outputs (n, n_outputs)."""
    return _forward(model, params, _places(model, params, points))[-1]


def _by_local(model: AdaptiveGrid, params: Floats, places: _Places, g: Floats) -> Floats:
    """Derivatives by local coordinates (n, n_grids, 3), for those by features g (n, n_grids, f)."""
    along = (_corners(model, params, places) * g[:, :, None]).sum(axis=3)  # (n, g, 8)
    result = np.empty((*g.shape[:2], 3), params.dtype)
    for axis in range(3):
        others = places.sides[..., (axis + 1) % 3] * places.sides[..., (axis + 2) % 3]
        by_position = (places.slopes[..., axis] * others * along).sum(axis=2)
        result[..., axis] = 0.5 * (model.resolution - 1) * by_position
    return result


def backward(
    model: AdaptiveGrid, params: Floats, points: Floats, output_gradient: Floats
) -> tuple[Floats, Floats]:
    """Gradients for output_gradient (n, n_outputs): by params (n_params,), by points (n, 3)."""
    gradient = np.zeros_like(params)
    places = _places(model, params, points)
    layers = _forward(model, params, places)
    above = mlp.backward(model.weights(params), layers, output_gradient, model.weights(gradient))
    g = above[:, : model.n_encoded].reshape(-1, model.n_grids, model.n_features)
    grid = np.arange(model.n_grids)[:, None]
    weight = places.sides.prod(axis=3)[..., None]
    np.add.at(model.tables(gradient), (grid, places.vertices), weight * g[:, :, None])
    by_local = _by_local(model, params, places, g)
    of_transforms = model.transforms(gradient)
    of_transforms[..., :3] = np.einsum("nga,nb->gab", by_local, world(points))
    of_transforms[..., 3] = by_local.sum(axis=0)
    of_points = 2 * np.einsum("nga,gab->nb", by_local, model.transforms(params)[..., :3])
    return gradient, np.asarray(of_points, points.dtype)


def sensitivity(model: AdaptiveGrid, params: Floats, points: Floats, scale: Floats) -> Floats:
    """As `Model.sensitivity`, in one pass."""
    matrices = model.weights(params)
    places = _places(model, params, points)
    squared = (places.sides**2).prod(axis=3).sum(axis=2)  # sum of squared weights, (n, g)
    reach = 1 + np.square(world(points)).sum(axis=1)
    total = np.zeros(len(matrices) + 1 + model.n_features)
    with np.errstate(over="ignore", invalid="ignore"):  # huge weights: the caller checks the sum
        layers = _forward(model, params, places)[:-1]
        for component, unit in enumerate(scale):
            of_matrices, above = mlp.sensitivity(matrices, layers, component, unit)
            total[: len(matrices)] += of_matrices
            g = above[:, : model.n_encoded].reshape(-1, model.n_grids, model.n_features)
            by_local = np.square(_by_local(model, params, places, g)).sum(axis=(1, 2))
            total[len(matrices)] += (by_local * reach).mean()
            of_grids = (squared[..., None] * np.square(g)).sum(axis=(0, 1))
            total[len(matrices) + 1 :] += of_grids / len(points)
    return np.asarray(total / len(scale), np.float32)
