"""The engine interface: training, evaluation and rendering of models.

In: models (`insitu.models`), parameter vectors, blocks of samples. Out: values, gradients, trained
parameters, pixels. Coordinates are those of a block's unit cube, points (n, 3) in the order x y z;
grids are (nz, ny, nx). Nothing here is collective.

An engine is registered by name (`insitu.engines.registry`), or by a third-party package under the
entry-point group `insitu.engines`. `insitu.testing.EngineConformance` checks it. The NumPy engine
(`insitu.engines.numpy`) is the reference: slow, but simple enough to verify by reading.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.engines.options import Errors, MarchOptions, RasterOptions, Statistics, TrainerOptions
from insitu.models.base import Model

if TYPE_CHECKING:
    from insitu.engines.points import PointSampler

Singles = NDArray[np.float32]
Doubles = NDArray[np.float64]
Layers = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


class Sampler(Protocol):
    """A block of raw samples, read in place: the reference data of training and measurement."""

    @property
    def components(self) -> int: ...

    @property
    def samples(self) -> int:
        """Number of owned samples per component."""

    def statistics(self, component: int) -> Statistics:
        """Statistics of the owned samples; min and max are over the finite ones."""

    def sample(self, points: Floats) -> Singles:
        """points (n, 3) -> values (n, components), trilinear through the ghost layers, constant
        beyond the outermost samples; NaN where a sample of nonzero weight is not finite."""


def check_samples(samples: int, begin: int, end: int, every: int) -> None:
    """The check of `Engine.measure` for a block of so many owned samples: raises IndexError for
    others, ValueError for `every` below 1."""
    if begin < 0 or end > samples:
        raise IndexError(f"begin, end: {begin}, {end} are not in the block, 0..{samples}")
    if every < 1:
        raise ValueError(f"every: {every}, expected at least 1")


class Trainer(Protocol):
    """The training loop of one model on one block."""

    @property
    def iteration(self) -> int:
        """Number of steps completed."""

    @property
    def elapsed(self) -> float:
        """Seconds spent in `run`."""

    @property
    def exhausted(self) -> bool:
        """Whether the step limit or the time limit has been reached, or the last plateau."""

    @property
    def loss(self) -> float:
        """Moving average of the mean absolute error, in units of the block's own range; NaN until
        a sample has been counted."""

    @property
    def root_mean_square(self) -> float:
        """Moving average of the root mean square error, times `error_scale`; NaN until a sample
        has been counted."""

    error_threshold: float
    """`TrainerOptions.error_threshold`; may be changed between calls of `run`."""

    @property
    def params(self) -> Singles:
        """(n_params,), a copy."""

    @property
    def gradient(self) -> Singles:
        """(n_params,), a copy: gradient of the loss accumulated since the last step."""

    def run(self, seconds: float) -> bool:
        """Train for `seconds`, but at least one step. Returns True when training is done: the end
        of the schedule, the time limit or a threshold is reached. Thresholds apply from step 16 on.
        """

    def step(self) -> None:
        """One batch and one update."""

    def compute_gradient(self) -> None:
        """Accumulate loss and gradient of the current batch without updating the parameters."""


class BrickCache(Protocol):
    """Cache of decoded bricks of any number of blocks, with a limit in bytes."""

    @property
    def limit(self) -> int: ...

    @property
    def used(self) -> int:
        """Bytes currently held."""

    @property
    def peak(self) -> int:
        """Peak number of bytes held."""

    @property
    def decoded(self) -> int:
        """Number of bricks decoded so far."""


class Bricks(Protocol):
    """A block as read by the ray marcher: bricks of about 32^3 cells, decoded on demand."""

    @property
    def components(self) -> int: ...

    @property
    def total(self) -> int:
        """Number of bricks in the block."""


ReadBox = Callable[[list[int], list[int], int], Floats]
"""Values of one component, or of the magnitude for component -1, at the lattice points
lo <= i < hi (x, y, z) -> (nz, ny, nx)."""


class Engine(ABC):
    """Computes with models. Stateless except for caches: one object serves many sessions."""

    name: ClassVar[str]
    """Name of the engine in run files and in INSITU_ENGINE."""

    refused_options: ClassVar[frozenset[str]] = frozenset()
    """Of `TrainerOptions`, what the engine has no training for: values other than the default raise
    ValueError with the name."""
    draws: ClassVar[bool] = False
    """Whether `brick_cache`, `bricks_of_*`, `march` and `rasterize` are implemented."""

    side_by_side: ClassVar[int] = 1
    """How many networks of one architecture `train_together` trains in about the time of one."""

    @property
    def reproducible(self) -> bool:
        """Whether training twice gives the same bits; otherwise the order of sums varies."""
        return True

    @property
    @abstractmethod
    def device(self) -> str:
        """The device in use, such as "cpu (AVX-512, 2 threads)" or "cuda:0 (NVIDIA A100)"."""

    @abstractmethod
    def supports(self, model: Model) -> bool:
        """Whether the engine supports models of this kind and architecture."""

    @abstractmethod
    def sampler(
        self,
        components: Sequence[Floats],
        ghost_layers: Layers,
        cells: tuple[int, int, int],
        vertex: bool,
    ) -> Sampler:
        """A sampler of a raw block, which is read in place and not copied.

        Args:
            components: each (nz, ny, nx) float32 or float64, of any strides, ghosts included.
            ghost_layers: number of layers on the (low, high) side along z, y, x.
            cells: number of owned cells, (nz, ny, nx).
            vertex: samples are at grid nodes instead of cell centers.
        """

    @abstractmethod
    def draw(
        self, seed: int, boundary_share: float, boundary_sigma: float, iteration: int, batch: int
    ) -> Singles:
        """The points (batch, 3) that training samples in one iteration: counter-based, identical
        on every engine up to rounding. DVNR, eq. (2)."""

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
        """A trainer that starts from params (n_params,). Targets are (value - origin) / extent,
        each (n_components,); a component of extent 0 has the target 0."""

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
        """As `trainer`, of a `scattered` model on points (`insitu.engines.points`); a batch has at
        least an eighth of them. By default with the model's own equations, in NumPy."""
        from insitu.engines.point_training import ReferenceTrainer

        return ReferenceTrainer(model, params, sampler, origin, extent, error_scale, options)

    def train_together(self, trainers: Sequence[Trainer], seconds: float) -> bool:
        """`Trainer.run` of several trainers of this engine, at the same time where it can. Returns
        True when all are done."""
        share = seconds / max(len(trainers), 1)
        done = [trainer.run(share) for trainer in trainers]
        return all(done)

    @abstractmethod
    def evaluate(self, model: Model, params: Singles, points: Floats) -> Singles:
        """points (n, 3) -> outputs (n, n_outputs)."""

    def evaluate_blocks(
        self,
        models: Sequence[Model],
        params: Sequence[Singles],
        points: Floats,
        ends: Sequence[int],
    ) -> Singles:
        """Several models in one call: points (n, 3) -> outputs (n, n_outputs).

        ends: increasing; the points of model i end before ends[i], and begin where those of the
        model before end. The last one is n.
        """
        begins = [0, *ends[:-1]]
        pieces = [
            self.evaluate(model, values, points[begin:end])
            for model, values, begin, end in zip(models, params, begins, ends, strict=True)
        ]
        return np.concatenate(pieces)

    @abstractmethod
    def evaluate_grid(
        self, model: Model, params: Singles, xs: Floats, ys: Floats, zs: Floats
    ) -> Singles:
        """Outputs at all points of a grid, (nz, ny, nx, n_outputs)."""

    @abstractmethod
    def gradient(self, model: Model, params: Singles, points: Floats) -> Singles:
        """Derivatives by x, y, z: points (n, 3) -> (n, n_outputs, 3)."""

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
        """Errors of origin + extent * output against the owned samples begin .. end - 1, per
        component in its own unit. Of every `every` chunks of 128 samples one is measured. With
        model None, the errors of the constant `origin`."""

    def histogram(self, values: Floats, edges: Doubles) -> Doubles:
        """Counts of values (n,) in the bins between edges (n_bins + 1,) -> (n_bins,). Values that
        are not finite are ignored; values outside the edges count in the first or last bin."""
        inside = np.clip(values[np.isfinite(values)], edges[0], edges[-1])
        return np.histogram(inside, edges)[0].astype(np.float64)

    # Rendering.

    def marches(self, model: Model) -> bool:
        """Whether `bricks_of_model` and `march` are implemented for a model of this kind; that may
        be so where the engine draws nothing else."""
        return self.draws and self.supports(model)

    def brick_cache(self, nbytes: int) -> BrickCache:
        """A cache of decoded bricks of at most `nbytes` bytes."""
        raise NotImplementedError(f"engine {self.name} does not support rendering")

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
        """The bricks of origin + extent * output. `params` are referenced, not copied."""
        raise NotImplementedError(f"engine {self.name} does not support rendering")

    def bricks_of_sampler(self, sampler: Sampler, cache: BrickCache) -> Bricks:
        """The bricks of a raw block."""
        raise NotImplementedError(f"engine {self.name} does not support rendering")

    def bricks_of_function(
        self,
        read: ReadBox,
        components: int,
        cells: tuple[int, int, int],
        vertex: bool,
        cache: BrickCache,
    ) -> Bricks:
        """The bricks of a block whose values a Python function gives."""
        raise NotImplementedError(f"engine {self.name} does not support rendering")

    def march(
        self, bricks: Bricks, nodes: tuple[Floats, Floats, Floats], options: MarchOptions
    ) -> Singles:
        """One block's part of a volume rendering -> premultiplied RGBA (y1 - y0, x1 - x0, 4).

        nodes: world coordinates of the block's grid lines, x (nx+1,), y (ny+1,), z (nz+1,).
        The equations are in `insitu.render.volume.march`.
        """
        raise NotImplementedError(f"engine {self.name} does not support rendering")

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
        (h, w), in place. The rules are in `insitu.render.surface.raster`."""
        raise NotImplementedError(f"engine {self.name} does not support rendering")
