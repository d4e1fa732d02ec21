"""The NumPy engine: slow, but simple enough to verify by reading. It supports every model.

In: models, parameters, blocks. Out: the operations of `insitu.engines.base`, by the models' own
equations (`Model.evaluate`, `Model.backward`) in double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.engines.base import (
    BrickCache,
    Bricks,
    Doubles,
    Engine,
    Layers,
    ReadBox,
    Sampler,
    Singles,
)
from insitu.engines.lattice import lattice_reader
from insitu.engines.measure import measure
from insitu.engines.numpy import bricks as lattice_bricks
from insitu.engines.numpy import march, rasterize, sampling
from insitu.engines.numpy.sampler import GridSampler
from insitu.engines.numpy.training import Trainer
from insitu.engines.options import Errors, MarchOptions, RasterOptions, TrainerOptions
from insitu.models.base import Model

PIECE = 1 << 14  # points that are evaluated at once


class NumpyEngine(Engine):
    """The reference engine, with which `insitu.testing.EngineConformance` compares all others."""

    name: ClassVar[str] = "numpy"
    draws: ClassVar[bool] = True

    @property
    def device(self) -> str:
        return f"CPU, NumPy {np.__version__}"

    def supports(self, model: Model) -> bool:
        return True

    def sampler(
        self,
        components: Sequence[Floats],
        ghost_layers: Layers,
        cells: tuple[int, int, int],
        vertex: bool,
    ) -> GridSampler:
        return GridSampler(components, ghost_layers, cells, vertex)

    def draw(
        self, seed: int, boundary_share: float, boundary_sigma: float, iteration: int, batch: int
    ) -> Singles:
        return sampling.draw(seed, boundary_share, boundary_sigma, iteration, batch)

    def trainer(
        self,
        model: Model,
        params: Singles,
        sampler: Sampler,
        origin: Doubles,
        extent: Doubles,
        error_scale: Doubles,
        options: TrainerOptions,
    ) -> Trainer:
        _check_params(model, params)
        block = _block(sampler)
        if block.components != model.n_outputs:
            raise ValueError(
                f"sampler: {block.components} components, the model has {model.n_outputs} outputs"
            )
        for name, values in (("origin", origin), ("extent", extent), ("error_scale", error_scale)):
            if len(values) != model.n_outputs:
                raise ValueError(f"{name}: expected one value per component")
        if options.batch < 1:
            raise ValueError("batch: expected at least 1")
        return Trainer(model, params, block, origin, extent, error_scale, options)

    def evaluate(self, model: Model, params: Singles, points: Floats) -> Singles:
        _check_params(model, params)
        _check_points(points)
        wide, singles = params.astype(np.float64), np.asarray(points, np.float32)
        outputs = np.empty((len(points), model.n_outputs), np.float32)
        for begin in range(0, len(points), PIECE):
            piece = slice(begin, begin + PIECE)
            outputs[piece] = model.evaluate(wide, singles[piece])
        return outputs

    def evaluate_grid(
        self, model: Model, params: Singles, xs: Floats, ys: Floats, zs: Floats
    ) -> Singles:
        z, y, x = np.meshgrid(zs, ys, xs, indexing="ij")
        points = np.stack((x, y, z), axis=-1).reshape(-1, 3)
        return self.evaluate(model, params, points).reshape(*x.shape, model.n_outputs)

    def gradient(self, model: Model, params: Singles, points: Floats) -> Singles:
        _check_params(model, params)
        _check_points(points)
        wide, singles = params.astype(np.float64), np.asarray(points, np.float32)
        slopes = np.empty((len(points), model.n_outputs, 3), np.float32)
        for begin in range(0, len(points), PIECE):
            piece = slice(begin, begin + PIECE)
            for output in range(model.n_outputs):
                one = np.zeros((len(singles[piece]), model.n_outputs))
                one[:, output] = 1
                slopes[piece, output] = model.backward(wide, singles[piece], one)[1]
        return slopes

    def measure(
        self,
        model: Model | None,
        params: Singles,
        sampler: Sampler,
        origin: Doubles,
        extent: Doubles,
        begin: int,
        end: int,
        every: int = 1,
    ) -> list[Errors]:
        outputs = None if model is None else lambda points: self.evaluate(model, params, points)
        block = _block(sampler)
        owned = [block.own(component) for component in range(block.components)]
        return measure(outputs, owned, block.vertex, origin, extent, begin, end, every)

    def brick_cache(self, nbytes: int) -> lattice_bricks.BrickCache:
        return lattice_bricks.BrickCache(nbytes)

    def bricks_of_model(
        self,
        model: Model | None,
        params: Singles,
        origin: Doubles,
        extent: Doubles,
        cells: tuple[int, int, int],
        vertex: bool,
        cache: BrickCache,
    ) -> Bricks:
        read = lattice_reader(self, model, params, origin, extent, cells, vertex)
        return self.bricks_of_function(read, len(origin), cells, vertex, cache)

    def bricks_of_sampler(self, sampler: Sampler, cache: BrickCache) -> Bricks:
        block = _block(sampler)
        read = lattice_bricks.read_sampler(block)
        return self.bricks_of_function(read, block.components, block.cells, block.vertex, cache)

    def bricks_of_function(
        self,
        read: ReadBox,
        components: int,
        cells: tuple[int, int, int],
        vertex: bool,
        cache: BrickCache,
    ) -> Bricks:
        if not isinstance(cache, lattice_bricks.BrickCache):
            raise TypeError(f"cache: {type(cache).__name__} was not created by engine numpy")
        return lattice_bricks.LatticeBricks(read, components, cells, vertex, cache)

    def march(
        self, bricks: Bricks, nodes: tuple[Floats, Floats, Floats], options: MarchOptions
    ) -> Singles:
        if not isinstance(bricks, lattice_bricks.LatticeBricks):
            raise TypeError(f"bricks: {type(bricks).__name__} was not created by engine numpy")
        return march.march(bricks, nodes, options)

    def rasterize(
        self,
        points: Floats,
        triangles: NDArray[np.integer[Any]],
        normals: Floats | None,
        values: Floats | None,
        options: RasterOptions,
        rgba: Singles,
        depth: Singles,
    ) -> None:
        rasterize.rasterize(points, triangles, normals, values, options, rgba, depth)


def _block(sampler: Sampler) -> GridSampler:
    """TypeError for a sampler of another engine."""
    if not isinstance(sampler, GridSampler):
        raise TypeError(f"sampler: {type(sampler).__name__} was not created by engine numpy")
    return sampler


def _check_params(model: Model, params: Singles) -> None:
    if params.shape != (model.n_params,):
        raise ValueError(f"params: expected shape ({model.n_params},), found {params.shape}")


def _check_points(points: Floats) -> None:
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"points: expected shape (n, 3), found {points.shape}")
