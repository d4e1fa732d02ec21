"""The C++ engine.

In: models, parameters, blocks. Out: the operations of `insitu.engines.base`, by compiled kernels on
as many threads as this process may use. No other module imports the extension.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.core.device_arrays import host
from insitu.engines.base import (
    BrickCache,
    Bricks,
    Doubles,
    Engine,
    Layers,
    ReadBox,
    Sampler,
    Singles,
    Trainer,
)
from insitu.engines.cpu import gaussians
from insitu.engines.cpu.native import lib
from insitu.engines.cpu.sparse_readers import SparseReaders
from insitu.engines.lattice import lattice_reader
from insitu.engines.measure import measure
from insitu.engines.options import Errors, MarchOptions, RasterOptions, Statistics, TrainerOptions
from insitu.engines.points import PointSampler
from insitu.engines.threads import threads
from insitu.models.adaptive_grid.model import AdaptiveGrid
from insitu.models.base import Model
from insitu.models.dense_grid.model import DenseGrid
from insitu.models.gaussians.model import Gaussians
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid

if TYPE_CHECKING:
    from insitu.engines.cpu import _native


def network_arguments(model: HashGrid) -> dict[str, Any]:
    """Arguments of the extension's `Network`, which gets the levels' scales from the model."""
    return {
        "scales": [level.scale for level in model.levels],
        "n_features_per_level": model.n_features_per_level,
        "log2_hashmap_size": model.log2_hashmap_size,
        "n_neurons": model.n_neurons,
        "n_hidden_layers": model.n_hidden_layers,
        "n_outputs": model.n_outputs,
    }


# Makers of the extension's networks, by the kind of model.
_NETWORKS: dict[type[Model], Callable[[Any], Any]] = {
    HashGrid: lambda model: lib.Network(**network_arguments(model)),
    DenseGrid: lambda model: lib.Network.dense_grid(**model.to_dict()),
    AdaptiveGrid: lambda model: lib.Network.adaptive_grid(**model.to_dict()),
}


@lru_cache(maxsize=256)
def native_network(model: Model) -> _native.Network:
    """The extension's network of the same architecture."""
    return _NETWORKS[type(model)](model)


def _native_or_none(model: Model | None) -> _native.Network | None:
    return None if model is None else native_network(model)


class GridSampler:
    """A raw block that the extension reads in place."""

    def __init__(
        self,
        components: Sequence[Floats],
        ghost_layers: Layers,
        cells: tuple[int, int, int],
        vertex: bool,
    ) -> None:
        components = [host(component) for component in components]
        self.native = lib.GridSampler(tuple(components), ghost_layers, cells, vertex)
        self.vertex = vertex
        self.owned = [_owned(component, ghost_layers) for component in components]
        """The owned samples of each component, (nz, ny, nx)."""

    @property
    def components(self) -> int:
        return self.native.components

    @property
    def samples(self) -> int:
        return self.native.samples

    def statistics(self, component: int) -> Statistics:
        return Statistics(**self.native.statistics(component))

    def sample(self, points: Floats) -> Singles:
        return self.native.sample(points)


class CpuEngine(Engine):
    """C++17 with SIMD, on threads."""

    name: ClassVar[str] = "cpu"
    draws: ClassVar[bool] = True

    def __init__(self) -> None:
        self._sparse = SparseReaders()

    @property
    def device(self) -> str:
        return f"CPU, {lib.isa} build, {threads()} thread{'s' if threads() > 1 else ''}"

    def supports(self, model: Model) -> bool:
        return type(model) in _NETWORKS or type(model) in (SparseGrid, Gaussians)

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
        return lib.draw(seed, boundary_share, boundary_sigma, iteration, batch)

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
        if isinstance(model, SparseGrid):
            raise ValueError(f"model {model.kind}: fitted in closed form, not trained")
        if isinstance(model, Gaussians):
            raise ValueError(f"model {model.kind}: trained on points, by `point_trainer`")
        settings = {**asdict(options), "threads": threads()}
        settings |= {"drawn": options.drawn, "chosen": options.chosen}
        return lib.Trainer(
            native_network(model), params, _block(sampler), origin, extent, error_scale, settings
        )

    def point_trainer(
        self,
        model: Model,
        params: Singles,
        sampler: PointSampler,
        origin: Doubles,
        extent: Doubles,
        error_scale: Doubles,
        options: TrainerOptions,
    ) -> Trainer:
        settings = (params, sampler, origin, extent, error_scale, options)
        if isinstance(model, Gaussians):
            return gaussians.GaussianTrainer(model, *settings)
        return super().point_trainer(model, *settings)

    def evaluate(self, model: Model, params: Singles, points: Floats) -> Singles:
        if isinstance(model, SparseGrid):
            return self._sparse.reader(model, params).at(points, threads=threads())
        if isinstance(model, Gaussians):
            return gaussians.evaluate(model, params, points)
        return lib.evaluate(native_network(model), params, points, threads())

    def evaluate_blocks(
        self,
        models: Sequence[Model],
        params: Sequence[Singles],
        points: Floats,
        ends: Sequence[int],
    ) -> Singles:
        if any(isinstance(model, SparseGrid) for model in models):
            return super().evaluate_blocks(models, params, points, ends)
        networks = [native_network(model) for model in models]
        return lib.evaluate_blocks(networks, params, points, ends, threads())

    def evaluate_grid(
        self, model: Model, params: Singles, xs: Floats, ys: Floats, zs: Floats
    ) -> Singles:
        if isinstance(model, SparseGrid):
            return self._sparse.reader(model, params).grid(xs, ys, zs, threads())
        if isinstance(model, Gaussians):
            return gaussians.evaluate_grid(model, params, xs, ys, zs)
        return lib.evaluate_grid(native_network(model), params, xs, ys, zs, threads())

    def gradient(self, model: Model, params: Singles, points: Floats) -> Singles:
        if isinstance(model, SparseGrid):
            return self._sparse.reader(model, params).at(points, slopes=True, threads=threads())
        if isinstance(model, Gaussians):
            return gaussians.evaluate(model, params, points, derivatives=True)
        return lib.evaluate_gradient(native_network(model), params, points, threads())

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
        if isinstance(model, (SparseGrid, Gaussians)):
            block = _own_sampler(sampler)
            return measure(
                lambda points: self.evaluate(model, params, points),
                block.owned, block.vertex, origin, extent, begin, end, every,
            )  # fmt: skip
        errors = lib.measure(
            _native_or_none(model), params, _block(sampler), origin, extent, begin, end, every,
            threads(),
        )  # fmt: skip
        return [Errors(**error) for error in errors]

    def brick_cache(self, nbytes: int) -> BrickCache:
        return lib.BrickCache(nbytes)

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
        if isinstance(model, SparseGrid):
            return lib.Bricks.of_sparse(
                self._sparse.reader(model, params), origin, extent, cells[::-1], vertex,
                _own_cache(cache),
            )  # fmt: skip
        if isinstance(model, Gaussians):
            read = lattice_reader(self, model, params, origin, extent, cells, vertex)
            return self.bricks_of_function(read, len(origin), cells, vertex, cache)
        return lib.Bricks.of_network(
            _native_or_none(model), params, origin, extent, cells[::-1], vertex, _own_cache(cache)
        )

    def bricks_of_sampler(self, sampler: Sampler, cache: BrickCache) -> Bricks:
        return lib.Bricks.of_grid(_block(sampler), _own_cache(cache))

    def bricks_of_function(
        self,
        read: ReadBox,
        components: int,
        cells: tuple[int, int, int],
        vertex: bool,
        cache: BrickCache,
    ) -> Bricks:
        return lib.Bricks.of_python(read, components, cells[::-1], vertex, _own_cache(cache))

    def march(
        self, bricks: Bricks, nodes: tuple[Floats, Floats, Floats], options: MarchOptions
    ) -> Singles:
        x, y, z = nodes
        if not isinstance(bricks, lib.Bricks):
            raise TypeError(f"bricks: {type(bricks).__name__} was not created by engine cpu")
        return lib.march(
            bricks=bricks,
            x=x,
            y=y,
            z=z,
            domain_lo=options.domain[0],
            domain_hi=options.domain[1],
            eye=options.view.eye,
            forward=options.view.forward,
            right=options.view.right,
            up=options.view.up,
            size=options.view.size,
            rectangle=options.view.rectangle,
            table=options.table,
            range=options.range,
            step=options.step,
            component=options.component,
            opaque=options.opaque,
            flat=options.flat,
            jitter=options.jitter,
            surface=options.surface,
            threads=threads(),
        )

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
        lib.rasterize(
            points=points,
            triangles=triangles,
            normals=normals,
            values=values,
            table=options.table,
            range=options.range,
            color=options.color,
            lit=options.lit,
            eye=options.view.eye,
            forward=options.view.forward,
            right=options.view.right,
            up=options.view.up,
            size=options.view.size,
            rectangle=options.view.rectangle,
            near=options.near,
            threads=threads(),
            rgba=rgba,
            depth=depth,
        )


def _own_cache(cache: BrickCache) -> _native.BrickCache:
    """The extension's cache. Raises TypeError for a cache of another engine."""
    if not isinstance(cache, lib.BrickCache):
        raise TypeError(f"cache: {type(cache).__name__} was not created by engine cpu")
    return cache


def _owned(component: Floats, ghost_layers: Layers) -> Floats:
    """View of the samples that are no ghosts."""
    inside = zip(component.shape, ghost_layers, strict=True)
    return component[tuple(slice(low, n - high) for n, (low, high) in inside)]


def _own_sampler(sampler: Sampler) -> GridSampler:
    """This engine's sampler. Raises TypeError for a sampler of another engine."""
    if not isinstance(sampler, GridSampler):
        raise TypeError(f"sampler: {type(sampler).__name__} was not created by engine cpu")
    return sampler


def _block(sampler: Sampler) -> _native.GridSampler:
    """The extension's sampler. Raises TypeError for a sampler of another engine."""
    return _own_sampler(sampler).native
