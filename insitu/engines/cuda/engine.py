"""The CUDA engine.

In: hash grids and dense grids, parameters, blocks. Out: the operations of `insitu.engines.base`; of
rendering, only the ray marcher through these models, the rest is left to another engine. All
arithmetic is in single precision, as on the CPU, so that what is promised of an error holds for
either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from insitu.core.arrays import Floats
from insitu.engines.base import (
    BrickCache,
    Bricks,
    Doubles,
    Engine,
    Layers,
    Sampler,
    Singles,
    Trainer,
    check_samples,
)
from insitu.engines.cuda import reading, sampler
from insitu.engines.cuda.arrays import DeviceArray, params_of, points_of
from insitu.engines.cuda.device import Device
from insitu.engines.cuda.layout import shape_of
from insitu.engines.cuda.marching import NetworkBricks
from insitu.engines.cuda.sampler import GridSampler, sampling_of
from insitu.engines.cuda.trainer import REFUSED, CudaTrainer, run_together
from insitu.engines.options import Errors, MarchOptions, TrainerOptions
from insitu.models.base import Model


class CudaEngine(Engine):
    """Computes on one GPU. Raises ImportError without one; see `insitu.engines.cuda.driver`."""

    name: ClassVar[str] = "cuda"
    # Measured on an H200: a step of 4 networks takes 1.8 times that of one.
    side_by_side: ClassVar[int] = 4
    refused_options: ClassVar[frozenset[str]] = frozenset(REFUSED)

    def __init__(self, device: Device | None = None) -> None:
        """device: by default the one of this process's rank on its node."""
        if device is None:
            from insitu.engines.cuda.driver import find

            device = find()
        self._device = device

    @property
    def device(self) -> str:
        return self._device.name

    @property
    def reproducible(self) -> bool:
        return self._device.reproducible

    def supports(self, model: Model) -> bool:
        shape = shape_of(model)
        return shape is not None and shape.shared_bytes <= self._device.shared_limit

    def sampler(
        self,
        components: Sequence[Floats],
        ghost_layers: Layers,
        cells: tuple[int, int, int],
        vertex: bool,
    ) -> GridSampler:
        return GridSampler(self._device, components, ghost_layers, cells, vertex)

    def draw(
        self, seed: int, boundary_share: float, boundary_sigma: float, iteration: int, batch: int
    ) -> Singles:
        sampling = sampling_of(seed, boundary_share, boundary_sigma, batch)
        return sampler.draw(self._device, sampling, iteration, batch)

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
        return CudaTrainer(model, params, _block(sampler), origin, extent, error_scale, options)

    def train_together(self, trainers: Sequence[Trainer], seconds: float) -> bool:
        return run_together([_own(trainer) for trainer in trainers], seconds)

    def evaluate(self, model: Model, params: Singles, points: Floats) -> Singles:
        at, values = points_of(points), params_of(model, params)
        with self._device.current():
            network = reading.Network(self._device, model, values)
            return network.evaluate(self._device.uploaded(at), len(at)).to_host()

    def evaluate_grid(
        self, model: Model, params: Singles, xs: Floats, ys: Floats, zs: Floats
    ) -> Singles:
        return self.evaluate_grid_on_device(model, params, xs, ys, zs).to_host()

    def evaluate_grid_on_device(
        self, model: Model, params: Singles, xs: Floats, ys: Floats, zs: Floats
    ) -> DeviceArray:
        """As `evaluate_grid`, as an array of the device."""
        with self._device.current():
            return reading.Network(self._device, model, params).evaluate_grid((xs, ys, zs))

    def gradient(self, model: Model, params: Singles, points: Floats) -> Singles:
        at, values = points_of(points), params_of(model, params)
        with self._device.current():
            network = reading.Network(self._device, model, values)
            return network.gradient(self._device.uploaded(at), len(at)).to_host()

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
        block = _block(sampler)
        check_samples(block.samples, begin, end, every)
        samples = begin, end, every
        if model is None:
            return reading.errors_of_constant(block, origin, samples)
        with self._device.current():
            network = reading.Network(self._device, model, params)
            return network.measure(block, origin, extent, samples)

    def marches(self, model: Model) -> bool:
        return self.supports(model)

    def bricks_of_model(
        self,
        model: Model | None,
        params: Singles,
        origin: Doubles,
        extent: Doubles,
        cells: tuple[int, int, int],
        vertex: bool,
        cache: BrickCache,
    ) -> NetworkBricks:
        """Nothing is decoded: the cache stays as it is. A constant is left to other engines."""
        if model is None:
            raise ValueError("model: None; the engine cuda marches through networks only")
        return NetworkBricks(self._device, model, params, origin, extent, cells, vertex)

    def march(
        self, bricks: Bricks, nodes: tuple[Floats, Floats, Floats], options: MarchOptions
    ) -> Singles:
        if not isinstance(bricks, NetworkBricks):
            raise TypeError(f"bricks: {type(bricks).__name__} is not of the engine cuda")
        return bricks.march(nodes, options)


def _own(trainer: Trainer) -> CudaTrainer:
    if not isinstance(trainer, CudaTrainer):
        raise TypeError(f"trainer: {type(trainer).__name__} is not of the engine cuda")
    return trainer


def _block(sampler: Sampler) -> GridSampler:
    if not isinstance(sampler, GridSampler):
        raise TypeError(f"sampler: {type(sampler).__name__} is not of the engine cuda")
    return sampler
