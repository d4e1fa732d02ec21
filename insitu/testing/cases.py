"""Models, parameters, points and blocks for the test suites.

In: seeds. Out: plain arrays, reproducible.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.engines.base import Engine, Layers, Sampler
from insitu.engines.options import TrainerOptions
from insitu.models.adaptive_grid.model import AdaptiveGrid
from insitu.models.base import Model
from insitu.models.dense_grid.model import DenseGrid
from insitu.models.hash_grid.model import HashGrid

Singles = NDArray[np.float32]

NO_GHOSTS: Layers = ((0, 0), (0, 0), (0, 0))

OPTIONS = TrainerOptions(
    batch=300,
    learning_rate=1e-2,
    final_rate=0.1,
    decay="exponential",
    iterations=20,
    seconds=1e9,
    average=0.9,
    huber=0.02,
    seed=7,
    boundary_share=0.15,
)


def models() -> list[Model]:
    """Hash grids: dense and hashed levels, several outputs, inputs that need padding. Dense grids:
    an axis longer than another, with and without Fourier features. Adaptive grids."""
    return [
        HashGrid(log2_hashmap_size=10),
        HashGrid(n_levels=8, n_features_per_level=2, per_level_scale=1.5, n_outputs=3),
        HashGrid(n_levels=3, n_features_per_level=2, n_outputs=2, n_hidden_layers=1),
        HashGrid(n_levels=1, n_features_per_level=8, base_resolution=16, n_neurons=32),
        HashGrid(n_levels=5, n_features_per_level=1, log2_hashmap_size=6, n_neurons=64),
        DenseGrid(resolution=(7, 5, 2), n_outputs=2),
        DenseGrid(resolution=(4, 4, 6), n_features=4, n_frequencies=3, n_neurons=32),
        AdaptiveGrid(n_grids=3, resolution=4, n_outputs=2),
    ]


def parameters(model: Model, seed: int = 0) -> Singles:
    """Parameters (n_params,) as large as after training, so that rounding errors are realistic."""
    params = model.initial(seed)
    rng = np.random.default_rng(seed)
    for array in model.arrays(params):
        if array.role != "matrix":
            array.values[...] = rng.normal(0, 0.3, array.values.shape)
    return params


def points(n: int, seed: int = 1) -> Singles:
    """Points (n, 3) of the unit cube, including its corners."""
    places = np.random.default_rng(seed).random((n, 3), dtype=np.float32)
    corners = np.array(list(np.ndindex(2, 2, 2)), np.float32)[:n]
    places[: len(corners)] = corners
    return places


@dataclass(frozen=True, eq=False)
class Block:
    """A raw block with ghost layers, as for `Engine.sampler`."""

    components: tuple[Floats, ...]
    ghost_layers: Layers = ((1, 0), (1, 1), (0, 1))
    cells: tuple[int, int, int] = (5, 6, 8)
    vertex: bool = False

    @staticmethod
    def random(
        components: int = 1, dtype: Any = np.float64, *, vertex: bool = False, holes: bool = False
    ) -> Block:
        """holes: some samples are NaN or infinite."""
        empty = Block((), vertex=vertex)
        shape = [
            n + vertex + low + high
            for n, (low, high) in zip(empty.cells, empty.ghost_layers, strict=True)
        ]
        rng = np.random.default_rng(3)
        arrays = tuple(rng.random(shape).astype(dtype) for _ in range(components))
        if holes:
            arrays[0][2:4, 3, 4] = np.nan
            arrays[0][1, 1, 1] = np.inf
            arrays[0][4, 2, 2] = -np.inf
        return replace(empty, components=arrays)

    def sampler(self, engine: Engine) -> Sampler:
        return engine.sampler(self.components, self.ghost_layers, self.cells, self.vertex)
