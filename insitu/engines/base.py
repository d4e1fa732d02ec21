"""Who computes: training, reading and drawing of models, behind one door.

In: models (`insitu.models`), parameter vectors, blocks of samples. Out: values, gradients, trained
parameters, pixels. Coordinates are those of the unit cube of a block, points (n, 3) in the order
x y z; grids are (nz, ny, nx). Nothing here is collective.

An engine is registered by name (`insitu.engines.registry`), or by a package of its own under the
entry-point group `insitu.engines`. `insitu.testing.EngineConformance` checks it. The NumPy engine
(`insitu.engines.numpy`) is the reference: slow, and right by reading it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.engines.options import Errors, MarchOptions, RasterOptions, Statistics, TrainerOptions
from insitu.models.base import Model

Singles = NDArray[np.float32]
Doubles = NDArray[np.float64]
Layers = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


class Sampler(Protocol):
    """A block of raw samples, read in place: what training and measuring compare with."""

    @property
    def components(self) -> int: ...

    @property
    def samples(self) -> int:
        """Owned samples of one component."""

    def statistics(self, component: int) -> Statistics:
        """Of the owned samples; min and max of the finite ones."""

    def sample(self, points: Floats) -> Singles:
        """points (n, 3) -> values (n, components), trilinear through the ghost layers, constant
        beyond the outermost samples; NaN where a sample of nonzero weight is not finite."""


class Trainer(Protocol):
    """The training loop of one model on one block."""

    @property
    def iteration(self) -> int:
        """Steps done."""

    @property
    def elapsed(self) -> float:
        """Seconds spent in `run`."""

    @property
    def exhausted(self) -> bool:
        """Whether the last step or second was used up."""

    @property
    def loss(self) -> float:
        """Moving average of the mean absolute error, in units of the block's own range; NaN before
        any sample counted."""

    @property
    def root_mean_square(self) -> float:
        """Moving average of the root mean square error, times `error_scale`; NaN before any sample
        counted."""

    error_threshold: float
    """`TrainerOptions.error_threshold`, which may be changed between two runs."""

    @property
    def params(self) -> Singles:
        """(n_params,), a copy."""

    @property
    def gradient(self) -> Singles:
        """(n_params,), a copy: of the loss, since the last step."""

    def run(self, seconds: float) -> bool:
        """Train for a slice of time, at least a step of it; True when training is done: the
        schedule, the time or a threshold is reached, of which the last only after 16 steps."""

    def step(self) -> None:
        """One batch and one update."""

    def compute_gradient(self) -> None:
        """Add loss and gradient of the present batch, without updating the parameters."""


class BrickCache(Protocol):
    """Decoded bricks of any number of blocks, within a limit of bytes."""

    @property
    def limit(self) -> int: ...

    @property
    def used(self) -> int:
        """Bytes held now."""

    @property
    def peak(self) -> int:
        """The most bytes ever held."""

    @property
    def decoded(self) -> int:
        """Bricks decoded so far."""


class Bricks(Protocol):
    """A block as the ray marcher reads it: bricks of about 32^3 cells, decoded on demand."""

    @property
    def components(self) -> int: ...

    @property
    def total(self) -> int:
        """Bricks in the block."""


ReadBox = Callable[[list[int], list[int], int], Floats]
"""Lattice points lo <= i < hi (x, y, z) of a component, or for -1 the magnitude -> (nz, ny, nx)."""


class Engine(ABC):
    """Computes with models. Stateless but for caches: one object serves any number of sessions."""

    name: ClassVar[str]
    """As run files and INSITU_ENGINE have it."""

    draws: ClassVar[bool] = False
    """Whether `brick_cache`, `bricks_of_*`, `march` and `rasterize` are there."""

    @property
    @abstractmethod
    def device(self) -> str:
        """Where it computes, as "cpu (AVX-512, 2 threads)" or "cuda:0 (NVIDIA A100)"."""

    @abstractmethod
    def supports(self, model: Model) -> bool:
        """Whether it computes with models of this kind and shape."""

    @abstractmethod
    def sampler(
        self,
        components: Sequence[Floats],
        ghost_layers: Layers,
        cells: tuple[int, int, int],
        vertex: bool,
    ) -> Sampler:
        """A raw block, in place.

        Args:
            components: each (nz, ny, nx) float32 or float64, of any strides, ghosts included.
            ghost_layers: on the (low, high) side along z, y, x.
            cells: owned, (nz, ny, nx).
            vertex: samples at the grid's nodes instead of the cells' centres.
        """

    @abstractmethod
    def draw(
        self, seed: int, boundary_share: float, boundary_sigma: float, iteration: int, batch: int
    ) -> Singles:
        """The points (batch, 3) that training draws at an iteration: counter-based, the same ones
        on every engine to round-off. DVNR, eq. (2)."""

    @abstractmethod
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
        """Training that begins with params (n_params,). Targets are (value - origin) / extent,
        each (n_components,); a component of extent 0 has the target 0."""

    @abstractmethod
    def evaluate(self, model: Model, params: Singles, points: Floats) -> Singles:
        """points (n, 3) -> outputs (n, n_outputs)."""

    @abstractmethod
    def evaluate_grid(
        self, model: Model, params: Singles, xs: Floats, ys: Floats, zs: Floats
    ) -> Singles:
        """Outputs at all points of a grid, (nz, ny, nx, n_outputs)."""

    @abstractmethod
    def gradient(self, model: Model, params: Singles, points: Floats) -> Singles:
        """Derivatives along x, y, z: points (n, 3) -> (n, n_outputs, 3)."""

    @abstractmethod
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
        """Errors of origin + extent * output against owned samples begin .. end - 1, of each
        `every`th 128 of them, per component in its own unit. model None: of the constant origin."""

    def histogram(self, values: Floats, edges: Doubles) -> Doubles:
        """How many of values (n,) lie in each bin between edges (n_bins + 1,) -> (n_bins,). Values
        that are not finite do not count; others beyond the edges count at the ends."""
        inside = np.clip(values[np.isfinite(values)], edges[0], edges[-1])
        return np.histogram(inside, edges)[0].astype(np.float64)

    # Drawing.

    def brick_cache(self, nbytes: int) -> BrickCache:
        """Room for decoded bricks."""
        raise NotImplementedError(f"engine {self.name} does not draw")

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
        """The bricks of origin + extent * output; `params` stay the caller's and are not copied."""
        raise NotImplementedError(f"engine {self.name} does not draw")

    def bricks_of_sampler(self, sampler: Sampler, cache: BrickCache) -> Bricks:
        """The bricks of a raw block."""
        raise NotImplementedError(f"engine {self.name} does not draw")

    def bricks_of_function(
        self,
        read: ReadBox,
        components: int,
        cells: tuple[int, int, int],
        vertex: bool,
        cache: BrickCache,
    ) -> Bricks:
        """The bricks of any block that Python knows."""
        raise NotImplementedError(f"engine {self.name} does not draw")

    def march(
        self, bricks: Bricks, nodes: tuple[Floats, Floats, Floats], options: MarchOptions
    ) -> Singles:
        """One block's share of a volume rendering -> premultiplied RGBA (y1 - y0, x1 - x0, 4).

        nodes: world coordinates of the block's grid lines, x (nx+1,), y (ny+1,), z (nz+1,).
        `insitu.render.volume.march` has the equations.
        """
        raise NotImplementedError(f"engine {self.name} does not draw")

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
        """Draw triangles (m, 3) of points (n, 3) into premultiplied RGBA (h, w, 4) and depth
        (h, w), in place. `insitu.render.surface.raster` has the rules."""
        raise NotImplementedError(f"engine {self.name} does not draw")
